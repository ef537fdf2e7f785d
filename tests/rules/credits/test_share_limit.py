"""How many credits of projects may stand in for allowances."""

from __future__ import annotations

from decimal import Decimal
from decimal import Decimal as D

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.credits.share_limit import credit_limit, credit_sublimit, credits_accepted, credits_used, gap_credits

SHARES = {"limit_share": D("0.05"), "outside_share": D("0.025")}
D = Decimal
LAW = {
    "limit_share": {2013: D("0.08"), 2021: D("0.04")},
    "sublimit_share": {"elsewhere": {2021: D("0.5")}, "sector": {2013: D("0.25"), 2018: D("0.5")}},
}
NONE = np.zeros(0, dtype=np.int64)


def test_outside_credits_have_a_limit_of_their_own() -> None:
    assert credits_used(10_000, 60_000, 1_000_000, **SHARES) == {"local": 10_000, "outside": 25_000, "total": 35_000}
    assert credits_used(60_000, 60_000, 1_000_000, **SHARES) == {"local": 50_000, "outside": 0, "total": 50_000}
    assert credits_used(40_000, 60_000, 1_000_000, **SHARES)["total"] == 50_000
    rows = credits_used([0, 39], [99, 99], [999, 1_000], **SHARES)
    assert rows["outside"].tolist() == [24, 11]
    assert credits_used(1, 1, 1_000, limit_share=None, outside_share=None)["total"] == 0
    none = np.zeros(0, dtype=np.int64)
    assert credits_used(none, none, none, **SHARES)["total"].tolist() == []


def test_a_share_of_the_limit_by_kind_and_year() -> None:
    assert credit_sublimit(1_000_000, 2021, "elsewhere", **LAW) == 20_000
    assert credit_sublimit(1_000_000, 2020, "elsewhere", **LAW) == 80_000
    assert credit_sublimit(np.array([1_000_000] * 2), np.array([2017, 2018]), "sector", **LAW).tolist() == [20_000, 40_000]
    assert credit_sublimit(np.array([], dtype=np.int64), np.array([], dtype=np.int64), "sector", **LAW).tolist() == []


def test_a_share_of_the_obligation_never_exceeds_the_limit() -> None:
    law = {"limit_share": D("0.08"), "sublimit_share": {"open": {2023: D("0.05")}, "all": {2023: D("0.10")}}, "sublimit_base": "obligation"}
    assert credit_sublimit(1_000_000, 2023, "open", **law) == 50_000
    assert credit_sublimit(1_000_000, 2023, "all", **law) == 80_000


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="no limit of its own for credits of the kind 'moon'"):
        credit_sublimit(1, 2021, "moon", **LAW)


def test_a_share_of_the_obligation() -> None:
    assert credit_limit(1_000_010, 2021, limit_share=Decimal("0.05")) == 50_000
    assert credit_limit([100, 19], 2021, limit_share=Decimal("0.05")).tolist() == [5, 0]
    assert credit_limit(100, [2018, 2021, 2025], limit_share={2018: Decimal("0.10"), 2021: Decimal("0.05")}).tolist() == [10, 5, 5]
    assert credit_limit(100, 2021, limit_share=None) == 0
    assert credit_limit(NONE, NONE, limit_share=Decimal("0.05")).tolist() == []


@given(st.integers(0, 10**9), st.integers(0, 10**6), st.decimals(0, 1, places=4))
def test_a_share_is_never_more_than_the_whole_and_never_falls_with_it(obligation: int, more: int, share: Decimal) -> None:
    limit = credit_limit(obligation, 2021, limit_share=share)
    assert 0 <= limit <= obligation
    assert credit_limit(obligation + more, 2021, limit_share=share) >= limit


def test_up_to_the_share_and_up_to_the_gap():
    offered, verified = [80_000, 180_000, 80_000, 10], [1_060_000, 1_260_000, 1_000_000, 900_000]
    assert gap_credits(offered, 1_000_000, verified, gap_credit_share=Decimal("0.10")).tolist() == [60_000, 100_000, 0, 0]
    assert gap_credits(5, 1_000_000, 1_060_000, gap_credit_share=Decimal("0.10")) == 5


def test_two_kinds_share_a_limit():
    law = {"share_by_kind": {"offset": Decimal("0.20"), "programme": Decimal("0.10")}, "share_of_all_kinds": Decimal("0.20")}
    assert credits_accepted(1_000_000, {"offset": 150_000, "programme": 80_000}, **law) == 200_000
    assert credits_accepted(1_000_000, {"offset": 50_000, "programme": 130_000}, **law) == 150_000
    assert credits_accepted(0, {"offset": 1}, **law) == 0
    with pytest.raises(ValueError, match="kinds are offset, programme"):
        credits_accepted(1, {"tree": 1}, **law)
