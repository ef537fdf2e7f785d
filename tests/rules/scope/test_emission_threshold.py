"""Who must take part by its yearly emissions, who may by choice, who may leave again, who must report and who surrender."""

from __future__ import annotations

import numpy as np
import pytest

from tonne.rules.scope.emission_threshold import importer_is_covered, is_covered, leaves, may_opt_in, must_report, must_surrender

LAW = {"covered_emissions_from": {"all": 25_000, "power": 10_000}}


@pytest.mark.parametrize(
    ("emissions", "sector", "covered", "chosen"),
    [(25_000, "steel", True, False), (24_999, "steel", False, True), (10_000, "power", True, False), (9_999, "power", False, False)],
)
def test_in_by_emissions_or_by_choice(emissions, sector, covered, chosen):
    assert is_covered(emissions, sector, **LAW) is covered
    assert may_opt_in(emissions, sector, opt_in_from={"all": 10_000}, **LAW) is chosen
    assert may_opt_in(emissions, sector, **LAW) is False


def test_columns_and_a_sector_without_a_threshold():
    emissions, sectors = np.array([30_000, 9_999, 12_000]), ["steel", "power", "power"]
    assert is_covered(emissions, sectors, **LAW).tolist() == [True, False, True]
    assert is_covered(10**9, "farming", covered_emissions_from={"power": 10_000}) is False
    assert is_covered(np.zeros(0, dtype=np.int64), **LAW).shape == (0,)


def test_out_after_so_many_years_below():
    law = {"covered_emissions_from": {"all": 10_000}, "years_below_to_leave": 3}
    assert leaves([20_000, 9_999, 9_999, 0], **law) is True
    assert leaves([9_999, 10_000, 9_999], **law) is False
    assert leaves([9_999, 9_999], **law) is False
    assert leaves([], **law) is False


def test_an_importer_above_its_threshold():
    assert importer_is_covered(np.array([10_000, 10_001]), covered_imports_above=10_000).tolist() == [False, True]


def test_rows_of_many_years() -> None:
    law = {"covered_emissions_from": {"power": 26_000}, "years_below_to_leave": 2}
    assert is_covered([25_999, 26_000], "power", covered_emissions_from={"power": 26_000}).tolist() == [False, True]
    assert leaves([25_000, 25_999], "power", **law) is True
    assert leaves([[25_000, 26_000], [25_999, 25_999]], ["power", "power"], **law).tolist() == [True, False]
    assert leaves(np.zeros((2, 0), dtype=np.int64), "power", **law).tolist() == []


def test_the_bounds_themselves_are_free() -> None:
    assert [must_report(e, reports_above=10_000) for e in (9_999, 10_000, 10_001)] == [False, False, True]
    assert must_surrender([24_999, 25_000, 25_001], surrenders_above=25_000).tolist() == [False, False, True]
    assert must_report(np.zeros(0, dtype=np.int64), reports_above=10_000).tolist() == []


def test_less_than_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="less than nothing"):
        must_report(-1, reports_above=10_000)
