"""The quantity of a phase from its parts."""

import pytest

from tonne.rules.phase_budgets import phase_total, phase_total_before_reserves

PARTS = {"phase_parts": {1: {"year_2015": 540_100_000, "year_2016": 560_700_000, "year_2017": 585_500_000, "stabilisation_reserve": 14_300_000}}}


def test_phases() -> None:
    assert phase_total(1, **PARTS) == 1_700_600_000
    assert phase_total_before_reserves(1, **PARTS) == 1_686_300_000
    with pytest.raises(ValueError, match="no plan for phase 2"):
        phase_total(2, **PARTS)
