"""The calendar of one expiry of a cleared forward."""

from __future__ import annotations

from datetime import date

import pytest

from tonne.rules.trading.forward_delivery import contract_code, delivery_window

DAYS = {"delivery_days": {"transfer": -5, "switch_to_cash": -3, "back_transfer": 2}}
SETTLED = date(2023, 11, 27)


def test_the_days_of_one_expiry() -> None:
    assert delivery_window(SETTLED, "transfer", **DAYS) == {"first": date(2023, 11, 20), "last": date(2023, 11, 24)}
    assert delivery_window(SETTLED, "switch_to_cash", **DAYS) == {"first": date(2023, 11, 22), "last": date(2023, 11, 24)}
    assert delivery_window(SETTLED, "back_transfer", **DAYS) == {"first": date(2023, 11, 28), "last": date(2023, 11, 29)}


def test_holidays_are_no_trading_days() -> None:
    closed = [date(2023, 11, 24), date(2023, 11, 28)]
    assert delivery_window(SETTLED, "switch_to_cash", closed, **DAYS) == {"first": date(2023, 11, 21), "last": date(2023, 11, 23)}
    assert delivery_window(SETTLED, "back_transfer", closed, **DAYS) == {"first": date(2023, 11, 29), "last": date(2023, 11, 30)}


def test_a_settlement_on_a_holiday_itself() -> None:
    assert delivery_window(date(2023, 11, 26), "switch_to_cash", **DAYS) == {"first": date(2023, 11, 22), "last": date(2023, 11, 24)}
    assert delivery_window(date(2023, 11, 26), "back_transfer", **DAYS) == {"first": date(2023, 11, 27), "last": date(2023, 11, 28)}
    with pytest.raises(ValueError, match="no step"):
        delivery_window(SETTLED, "notice", **DAYS)


def test_names() -> None:
    law = {"code_prefix": "FWD", "contract_months": [2, 5, 8, 11]}
    assert contract_code(2023, 11, **law) == "FWD112023"
    assert contract_code(2024, 2, **law) == "FWD022024"
    with pytest.raises(ValueError, match="no contract of month 3"):
        contract_code(2024, 3, **law)
