"""A target for a period of years."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.allocation.compliance_factor import allocation, period_limit, reduction_obligation

FACTORS = {2010: {"a": Decimal("0.08"), "b": Decimal("0.06")}, 2015: {"a": Decimal("0.17"), "b": Decimal("0.15")}}
ENDS = {year: 2014 for year in range(2010, 2015)} | {year: 2019 for year in range(2015, 2020)}
RELIEF = {"top": Decimal("0.5"), "near_top": Decimal("0.75")}


def test_a_limit_is_the_base_less_the_factor_of_the_period():
    assert allocation(2010, "a", "", 10_000, compliance_factor=FACTORS) == 9_200
    assert allocation(2014, "b", "", 10_000, compliance_factor=FACTORS) == 9_400
    assert allocation(2016, "a", "", 10_000, compliance_factor=FACTORS) == 8_300
    columns = allocation(2016, ["a", "b"], "", [10_000, 1], compliance_factor=FACTORS)
    assert columns.tolist() == [8_300, 1] and columns.dtype == np.int64
    assert allocation(2016, np.array([], dtype=object), "", np.zeros(0, dtype=np.int64), compliance_factor=FACTORS).shape == (0,)


def test_a_period_counts_all_its_years():
    assert period_limit(2012, "a", "", 10_000, compliance_factor=FACTORS, calendar__period_end=ENDS) == 46_000
    assert reduction_obligation(2012, "a", "", 10_000, compliance_factor=FACTORS, calendar__period_end=ENDS) == 4_000
    assert reduction_obligation(2019, "a", "top", 10_000, compliance_factor=FACTORS, calendar__period_end=ENDS, relief_share=RELIEF) == 4_250
    assert reduction_obligation(2019, "a", "near_top", 10_000, compliance_factor=FACTORS, calendar__period_end=ENDS, relief_share=RELIEF) == 6_375


@given(st.integers(0, 10**9), st.sampled_from(["a", "b"]), st.sampled_from(["", "top", "near_top"]))
def test_what_may_be_emitted_and_what_must_be_reduced_add_up(base, group, standing):
    law = {"compliance_factor": FACTORS, "calendar__period_end": ENDS, "relief_share": RELIEF}
    assert period_limit(2017, group, standing, base, **law) + reduction_obligation(2017, group, standing, base, **law) == 5 * base


def test_what_the_law_does_not_know_is_refused():
    with pytest.raises(ValueError, match="first period begins in 2010"):
        allocation(2009, "a", "", 1, compliance_factor=FACTORS)
    with pytest.raises(ValueError, match="the law has a, b"):
        allocation(2010, "c", "", 1, compliance_factor=FACTORS)
    with pytest.raises(ValueError, match="is negative"):
        allocation(2010, "a", "", -1, compliance_factor=FACTORS)
