"""Credits in place of allowances: how many, and which."""

from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.credits import credit_is_eligible, credit_limit_by_entitlement, credit_limit_by_share

PHASES = {
    "installation_share": {2008: Decimal("0.134"), 2013: Decimal("0.11"), 2021: 0},
    "new_entrant_share": {2013: Decimal("0.045"), 2021: 0},
    "aircraft_share": {2012: Decimal("0.15"), 2013: Decimal("0.015"), 2021: 0},
}
QUALITY = {"accepted_credits": ["CER", "ERU"], "excluded_project_types": ["nuclear", "hfc_23"], "registered_until": date(2012, 12, 31)}
NONE = np.zeros(0, dtype=np.int64)


def test_a_share_of_the_obligation() -> None:
    assert credit_limit_by_share(1_000_010, 2021, limit_share=Decimal("0.05")) == 50_000
    assert credit_limit_by_share([100, 19], 2021, limit_share=Decimal("0.05")).tolist() == [5, 0]
    assert credit_limit_by_share(100, [2018, 2021, 2025], limit_share={2018: Decimal("0.10"), 2021: Decimal("0.05")}).tolist() == [10, 5, 5]
    assert credit_limit_by_share(100, 2021, limit_share=None) == 0
    assert credit_limit_by_share(NONE, NONE, limit_share=Decimal("0.05")).tolist() == []


@given(st.integers(0, 10**9), st.integers(0, 10**6), st.decimals(0, 1, places=4))
def test_a_share_is_never_more_than_the_whole_and_never_falls_with_it(obligation: int, more: int, share: Decimal) -> None:
    limit = credit_limit_by_share(obligation, 2021, limit_share=share)
    assert 0 <= limit <= obligation
    assert credit_limit_by_share(obligation + more, 2021, limit_share=share) >= limit


def test_entitlements() -> None:
    assert credit_limit_by_entitlement(1_000_000, 2014, **PHASES) == 110_000
    assert credit_limit_by_entitlement(1_000_000, 2014, "installation", 134_000, **PHASES) == 134_000
    assert credit_limit_by_entitlement(1_000_000, 2022, "installation", 134_000, **PHASES) == 0
    got = credit_limit_by_entitlement([100_010] * 3, [2014, 2012, 2014], ["new_entrant", "aircraft_operator", "aircraft_operator"], **PHASES)
    assert got.tolist() == [4_500, 15_001, 1_500]
    assert credit_limit_by_entitlement(NONE, NONE, **PHASES).tolist() == []
    with pytest.raises(ValueError, match="no credit limit"):
        credit_limit_by_entitlement(1, 2007, **PHASES)
    with pytest.raises(ValueError, match="no kind"):
        credit_limit_by_entitlement(1, 2014, "ship", **PHASES)


def test_eligibility() -> None:
    assert credit_is_eligible("CER", "wind", date(2012, 12, 31), **QUALITY) is True
    assert credit_is_eligible("CER", "wind", date(2013, 1, 1), **QUALITY) is False
    assert credit_is_eligible("CER", "wind", date(2013, 1, 1), True, **QUALITY) is True
    days = [date(2008, 1, 1)] * 3
    assert credit_is_eligible(["CER", "tCER", "ERU"], ["hfc_23", "wind", "wind"], days, **QUALITY).tolist() == [False, False, True]
    assert credit_is_eligible("CER", "wind", date(2008, 1, 1), accepted_credits=None) is False
    assert credit_is_eligible([], [], np.array([], dtype="datetime64[D]"), **QUALITY).tolist() == []
