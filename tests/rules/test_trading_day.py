"""What a venue publishes at the end of a day, and which orders it admits."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules import trading_day

TICK: dict[str, Any] = {"tick": D("0.01")}
BAND: dict[str, Any] = {"price_limit": {"listed": D("0.10"), "block": D("0.30")}}


def test_mean_prices_of_one_day_many_days_and_none() -> None:
    assert trading_day.mean_price(D("7661230022.99"), 178_789_350, **TICK) == D("42.85")
    assert trading_day.mean_price([3_217_000, 0], [55_000, 0], **TICK).tolist() == [D("58.49"), None]
    assert trading_day.mean_price([], np.zeros(0, dtype=np.int64), **TICK).tolist() == []


def test_a_day_adds_up_over_its_ways_of_trading() -> None:
    day = trading_day.day_total(21_787, 1_217_935, 1_260_200, 68_391_200, **TICK)
    assert day == {"volume": 1_281_987, "value": 69_609_135, "mean": D("54.30"), "listed_mean": D("55.90"), "block_mean": D("54.27")}


def test_the_close_is_that_of_listed_trades() -> None:
    assert trading_day.close_price(1_217_935, 21_787, D("55.00"), **TICK) == D("55.90")
    assert trading_day.close_price(0, 0, D("55.00"), **TICK) == D("55.00")


@given(st.integers(1, 10**6))
def test_the_band_admits_its_own_edges_and_nothing_outside(cents: int) -> None:
    close = D(cents).scaleb(-2)
    for method, share in (("listed", D("0.10")), ("block", D("0.30"))):
        assert trading_day.price_is_admitted(close * (1 + share), close, method, **BAND)
        assert not trading_day.price_is_admitted(close * (1 + share) + D("0.0001"), close, method, **BAND)
        assert not trading_day.price_is_admitted(close * (1 - share) - D("0.0001"), close, method, **BAND)
    assert trading_day.price_is_admitted(close * 99, close, "one_way_bidding", **BAND)


def test_the_size_decides_the_way_of_trading() -> None:
    assert trading_day.trading_method(100_000, block_from=100_000) == "block"
    assert trading_day.trading_method([99_999, 100_000], block_from=100_000).tolist() == ["listed", "block"]
