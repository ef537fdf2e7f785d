"""Certificates by intensity."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.allocation.target_intensity import allocation, certificates, target_share

SHARES = {2025: Decimal("0.4"), 2026: Decimal("0.6")}


def test_the_difference_times_output_is_issued_or_bought():
    assert certificates(Decimal("0.80"), Decimal("0.76"), 2_000_000) == {"issued": 80_000, "to_buy": 0}
    assert certificates(Decimal("0.76"), Decimal("0.80"), 2_000_000) == {"issued": 0, "to_buy": 80_000}
    assert certificates(Decimal("0.8001"), Decimal("0.8"), 9_999) == {"issued": 0, "to_buy": 0}
    assert certificates(Decimal("0.8"), Decimal("0.8001"), 9_999) == {"issued": 0, "to_buy": 1}
    many = certificates([Decimal("0.8"), Decimal("0.8")], [Decimal("0.7"), Decimal("0.9")], [100, 100])
    assert many["issued"].tolist() == [10, 0] and many["to_buy"].tolist() == [0, 10]
    assert certificates([], [], [])["issued"].shape == (0,)


def test_a_cut_falls_due_in_parts():
    assert target_share(2025, "cement", cut_share_by_year=SHARES, target_cut={"cement": Decimal("0.05")}) == Fraction(98, 100)
    assert target_share(2026, "cement", cut_share_by_year=SHARES, target_cut={"cement": Decimal("0.05")}) == Fraction(95, 100)
    assert target_share(2026, "steel", cut_share_by_year=SHARES, target_cut={"cement": Decimal("0.05")}) == 1
    assert target_share(2026, "steel", cut_share_by_year=SHARES) == 1


def test_a_limit_is_output_at_the_target():
    law = {"cut_share_by_year": SHARES, "target_cut": {"cement": Decimal("0.05")}, "baseline_intensity": {"clinker": Decimal("0.8")}}
    assert allocation(2025, "cement", "clinker", 1_000_000, **law) == 784_000
    assert allocation(2026, "cement", "grinding", 1_000_000, Decimal("0.1"), **law) == 95_000
    rows = allocation(2025, ["cement", "steel"], ["clinker", "iron"], [1_000_000, 10], [None, Decimal("2")], **law)
    assert rows.tolist() == [784_000, 20]
    assert allocation(2025, [], [], [], [], **law).shape == (0,)
    with pytest.raises(ValueError, match="no baseline intensity for product 'iron'"):
        allocation(2025, "steel", "iron", 10, **law)


def test_figures_that_leave_64_bits_stay_exact():
    target, achieved = Decimal("1.000000000000000001"), Decimal("1")
    assert certificates([target, achieved], [achieved, target], 10**18)["issued"].tolist() == [1, 0]
    assert certificates(target, achieved, 10**18) == {"issued": 1, "to_buy": 0}
    with pytest.raises(ValueError, match="whole numbers"):
        certificates(target, achieved, -1)


@given(st.integers(0, 10**9), st.decimals(0, 5, places=4))
def test_a_plant_at_its_target_neither_earns_nor_owes(output, target):
    assert certificates(target, target, output) == {"issued": 0, "to_buy": 0}


def test_many_rows_at_once():
    n = 100_000
    rows = allocation(2025, "cement", "clinker", np.arange(n), cut_share_by_year=SHARES, baseline_intensity={"clinker": Decimal("1")})
    assert rows.sum() == n * (n - 1) // 2
