"""Who complied: missing reports, corrections after the deadline, interim tests, fines in money and in units, what stays owed."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_markets import TINY, Desk, emitted, eu, figures, installations, surrender, tiny_folder, tiny_market

import tonne
from tonne.administration.surrender import owed_by_installation


def year_end(desk: Desk, year: int, emissions: dict[str, int], units: dict[str, int], until: str = "05-01") -> None:
    """Report on 1 March, surrender on 30 March, and let the law judge."""
    desk.accept("add_unit_type", day=f"{year + 1}-03-01", code=f"day-{year}", kind="mark", measure="tonne")
    if emissions:
        emitted(desk, year, **emissions)
    given = {name: quantity for name, quantity in units.items() if quantity}
    if given:
        surrender(desk, year, **given)
    desk.advance(f"{year + 1}-{until}")


def small(desk: Desk) -> Desk:
    """Auctions of nothing, so that a market of two plants lives on what it was given."""
    for year in range(2019, 2024):
        desk.accept("auction_calendar", year=year, volume=0)
    return desk


def test_a_missing_report_stays_missing_until_a_figure_comes() -> None:
    desk = small(eu())
    year_end(desk, 2019, {"A1": 100}, {"A1": 100})
    assert desk.status("A1", 2019) == (100, 100, "A")
    assert desk.status("B1", 2019) == (0, 0, "C")
    assert desk.state.reports.lookup("B1", 2019)["state"] == "not_reported"
    desk.accept("verify", tables={"reports": {"installation": ["B1"], "year": [2020], "verified": [None], "state": ["excluded"]}})
    year_end(desk, 2020, {"A1": 100}, {"A1": 100})
    assert desk.status("B1", 2020)[2] == "C"  # excluded since, but what was due is missing all the same
    late = {"installation": ["B1"], "year": [2019], "verified": [60]}
    desk.accept("verify", tables={"reports": late})
    year_end(desk, 2021, {"A1": 100, "B1": 10}, {"A1": 100, "B1": 70})
    assert desk.status("B1", 2021) == (70, 70, "A")
    assert desk.status("B1", 2020)[2] == "C"  # what was decided stays decided
    desk.check()


def test_a_correction_after_the_deadline_is_judged_again() -> None:
    desk = small(eu())
    year_end(desk, 2019, {"A1": 100, "B1": 60}, {"A1": 100, "B1": 80})
    assert (desk.status("A1", 2019), desk.status("B1", 2019)) == ((100, 100, "A"), (60, 80, "A"))
    for name in ("A1", "B1"):
        desk.accept("correct_report", day="2020-06-01", installation=name, year=2019, verified=70 if name == "B1" else 110, reason="an audit")
    assert desk.status("A1", 2019) == (110, 100, "D")
    assert desk.status("B1", 2019) == (70, 80, "E")
    assert desk.fine("A1", 2019) is None  # who surrendered what was verified then is not fined for what came out later
    year_end(desk, 2020, {"A1": 50, "B1": 0}, {"A1": 50})
    assert desk.status("A1", 2020) == (160, 150, "B")
    fine = desk.fine("A1", 2020)
    assert fine is not None and fine["shortfall"] == 10  # but for not making it good by the next deadline
    year_end(desk, 2021, {"A1": 5, "B1": 0}, {"A1": 15})
    assert desk.status("A1", 2021) == (165, 165, "A")
    desk.check()


def test_a_correction_before_the_deadline_is_just_another_figure() -> None:
    desk = small(eu())
    desk.accept("add_unit_type", day="2020-03-01", code="day", kind="mark", measure="tonne")
    emitted(desk, 2019, A1=100, B1=0)
    desk.accept("correct_report", day="2020-04-30", installation="A1", year=2019, verified=90, reason="a slip")
    surrender(desk, 2019, A1=90)
    desk.advance("2020-05-01")
    assert desk.status("A1", 2019) == (90, 90, "A")
    desk.check()


def test_each_missing_unit_is_fined_once() -> None:
    """B1 lacks 40 of 2019, makes them good while lacking nothing else; then lacks 30 of 2021: those are other units."""
    desk = small(eu())
    year_end(desk, 2019, {"A1": 0, "B1": 100}, {"B1": 60})
    year_end(desk, 2020, {"A1": 0, "B1": 50}, {"B1": 50})  # what is surrendered in a year covers that year first
    assert desk.status("B1", 2020) == (150, 110, "B") and desk.fine("B1", 2020) is None  # the same 40 units
    year_end(desk, 2021, {"A1": 0, "B1": 50}, {"B1": 90})
    assert desk.status("B1", 2021) == (200, 200, "A")
    year_end(desk, 2022, {"A1": 0, "B1": 50}, {"B1": 20})
    year_end(desk, 2023, {"A1": 0, "B1": 50}, {"B1": 45}, until="10-01")
    fines = [(row["year"], row["shortfall"]) for row in desk.state.fines.iter_rows(named=True)]
    assert fines == [(2019, 40), (2022, 30), (2023, 5)]
    assert desk.fine("B1", 2019)["low_minor"] == 400_000  # type: ignore[index]
    desk.check()


@pytest.mark.parametrize(
    ("make_good", "released", "owed_after"), [(True, 0, 140 + 120 + 10), (False, 40, 100 + 120 + 10)], ids=["stays owed", "is released"]
)
def test_units_deducted_for_missing_units(tmp_path: Path, make_good: bool, released: int, owed_after: int) -> None:
    """Three for each of the 40 missing; whether the 40 stay owed beside them is for the law to say."""
    law = TINY["penalty"].replace("value: true", f"value: {str(make_good).lower()}")
    desk = tiny_market(tiny_folder(tmp_path / "tiny-ets", penalty=law))
    desk.advance("2020-01-01")
    desk.accept("open_balance", account="operator:B1", unit="TIN", quantity=500, source="a test")
    year_end(desk, 2020, {"A1": 0, "B1": 140}, {"B1": 100})
    fine = desk.fine("B1", 2020)
    assert fine is not None and (fine["shortfall"], fine["units"], fine["released"]) == (40, 120, released)
    note = desk.state.notice("penalties", 2020)
    assert (note["shortfall"], note["units"], note["released"]) == (40, 120, released)
    year_end(desk, 2021, {"A1": 0, "B1": 10}, {"B1": 10})
    assert desk.status("B1", 2021) == (owed_after, 110, "B")
    assert desk.fine("B1", 2021) is None  # what came on top is not fined again, nor are the 40
    year_end(desk, 2022, {"A1": 0, "B1": 20}, {"B1": owed_after - 110 + 20})
    assert desk.status("B1", 2022) == (owed_after + 20, owed_after + 20, "A")
    assert desk.state.fines.height == 1
    desk.check()


def test_a_control_period_with_interim_tests() -> None:
    """Half of each of the first two years at their ends, everything at the end of the third; three units for each that is missing then."""
    desk = Desk(tonne.rulebook("rggi"), "2018-01-01", 2018)
    desk.accept("register_installations", tables={"installations": installations("P1", "P2")})
    desk.advance("2018-01-01")
    for name in ("P1", "P2"):
        desk.accept("open_balance", account=f"operator:{name}", unit="CO2 allowance", quantity=1_000, source="a test")
    desk.advance("2018-12-01")
    for year, (first, second) in {2018: (100, 101), 2019: (100, 100), 2020: (100, 100)}.items():
        desk.accept("report", day=f"{year + 1}-01-15", tables={"reports": figures(year, P1=first, P2=second)})
        desk.accept("verify", tables={"reports": {"installation": ["P1", "P2"], "year": [year] * 2, "verified": [first, second]}})
        if year == 2018:
            assert owed_by_installation(desk.state, desk.command("surrender", day="2019-02-01"), 2018, True)["owed"].to_list() == [50, 51]
            surrender(desk, year, P1=50, P2=50)
        elif year == 2019:
            surrender(desk, year, P1=50, P2=51)
        else:
            surrender(desk, year, P1=200, P2=160)
        desk.advance(f"{year + 1}-03-02")
    assert desk.status("P1", 2018, interim=True) == (50, 50, "A")
    assert desk.status("P2", 2018, interim=True) == (51, 50, "B")
    assert desk.status("P2", 2019, interim=True) == (101, 101, "A")
    assert (desk.status("P1", 2020), desk.status("P2", 2020)) == ((300, 300, "A"), (301, 261, "B"))
    assert desk.state.notice("compliance", 2018) is None and desk.state.notice("interim_compliance", 2018)["statuses"] == {"A": 1, "B": 1}
    fine = desk.fine("P2", 2020)
    assert fine is not None and (fine["shortfall"], fine["units"], fine["released"], fine["low_minor"]) == (40, 120, 0, 0)
    desk.accept("correct_report", day="2021-06-01", installation="P1", year=2018, verified=90, reason="an audit")
    assert desk.status("P1", 2020) == (290, 300, "E")  # judged again at the end of the period, where it had been judged
    desk.check()


def test_a_fine_between_two_multiples_of_the_price() -> None:
    desk = Desk(tonne.rulebook("china-national-ets"), "2023-01-01", 2023)
    desk.accept("register_installations", tables={"installations": installations("P1")})
    desk.accept("open_balance", account="operator:P1", unit="CEA-2023", quantity=90_000, source="a test", year=2023)
    desk.advance("2024-03-01")
    emitted(desk, 2023, P1=100_000)
    desk.advance("2024-12-30")
    surrender(desk, 2023, P1=90_000)
    desk.advance("2024-12-31")
    assert "give mean_price" in desk.refuse("no_answer", "penalise", "law", day="2025-01-01", year=2023)
    assert desk.refuse("malformed", "penalise", "law", day="2025-01-01", year=2023, mean_price="low").startswith("mean_price 'low' is no price")
    desk.law("penalise", 2023, mean_price="70.00")
    fine = desk.fine("P1", 2023)
    assert fine is not None and (fine["low_minor"], fine["high_minor"], fine["units"]) == (350_000_000, 700_000_000, 0)
    desk.check()


def test_oldest_admissible_vintages_pay_first() -> None:
    desk = Desk(tonne.rulebook("china-national-ets"), "2021-01-01", 2021)
    desk.accept("register_installations", tables={"installations": installations("P1")})
    for vintage, quantity in ((2023, 5), (2022, 3), (2021, 4)):
        desk.accept("open_balance", account="operator:P1", unit=f"CEA-{vintage}", quantity=quantity, source="a test", year=vintage)
    surrender(desk, 2022, P1=6)
    assert [desk.held("operator:P1", f"CEA-{vintage}") for vintage in (2021, 2022, 2023)] == [0, 1, 5]
    reason = desk.refuse(
        "insufficient_balance", "surrender", day="2024-06-01", year=2022, tables={"surrenders": {"installation": ["P1"], "quantity": [2]}}
    )
    assert reason == "P1 surrenders 2 for 2022 and lacks 1"  # from 2023 on a later vintage does not pay an earlier year
    desk.check()
