"""The stability reserve: thresholds, the zone between them, months, releases, what loses its validity."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.stability.market_stability_reserve import (
    msr_calendar_year_intake,
    msr_holding,
    msr_intake,
    msr_intake_in_months,
    msr_invalidation,
    msr_release,
    price_release,
    tnac,
)
from tonne.units import UnitsError

EARLY = {"upper_threshold": 833_000_000, "intake_rate": Decimal("0.24"), "minimum_intake": 200_000_000}
LATE = {"upper_threshold": 833_000_000, "intake_rate": Decimal("0.24"), "full_intake_threshold": 1_096_000_000}
NONE = np.zeros(0, dtype=np.int64)


@pytest.mark.parametrize(
    ("circulating", "months", "law", "intake"),
    [
        (1_654_574_598, 8, EARLY, 264_731_936),
        (1_654_909_824, 12, EARLY, 397_178_358),
        (1_385_496_166, 12, EARLY, 332_519_080),
        (1_449_214_182, 12, EARLY, 347_811_404),
        (1_134_794_738, 12, EARLY, 272_350_737),
        (1_111_736_535, 12, LATE, 266_816_768),
        (1_023_494_202, 12, LATE, 190_494_202),
    ],
)
def test_published_intakes(circulating: int, months: int, law: dict[str, int], intake: int) -> None:
    assert msr_intake(circulating, months, **law) == intake
    assert msr_intake(np.array([circulating, 0]), months, **law).tolist() == [intake, 0]


def test_the_minimum_is_compared_before_rounding() -> None:
    assert msr_intake([833_333_333, 833_333_334], **EARLY).tolist() == [0, 200_000_000]
    assert msr_intake(833_000_001, upper_threshold=833_000_000, intake_rate=Decimal("0.24")) == 199_920_000
    assert msr_intake(900_000_000, upper_threshold=833_000_000, intake_rate=0, minimum_intake=1) == 0


def test_the_zone_between_the_thresholds() -> None:
    edges = [832_999_999, 833_000_000, 833_000_001, 1_096_000_000, 1_096_000_001]
    assert msr_intake(edges, **LATE).tolist() == [0, 0, 1, 263_000_000, 263_040_000]


@given(st.integers(0, 3_000_000_000))
def test_an_intake_is_never_negative_nor_more_than_a_quarter_of_what_circulates(circulating: int) -> None:
    for law in (EARLY, LATE):
        assert 0 <= msr_intake(circulating, **law) <= circulating // 4 + 1
        assert msr_intake(circulating, 8, **law) <= msr_intake(circulating, 12, **law)


@given(st.integers(0, 3_000_000_000), st.integers(0, 1_000_000_000))
def test_more_circulation_never_means_less_intake(circulating: int, more: int) -> None:
    for law in (EARLY, LATE):
        assert msr_intake(circulating + more, **law) >= msr_intake(circulating, **law)


def test_no_rows() -> None:
    assert msr_intake(NONE, **LATE).tolist() == []
    assert msr_release(NONE, NONE, lower_threshold=400, release_quantity=100).tolist() == []
    assert msr_invalidation(NONE, invalidation_above="fixed_quantity", invalidation_limit=1).tolist() == []
    assert tnac(NONE, NONE).tolist() == []


def test_circulation() -> None:
    assert tnac(20_000, 17_500, 1_000) == 1_500
    with pytest.raises(UnitsError):
        tnac(1.5, 0)


def test_release() -> None:
    law = {"lower_threshold": 400_000_000, "release_quantity": 100_000_000}
    assert msr_release(399_999_999, 400_000_000, **law) == 100_000_000
    assert msr_release(400_000_000, 400_000_000, **law) == 0
    assert msr_release([1, 1], [60_000_000, -5], **law).tolist() == [60_000_000, 0]


def test_release_by_price() -> None:
    law = {"price_multiple": Decimal("2.4"), "price_release_quantity": 75_000_000}
    assert price_release(Decimal("120.00"), Decimal("50.00"), 400_000_000, **law) == 0
    assert price_release(Decimal("120.01"), 50, 400_000_000, **law) == 75_000_000
    assert price_release([Decimal(121), Decimal(1)], Decimal(50), 10, **law).tolist() == [10, 0]


def test_invalidation() -> None:
    assert msr_invalidation(3_001_222_787, 486_087_000, invalidation_above="previous_auction_volume") == 2_515_135_787
    assert msr_invalidation([781_744_848, 1], invalidation_above="fixed_quantity", invalidation_limit=400_000_000).tolist() == [381_744_848, 0]
    assert msr_invalidation(5, invalidation_above=None) == 0
    with pytest.raises(ValueError, match="give previous_auction_volume"):
        msr_invalidation(5, invalidation_above="previous_auction_volume")
    with pytest.raises(ValueError, match="no limit"):
        msr_invalidation(5, invalidation_above="fixed_quantity")


def test_stock_and_flow_of_2023() -> None:
    assert msr_intake_in_months(347_811_404, 8) == 231_874_269
    assert msr_intake_in_months([347_811_404, 272_350_737], 4).tolist() == [115_937_135, 90_783_579]
    withheld = msr_calendar_year_intake(347_811_404, 272_350_737, months_before_change=8)
    assert withheld == 322_657_848
    assert msr_holding(486_087_000, withheld, 27_000_000) == 781_744_848
    assert msr_holding([1, 2], 1).tolist() == [2, 3]
    with pytest.raises(ValueError, match="cannot hold -1"):
        msr_holding(0, 0, 1)
