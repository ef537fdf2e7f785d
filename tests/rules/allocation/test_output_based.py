"""Limits that follow output."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from tonne.rules.allocation.output_based import allocation, stringency

FALLING = {"tightening": {2023: {"all": Decimal("0.02"), "exposed": Decimal("0.01"), "power": Decimal("0")}}}


@pytest.mark.parametrize(
    ("year", "sector", "limit"),
    [
        (2022, "other", 800_000),
        (2023, "other", 784_000),
        (2024, "other", 768_000),
        (2030, "other", 672_000),
        (2024, "exposed", 784_000),
        (2030, "power", 800_000),
    ],
)
def test_a_limit_falls_by_points_of_its_standard(year, sector, limit):
    assert allocation(year, sector, "steel", 1_000_000, output_standard={"steel": Decimal("0.8")}, **FALLING) == limit


def test_a_standard_by_year_goes_before_the_plain_one():
    law = {
        "output_standard": {"coal": 999, "gas": 370},
        "standard_by_year": {2019: {"coal": 800}, 2020: {"coal": 650, "new": 370}, 2021: {"new": 329}},
    }
    asked = [allocation(y, "power", p, 10, **law) for y, p in [(2018, "coal"), (2019, "coal"), (2025, "coal"), (2020, "gas"), (2022, "new")]]
    assert asked == [9990, 8000, 6500, 3700, 3290]


def test_without_a_standard_the_installation_is_its_own():
    share = {"own_standard_share": {"all": Decimal("0.80"), "exposed": Decimal("0.95")}}
    assert allocation(2024, "other", "x", 1_000, Decimal("1.25"), **share, **FALLING) == 960  # 1,250 x 0.80 x 0.96
    assert allocation(2024, "exposed", "x", 1_000, Decimal("1.25"), **share, **FALLING) == 1164  # 1,250 x 0.95 x 0.98 = 1,163.75
    assert allocation(2024, "other", "x", 1_000, "0.1234567", own_standard_share={"all": 1}) == 123  # more than six decimals
    with pytest.raises(ValueError, match="lacks the installation's own"):
        allocation(2024, "other", "x", 1_000, **share)


def test_many_rows_and_no_rows():
    years, sectors = np.array([2022, 2024, 2024]), np.array(["other", "other", "exposed"], dtype=object)
    law = {"output_standard": {"steel": Decimal("0.8")}, **FALLING}
    many = allocation(years, sectors, "steel", np.array([10**6, 10**6, 10**6]), **law)
    assert many.dtype == np.int64
    assert many.tolist() == [800_000, 768_000, 784_000]
    assert allocation(2024, "other", "steel", np.zeros(0, dtype=np.int64), **law).shape == (0,)


def test_shares_fall_and_stop_at_nothing():
    shares = [stringency(y, starting_share={"all": Decimal("0.94")}, tightening={2020: Decimal("0.02")}) for y in (2019, 2020, 2022, 2080)]
    assert shares == [Fraction("0.94"), Fraction("0.92"), Fraction("0.88"), 0]
    assert stringency(2030) == 1
    assert stringency(2025, "s", tightening={2024: {"t": Decimal("0.5")}}) == 1  # nobody named this sector yet


def test_an_output_that_leaves_64_bits_on_the_way_is_still_exact():
    assert allocation(2024, "x", "y", np.array([10**13]), np.array([Decimal("1.000001")], dtype=object)).tolist() == [10_000_010_000_000]
