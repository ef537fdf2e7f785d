"""What stays free when a share of the allocation is sold."""

from decimal import Decimal
from time import perf_counter

import numpy as np
import pytest

from tonne.rules.sold_share_by_class import allocation, paid_share

LAW = {"paid_share_by_year": {2015: 0, 2018: {"all": Decimal("0.03"), "exposed": 0}, 2026: {"power": Decimal("0.15")}}}


def test_shares() -> None:
    assert paid_share(2016, "power", **LAW) == 0
    assert paid_share(2020, "power", **LAW) == Decimal("0.03")
    assert paid_share(2020, "exposed", **LAW) == 0
    with pytest.raises(ValueError, match="the first one is of 2015"):
        paid_share(2014, **LAW)
    with pytest.raises(ValueError, match="no paid share for the class 'waste'"):
        paid_share(2026, "waste", **LAW)


def test_free_units() -> None:
    assert allocation(2020, "power", 1_000_000, **LAW) == 970_000
    assert allocation(2020, ["power", "exposed", None], [100, 100, 100], **LAW).tolist() == [97, 100, 97]
    assert allocation(2020, "power", 1_000_000, Decimal("0.9"), **LAW) == 873_000
    assert allocation([], [], [], **LAW).tolist() == []
    with pytest.raises(ValueError, match="lacks"):
        allocation(2020, "power", None, **LAW)


def test_a_million_rows_take_seconds() -> None:
    names = np.array(["power", "exposed"] * 500_000, dtype=object)
    start = perf_counter()
    assert int(allocation(2020, names, np.full(1_000_000, 100), **LAW).sum()) == 98_500_000
    assert perf_counter() - start < 6
