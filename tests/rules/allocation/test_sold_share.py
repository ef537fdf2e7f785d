"""What is left free of an allocation when the law sells a share of it, a larger one for some classes and none for others."""

from __future__ import annotations

from decimal import Decimal
from time import perf_counter

import numpy as np
import pytest

from tonne.rules.allocation.sold_share import allocation, paid_share, paid_units

SHARES = {"power": Decimal("0.95"), "steel": Decimal("0.97"), "cement": None}
LAW = {"paid_share_by_year": {2015: 0, 2018: {"all": Decimal("0.03"), "exposed": 0}, 2026: {"power": Decimal("0.15")}}}


def test_paid_is_what_is_not_free():
    assert paid_units([1_000_000, 1_000_000], ["power", "steel"], assistance=SHARES).tolist() == [50_000, 30_000]
    assert paid_units(350_000_000, assistance={"all": Decimal("0.97")}) == 10_500_000
    assert paid_units(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=object), assistance=SHARES).shape == (0,)


def test_a_sector_without_a_share_is_refused():
    with pytest.raises(ValueError, match="'cement'"):
        paid_units(1, "cement", assistance=SHARES)
    assert paid_units(100, "cement", assistance=SHARES | {"all": Decimal("0.90")}) == 10


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
