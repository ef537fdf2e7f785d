"""A contract's own arithmetic: ticks, lots, value; what is refused, and in which words."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.market.contract import Contract, ContractError, Instrument, OddLot, PhaseHours, PriceOffTick, phases_of, spot

FUTURE = Contract(id="a", venue="v", kind="future", unit="EUA", lot=1000, tick=Decimal("0.01"), currency="EUR")
TERMS: dict[str, Any] = {"unit": "EUA", "lot": 1000, "tick": Decimal("0.01"), "currency": "EUR"}


def of(kind: str = "future", **terms: Any) -> Contract:
    return Contract.of("a", "v", kind, TERMS | terms)


@pytest.mark.parametrize(
    ("lot", "tick", "currency", "value"),
    [
        (1000, "0.01", "EUR", 1000),
        (1000, "0.0025", "EUR", 250),
        (1, "0.01", "CNY", 1),
        (1, "50", "KRW", 50),
        (500, "0.2", "INR", 10000),
        (100, "0.25", "USD", 2500),
        (500, "0.01", "GBP", 500),
    ],
)
def test_a_tick_on_a_lot_in_the_smallest_coin(lot: int, tick: str, currency: str, value: int) -> None:
    contract = replace(FUTURE, lot=lot, tick=Decimal(tick), currency=currency)
    assert contract.tick_value == value
    assert contract.value(7, 3) == 21 * value


@pytest.mark.parametrize(("lot", "tick", "currency"), [(1, "0.0025", "EUR"), (1, "0.5", "KRW"), (3, "0.001", "USD")])
def test_a_tick_that_no_coin_pays_is_refused(lot: int, tick: str, currency: str) -> None:
    with pytest.raises(ContractError, match="no whole number of the smallest coin"):
        replace(FUTURE, lot=lot, tick=Decimal(tick), currency=currency)


def test_the_value_of_a_tick_fits_64_bits() -> None:
    with pytest.raises(ContractError, match="64 bits"):
        replace(FUTURE, lot=10**18, tick=Decimal(10))


@given(ticks=st.integers(-(10**9), 10**9), tick=st.sampled_from(["0.01", "0.0025", "0.2", "50"]))
def test_price_and_ticks_are_each_other_s_inverse(ticks: int, tick: str) -> None:
    contract = replace(FUTURE, tick=Decimal(tick), lot=10_000)
    assert contract.ticks(contract.price(ticks)) == ticks


def test_a_price_between_two_ticks_is_refused() -> None:
    assert FUTURE.ticks("83.60") == 8360
    assert str(FUTURE.price(8360)) == "83.60"
    with pytest.raises(PriceOffTick, match=r"83\.605 EUR is not a multiple of the tick 0\.01"):
        FUTURE.ticks("83.605")


@pytest.mark.parametrize("price", ["1e999999", "nan", "inf", "much", "1e-30", None])
def test_what_is_no_price_is_refused_at_once(price: Any) -> None:
    with pytest.raises(PriceOffTick):
        FUTURE.ticks(price)


def test_units_are_whole_lots() -> None:
    assert FUTURE.lots(35_000) == 35 and FUTURE.units(35) == 35_000
    with pytest.raises(OddLot, match="35,500 units are 35 lots of 1,000 and 500 more"):
        FUTURE.lots(35_500)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "swap"}, "'swap' is no kind"),
        ({"lot": 0}, "lot is a whole number of at least 1"),
        ({"lot": True}, "lot is a whole number"),
        ({"tick": Decimal(0)}, "a tick is more than zero"),
        ({"tick": Decimal("nan")}, "more than 18 digits"),
        ({"price_limit_share": Decimal("-0.1")}, "share of more than zero"),
        ({"price_limit_steps": (Decimal("0.06"), Decimal("0.04"))}, "rise"),
        ({"max_order_lots": 2, "min_order_lots": 3}, "below the smallest"),
        ({"resale_lag": -1}, "resale_lag"),
        ({"settlement_lag": 10**9}, "at most 250 business days"),
        ({"settlement": "later"}, "'later' is no settlement"),
        ({"matching": "loudest"}, "'loudest' is no matching"),
        ({"measure": "pound"}, "'pound' is no measure"),
        ({"timezone": "Atlantis/Capital"}, "no time zone"),
        ({"cutoff": "4 pm"}, "write it as 16:00"),
        ({"premium": "paid"}, "an option says how its premium is paid"),
        ({"kind": "option"}, "an option says how its premium is paid"),
        ({"kind": "option", "premium": "never"}, "'never' is no premium"),
    ],
)
def test_terms_that_do_not_fit_are_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ContractError, match=words):
        replace(FUTURE, **change)


def test_every_missing_term_is_named_at_once() -> None:
    with pytest.raises(ContractError, match="not known: lot, tick, currency"):
        Contract.of("a", "v", "spot", {"unit": "KAU", "lot": None})


@pytest.mark.parametrize(
    "terms",
    [
        {"lot": "many"}, {"tick": "cheap"}, {"tick": [1]}, {"price_limit": {"listed": "x"}}, {"price_limit": {"Block": 1}}, {"price_limit": "nan"},
        {"hours": {"continuous": "all day"}}, {"hours": ["07:00"]}, {"block_min_units": "x"}, {"tick": "1e999999"}, {"lot": 1.5},
        {"price_limit_steps": 3}, {"max_order_below_units": "x"}, {"hours": {"continuous": "25:00-26:00"}}, {"hours": {"lunch": "12:00-13:00"}},
    ],
)  # fmt: skip
def test_bad_terms_from_outside_are_one_kind_of_error(terms: dict[str, Any]) -> None:
    with pytest.raises(ContractError):
        of(**terms)


def test_limits_by_method_or_for_all() -> None:
    both = of(price_limit=Decimal("0.10"))
    assert both.price_limit_share == both.block_price_limit_share == Decimal("0.10")
    each = of(price_limit={"listed": Decimal("0.10"), "block": Decimal("0.30")})
    assert (each.price_limit_share, each.block_price_limit_share) == (Decimal("0.10"), Decimal("0.30"))
    assert of(price_limit=None).price_limit_share is None


def test_limits_in_units_become_lots() -> None:
    assert of(block_min_units=50_000).block_min_lots == 50
    assert of(block_min_lots=50).block_min_lots == 50
    assert of(lot=1, max_order_below_units=100_000).max_order_lots == 99_999
    assert of(lot=1, max_order_units=5_000).max_order_lots == 5_000
    with pytest.raises(ContractError, match="no multiple of the lot"):
        of(block_min_units=50_500)


def test_what_is_not_said() -> None:
    """A spot contract is prefunded, a future margined; an unknown lag stays unknown, so that nobody delivers on the day by accident."""
    assert of("spot").settlement == "prefunded" and of("future").settlement == "margined"
    assert of().settlement_lag is None and of().matching == "price_time"


def test_hours_of_a_day() -> None:
    assert phases_of({"listed": "09:30-11:30, 13:00-15:00", "block": "13:00-15:00"}) == (
        PhaseHours("continuous", "09:30", "11:30"),
        PhaseHours("continuous", "13:00", "15:00"),
        PhaseHours("block", "13:00", "15:00"),
    )


def test_an_instrument_of_each_kind() -> None:
    assert spot(of("spot")).code == "a"
    december = Instrument("a:2026-12", FUTURE, date(2026, 12, 14), date(2026, 12, 17), first_day=date(2024, 1, 2))
    assert december.is_listed_on(date(2026, 12, 14)) and not december.is_listed_on(date(2026, 12, 15))
    assert not december.is_listed_on(date(2024, 1, 1))
    option = of("option", premium="paid")
    assert Instrument("o", option, date(2026, 12, 9), strike_ticks=8000, right="call").strike_ticks == 8000


def test_instruments_that_cannot_be() -> None:
    with pytest.raises(ContractError, match="go together"):
        Instrument("a", FUTURE, strike_ticks=1)
    with pytest.raises(ContractError, match="only an option"):
        Instrument("a", FUTURE, strike_ticks=1, right="call")
    with pytest.raises(ContractError, match="before the last trading day"):
        Instrument("a", FUTURE, date(2026, 12, 14), date(2026, 12, 11))


def test_contracts_and_instruments_are_keys() -> None:
    assert len({of(deliverable={"by": "vintage"}), of(deliverable={"by": "vintage"}), of(deliverable={})}) == 2
