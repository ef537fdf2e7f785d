"""Who takes part: thresholds that are exceeded, thresholds that are reached, and who may be left out."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.scope.activity_thresholds import (
    aircraft_operator_is_covered,
    emissions_in_scope,
    is_covered,
    may_opt_out,
    may_opt_out_as_ultra_small,
)

LAW = {"covered_above": {"combustion": 20}, "covered_from": {"ship": 5_000}}
VOYAGES = {"intra_eea": Decimal(1), "extra_eea": Decimal("0.5")}
AIR = {"non_commercial_exempt_below": 1_000, "commercial_exempt_below": 10_000, "commercial_exempt_flights": 243}


def test_one_row() -> None:
    assert is_covered("combustion", 20, **LAW) is False
    assert is_covered("combustion", Decimal("20.1"), **LAW) is True
    assert is_covered("ship", 5_000, **LAW) is True
    assert is_covered("ship", 4_999, **LAW) is False


def test_many_rows_of_every_kind_of_number() -> None:
    activity = np.array(["combustion", "ship", "combustion"])
    for capacity in (np.array([21, 5_000, 20]), [Decimal(21), Decimal(5_000), Decimal(20)], np.array([20.5, 5_000.0, 20.0])):
        assert is_covered(activity, capacity, **LAW).tolist() == [True, True, False]


def test_no_rows() -> None:
    assert is_covered(np.array([], dtype=object), np.array([], dtype=np.int64), **LAW).tolist() == []
    assert emissions_in_scope(np.array([], dtype=np.int64), np.array([], dtype=object), voyage_share=VOYAGES).tolist() == []


def test_an_unknown_activity_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"glass.*combustion, ship"):
        is_covered("glass", 100, **LAW)
    with pytest.raises(ValueError):
        is_covered("ship", 5_000, covered_above={"combustion": 20})


def test_aircraft_operators() -> None:
    assert aircraft_operator_is_covered(False, 999, **AIR) is False
    assert aircraft_operator_is_covered(True, 10_000, 243, **AIR) is True
    got = aircraft_operator_is_covered(np.array([False, True, True]), np.array([1_000, 9_999, 10_000]), np.array([0, 500, 242]), **AIR)
    assert got.tolist() == [True, False, False]


def test_opting_out() -> None:
    limits = {"small_emissions_below": 25_000, "small_capacity_below": 35}
    assert may_opt_out(24_999, 34, **limits) is True
    assert may_opt_out(24_999, 35, **limits) is False
    assert may_opt_out(24_999, 35, False, **limits) is True
    assert may_opt_out(np.array([24_999, 25_000]), Decimal("34.9"), **limits).tolist() == [True, False]
    assert may_opt_out_as_ultra_small([2_499, 2_500], ultra_small_emissions_below=2_500).tolist() == [True, False]


def test_voyages() -> None:
    assert emissions_in_scope(1_001, "extra_eea", voyage_share=VOYAGES) == 501
    assert emissions_in_scope([1_000, 1_000], ["intra_eea", "extra_eea"], voyage_share=VOYAGES).tolist() == [1_000, 500]
    with pytest.raises(ValueError, match="canal"):
        emissions_in_scope(1, "canal", voyage_share=VOYAGES)


@given(st.integers(0, 100), st.integers(0, 100))
def test_more_capacity_never_leaves_the_system(small: int, more: int) -> None:
    assert is_covered("combustion", small + more, **LAW) >= is_covered("combustion", small, **LAW)
