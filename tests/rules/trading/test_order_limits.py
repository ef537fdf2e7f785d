"""What a venue lets its members do in a day and hold at all."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.trading.order_limits import holding_is_public, most_held, price_is_admitted, price_range

BAND = {"price_limit": {"listed": D("0.20"), "block": None}}
LIMITS = {"emitter": 1_000_000, "other": 1_000_000}
PUBLIC = {"emitter": 500_000, "other": 500_000}
BANDS: dict[str, Any] = {"price_limit": {"listed": D("0.10"), "block": D("0.30")}}


def test_the_band_of_a_day() -> None:
    assert price_range(D("50.00"), **BAND) == {"low": D("40.00"), "high": D("60.00")}
    assert price_range(D("33.33"), price_limit={"listed": D("0.10")}) == {"low": D("30.00"), "high": D("36.66")}
    assert price_range(D("50.00"), price_limit={"listed": D("0.10")}, price_step=D("0.1")) == {"low": D("45.0"), "high": D("55.0")}
    assert price_range(D("50.00"), "block", **BAND) == {"low": None, "high": None}
    assert price_is_admitted(D("60.00"), D("50.00"), **BAND) is True
    assert price_is_admitted([D("39.99"), D("40"), D("60.01")], 50, **BAND).tolist() == [False, True, False]
    assert price_is_admitted(D("999"), 50, "block", **BAND) is True
    assert price_is_admitted([], 50, **BAND).tolist() == []


@given(st.integers(1, 10**6), st.sampled_from([D("0.05"), D("0.10"), D("0.20"), D("0.30")]))
def test_the_edges_of_the_range_are_admitted_and_a_step_beyond_is_not(cents: int, band: D) -> None:
    close, law = D(cents).scaleb(-2), {"price_limit": {"listed": band}}
    edges = price_range(close, **law)
    assert price_is_admitted([edges["low"], edges["high"]], close, **law).all()
    assert not price_is_admitted([edges["low"] - D("0.01"), edges["high"] + D("0.01")], close, **law).any()


def test_holdings() -> None:
    assert most_held("emitter", 250_000, holding_on_top=LIMITS, holds_allocation=["emitter"]) == 1_250_000
    got = most_held(["other", "emitter"], [5, 5], holding_on_top=LIMITS, holds_allocation=["emitter"])
    assert got.tolist() == [1_000_000, 1_000_005]
    assert holding_is_public(750_001, "emitter", 250_000, public_above=PUBLIC, holds_allocation=["emitter"]) is True
    assert holding_is_public([500_000, 500_001], "other", 9, public_above=PUBLIC, holds_allocation=["emitter"]).tolist() == [False, True]
    assert most_held([], np.zeros(0, dtype=np.int64), holding_on_top=LIMITS, holds_allocation=[]).tolist() == []
    with pytest.raises(ValueError, match="no limit for a participant"):
        most_held("bank", 0, holding_on_top=LIMITS, holds_allocation=[])


@given(st.integers(1, 10**6))
def test_the_band_admits_its_own_edges_and_nothing_outside(cents: int) -> None:
    close = D(cents).scaleb(-2)
    for method, share in (("listed", D("0.10")), ("block", D("0.30"))):
        assert price_is_admitted(close * (1 + share), close, method, **BANDS)
        assert not price_is_admitted(close * (1 + share) + D("0.0001"), close, method, **BANDS)
        assert not price_is_admitted(close * (1 - share) - D("0.0001"), close, method, **BANDS)
    assert price_is_admitted(close * 99, close, "one_way_bidding", **BANDS)
