"""What is sold: the share, the remainder, what is postponed, what the reserve moves."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.auction.residual import auction_is_cancelled, auction_volume, aviation_auction_volume

LAW = {"auction_share": Decimal("0.57"), "withheld": {2014: 400}, "returned": {2019: 300, 2020: None}}


def test_one_year() -> None:
    assert auction_volume(2022, 10_000, 4_000, 500, 20, **LAW) == 5_220
    assert auction_volume(2022, 10_000, 6_000, **LAW) == 4_000  # more was given away than the share leaves
    assert auction_volume(2014, 10_000, **LAW) == 5_300
    assert auction_volume(2019, 10_000, **LAW) == 6_000
    assert auction_volume(2020, 10_000, **LAW) == 5_700
    assert auction_volume(2020, 10_000, 4_000) == 6_000  # no share in force: the whole remainder


def test_many_years_agree_with_one() -> None:
    years, caps, free = np.array([2014, 2019, 2022]), np.array([10_000, 9_000, 8_000]), np.array([1_000, 8_000, 9_000])
    got = auction_volume(years, caps, free, **LAW)
    assert got.tolist() == [auction_volume(int(y), int(c), int(f), **LAW) for y, c, f in zip(years, caps, free, strict=True)]


def test_no_years() -> None:
    none = np.zeros(0, dtype=np.int64)
    assert auction_volume(none, none, none, **LAW).tolist() == []


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**9), st.sampled_from([2014, 2019, 2022]))
def test_a_volume_lies_between_zero_and_what_there_is(cap: int, allocated: int, intake: int, year: int) -> None:
    volume = auction_volume(year, cap, allocated, intake, **LAW)
    assert 0 <= volume <= cap + 300
    assert volume >= auction_volume(year, cap, allocated, intake + 1, **LAW)


def test_cancelled_auctions() -> None:
    assert auction_is_cancelled(5_000, 4_500, undersubscription="cancel") is True
    assert auction_is_cancelled(5_000, 5_000, undersubscription="cancel") is False
    assert auction_is_cancelled([5_000, 5_000], [4_999, 5_001], undersubscription="cancel").tolist() == [True, False]
    assert auction_is_cancelled([5_000], [1], undersubscription="partial").tolist() == [False]


def test_aviation() -> None:
    share = {"aviation_auction_share": {2013: Decimal("0.15")}}
    assert aviation_auction_volume(2013, 38_000_000, **share) == 5_700_000
    assert aviation_auction_volume(2013, [100, 0], **share).tolist() == [15, 0]
    with pytest.raises(ValueError, match="auction share"):
        aviation_auction_volume(2024, 1, **share)
