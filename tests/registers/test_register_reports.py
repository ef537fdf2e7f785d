"""The register of reports: totals, the life of a report, corrections that keep what was, and the cumulative status."""

from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.registers.activity import Activity
from tonne.registers.errors import RegisterError
from tonne.registers.reports import REPORT_SCHEMA, Reports, status


def some() -> Reports:
    rows = [
        {"installation": "A", "year": 2013, "allocated": 5, "verified": 10, "state": "verified", "surrendered": 10},
        {"installation": "A", "year": 2014, "allocated": 5, "verified": 10, "state": "verified", "surrendered": 8},
        {"installation": "A", "year": 2015, "allocated": 5, "verified": 10, "state": "verified", "surrendered": 12},
        {"installation": "B", "year": 2013, "allocated": 1, "verified": None, "state": "not_reported", "surrendered": None},
        {"installation": "B", "year": 2014, "allocated": 1, "verified": None, "state": "excluded", "surrendered": None},
        {"installation": "B", "year": 2015, "allocated": 1, "verified": 7, "state": "verified", "surrendered": 7},
    ]
    return Reports(pl.DataFrame(rows))


def letters(reports: Reports, from_year: int | None = None) -> dict[str, str]:
    frame = reports.statuses(from_year).group_by("installation", maintain_order=True).agg(pl.col("status").str.join(""))
    return dict(frame.rows())


@pytest.mark.parametrize(
    ("arguments", "letter"),
    [
        ((60, 60, False, {}), "A"),
        ((59, 60, False, {}), "B"),
        ((61, 60, False, {}), "A"),
        ((0, 0, False, {}), "A"),
        ((60, 60, True, {}), "C"),
        ((59, 60, False, {"corrected_after_deadline": True}), "D"),
        ((60, 60, False, {"corrected_after_deadline": True}), "E"),
        ((60, 60, True, {"corrected_after_deadline": True}), "C"),
        ((0, 60, True, {"no_obligation": True}), "-"),
        ((0, 60, True, {"no_obligation": True, "suspended": True}), "X"),
    ],
)
def test_status_of_one_row(arguments, letter):
    *figures, others = arguments
    assert status(*figures, **others).item() == letter


def test_status_of_many_rows_and_of_none():
    many = status([1, 2, 3], [2, 2, 2], [False, False, True], suspended=np.array([False, False, False]))
    assert many.tolist() == ["B", "A", "C"]
    assert status([], [], []).tolist() == []


def test_status_does_not_lose_the_last_unit_of_large_sums():
    assert status(2**53, 2**53 + 1, False).item() == "B"


def test_the_status_is_cumulative_and_a_gap_is_open_until_a_figure_comes():
    # A is 2 short in 2014 and makes good in 2015; B misses 2013, owes nothing in 2014, reports again in 2015.
    assert letters(some()) == {"A": "ABA", "B": "CCA"}
    assert letters(some(), 2014) == {"A": "BA", "B": "AA"}
    assert letters(some(), 2015) == {"A": "A", "B": "A"}


def test_totals_by_year():
    row = some().totals().row(0, named=True)
    assert row["verified"] == 10 and row["surrendered"] == 10 and row["installations_with_verified"] == 1
    assert row["allocated"] == row["allocated_total"] == 6
    assert some().years() == [2013, 2014, 2015]
    assert some().for_year(2013).height == 2
    assert Reports.empty().totals().height == 0
    assert Reports.empty().statuses().height == 0


def test_a_report_is_made_rejected_made_again_and_verified():
    reports = some().report("B", 2013, 6)
    assert reports.lookup("B", 2013)["verified"] is None
    with pytest.raises(RegisterError, match="rejected; a new one must come first"):
        reports.reject("B", 2013).verify("B", 2013)
    done = reports.reject("B", 2013).report("B", 2013, 7).verify("B", 2013)
    assert (done.lookup("B", 2013)["verified"], done.lookup("B", 2013)["state"]) == (7, "verified")
    assert some().lookup("B", 2013)["state"] == "not_reported"
    assert letters(done)["B"] == "BBB"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda r: r.report("A", 2013, 3), "is verified and cannot be reported; use correct"),
        (lambda r: r.reject("B", 2013), "is not_reported and cannot be rejected"),
        (lambda r: r.verify("B", 2013), "has reported nothing for 2013"),
        (lambda r: r.report("B", 2013, -1), "whole number of tonnes"),
        (lambda r: r.report("B", 2013, 1.5), "whole number of tonnes"),
        (lambda r: r.correct("B", 2013, 1, True), "is not_reported and cannot be corrected"),
        (lambda r: r.lookup("Z", 2013), "nothing is recorded for 'Z' in 2013"),
        (lambda r: r.add({"installation": "A", "year": 2013}), "come more than once, such as A/2013"),
        (lambda r: r.add({"installation": "Z", "year": 2013, "verified": 3}), "against their state"),
        (lambda r: r.add({"installation": "Z", "year": 2013, "allocated": -3}), "below zero"),
        (lambda r: r.add({"installation": "Z", "year": 2013, "state": "lost"}), "may be one of"),
        (lambda r: r.verify_many(pl.DataFrame({"installation": ["Z"], "year": [2013], "verified": [1]})), "not on record, such as 'Z'"),
        (lambda r: r.verify_many(pl.DataFrame({"installation": ["A"], "year": [2013], "verified": [1]})), "which is verified"),
        (lambda r: r.with_surrendered(pl.DataFrame({"installation": ["Z"], "year": [2013], "surrendered": [1]})), "1 rows not on record"),
    ],
)
def test_refusals_name_the_row_and_the_reason(change, reason):
    with pytest.raises(RegisterError, match=reason):
        change(some())


def test_a_correction_keeps_what_stood_there_and_who_changed_it():
    reports = some().correct("A", 2013, 11, True, by="authority", on=date(2014, 9, 1), reason="meter")
    reports = reports.correct("A", 2013, 9, True, by="authority")
    assert reports.corrections["before"].to_list() == [10, 11]
    assert reports.corrections["after"].to_list() == [11, 9]
    assert reports.corrections["state_before"].to_list() == ["verified", "corrected"]
    assert reports.corrections.row(0)[-3:] == ("authority", date(2014, 9, 1), "meter")
    assert reports.lookup("A", 2013)["verified"] == 9
    assert letters(reports)["A"] == "EBA"


def test_only_a_correction_after_the_deadline_has_a_letter_of_its_own():
    assert letters(some().correct("A", 2013, 12, True))["A"] == "DBB"
    assert letters(some().correct("A", 2013, 12, False))["A"] == "BBB"


def test_many_figures_are_verified_and_many_units_surrendered_at_once():
    reports = some().verify_many(pl.DataFrame({"installation": ["B"], "year": [2013], "verified": [4]}))
    reports = reports.with_surrendered(pl.DataFrame({"installation": ["B", "A"], "year": [2013, 2014], "surrendered": [4, 10]}))
    assert letters(reports) == {"A": "AAA", "B": "AAA"}
    assert some().estimate("B", 2013, 9).lookup("B", 2013)["verified"] == 9
    assert some().exclude("B", 2013).lookup("B", 2013)["state"] == "excluded"


def test_bytes_carry_the_rows_and_the_corrections():
    reports = some().correct("A", 2013, 11, True, on=date(2014, 9, 1))
    again = Reports.from_bytes(reports.to_bytes())
    assert again == reports and again.to_bytes() == reports.to_bytes()
    assert again.only(["B"]).corrections.height == 0
    assert again.only(years=(2014, 2015)).years() == [2014, 2015]


figures = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50), st.booleans()), min_size=1, max_size=8)


@given(figures)
def test_statuses_agree_with_sums_written_out_year_by_year(years):
    frame = pl.DataFrame(
        {
            "installation": "A",
            "year": range(2013, 2013 + len(years)),
            "verified": [None if missing else verified for _, verified, missing in years],
            "surrendered": [surrendered for surrendered, _, _ in years],
            "state": ["not_reported" if missing else "verified" for _, _, missing in years],
        },
        schema_overrides={"verified": pl.Int64},
    )
    held = owed = 0
    expected = ""
    for surrendered, verified, missing in years:
        held += surrendered
        owed += 0 if missing else verified
        expected += "C" if missing else "A" if held >= owed else "B"
    assert letters(Reports(frame))["A"] == expected


@given(st.permutations(list(range(6))), st.integers(1, 5))
def test_equal_content_is_equal_in_bytes_whatever_the_order_and_the_chunks(order, cut):
    frame = some().frame[order]
    assert Reports(pl.concat([frame[:cut], frame[cut:]])).to_bytes() == some().to_bytes()


def test_the_schema_is_kept():
    assert some().frame.schema == pl.Schema(REPORT_SCHEMA)


def test_activity_has_one_row_per_unit_and_year():
    row = {"installation": "A", "unit": "1", "year": 2020, "product": "clinker", "quantity": 5}
    activity = Activity.empty().add(row).add({**row, "unit": "2", "load": "0.5", "rated_mw": 300})
    assert activity.totals().row(0) == (2020, "clinker", 10, 0, 2)
    assert activity.for_year(2020).height == activity.for_installation("A").height == 2
    assert Activity.from_bytes(activity.to_bytes()) == activity
    with pytest.raises(RegisterError, match="come more than once, such as A/1/2020"):
        activity.add(row)
    with pytest.raises(RegisterError, match=r"below zero in \['quantity'\]"):
        activity.add({**row, "year": 2021, "quantity": -1})
