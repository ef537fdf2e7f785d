"""Reports, compliance, the public register and allocation, against the registers walked through row by row."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest
from small_markets import Desk, eu, figures, surrender, tiny_folder, tiny_market

import tonne
from tonne.administration.allocate import GIVEN
from tonne.interfaces.views import allocation, compliance, participants, reports
from tonne.interfaces.views.cache import Cache
from tonne.interfaces.views.found import NotFound

TODAY = date(2020, 2, 1)


def test_reports_of_a_year_with_last_years_beside(market: Desk) -> None:
    market.advance("2020-12-31")
    market.accept("report", day="2021-01-10", tables={"reports": figures(2020, A1=735)})
    frame = reports.reports(market.state, 2020, date(2021, 1, 10))
    told = frame.select("installation", "operator", "state", "figure", "last_year", "change", "change_permille", "late").rows()
    assert told == [("A1", "alice", "reported", 735, 700, 35, 50, False), ("B1", "bob", "no_entry", None, 600, None, None, False)]
    late = reports.reports(market.state, 2020, date(2021, 4, 1))
    assert late["late"].to_list() == [True, True]  # nobody verified the one, the other was never sent
    assert reports.counts(market.state, 2020, date(2021, 1, 10)) == dict.fromkeys(
        ("no_entry", "not_reported", "reported", "rejected", "verified", "estimated", "corrected", "excluded", "late"), 0
    ) | {"no_entry": 1, "reported": 1}
    assert reports.reports(market.state, 2020, TODAY, operator="bob")["installation"].to_list() == ["B1"]
    assert reports.reports(market.state, 2020, TODAY, states=("verified",)).height == 0


def test_the_inbox_of_a_verifier_is_what_nobody_verified(market: Desk, cache: Cache) -> None:
    waits = reports.inbox(market.state, TODAY, cache=cache)
    assert waits.select("installation", "year", "reported", "due", "days_left").rows() == [("B1", 2019, 600, date(2020, 3, 31), 59)]
    market.accept("verify", by="vera", tables={"reports": {"installation": ["B1"], "year": [2019], "verified": [600]}})
    assert reports.inbox(market.state, TODAY, cache=cache).height == 0


def test_one_report_with_its_corrections(market: Desk) -> None:
    market.accept("correct_report", installation="A1", year=2019, verified=710, reason="a slip")
    one = reports.report(market.state, "A1", 2019, TODAY)
    assert (one.state, one.reported, one.verified, one.due, one.last_year) == ("corrected", 700, 710, None, None)
    assert one.corrections.select("before", "after", "reason", "after_deadline").rows() == [(700, 710, "a slip", False)]
    waiting = reports.report(market.state, "B1", 2019, TODAY)
    assert (waiting.state, waiting.due, waiting.days_left, waiting.operator) == ("reported", date(2020, 3, 31), 59, "bob")
    nothing = reports.report(market.state, "B1", 2020, TODAY)
    assert (nothing.state, nothing.last_year, nothing.last_year_state) == ("no_entry", 600, "reported")
    with pytest.raises(NotFound):
        reports.report(market.state, "C1", 2019, TODAY)


@pytest.mark.parametrize(
    ("change", "last", "permille"), [(35, 700, 50), (-35, 700, -50), (1, 3, 333), (2, 3, 667), (1, 2000, 1), (-1, 2000, -1), (5, 0, None)]
)
def test_thousandths_are_rounded_to_the_nearest(change: int, last: int, permille: int | None) -> None:
    frame = pl.DataFrame({"change": [change], "last": [last]})
    assert frame.select(reports.permille(pl.col("change"), pl.col("last"))).item() == permille


def test_nothing_of_compliance_before_it_is_judged(market: Desk) -> None:
    before = compliance.compliance(market.state, 2019)
    assert (before.published, before.expected, before.rows.height, before.letters) == (None, date(2020, 4, 30), 0, {})
    public = participants.installation(market.state, "A1").years.to_dicts()
    assert [(row["year"], row["verified"], row["state"]) for row in public if row["year"] == 2019] == [(2019, None, "")]
    own = participants.installation(market.state, "A1", public=False).years.to_dicts()
    assert [(row["verified"], row["state"]) for row in own if row["year"] == 2019] == [(700, "verified")]
    assert compliance.judged_years(market.state) == [] and compliance.gaps(market.state, 2019)["installations"].sum() == 0


def test_the_judgement_short_first(market: Desk, cache: Cache) -> None:
    market.accept("verify", tables={"reports": {"installation": ["B1"], "year": [2019], "verified": [600]}})
    surrender(market, 2019, A1=700, B1=450)
    market.advance("2020-04-30")
    found = compliance.compliance(market.state, 2019, cache=cache)
    assert (found.published, found.letters, found.missing, found.fine_low_minor) == (date(2020, 4, 30), {"B": 1, "A": 1}, 150, None)
    assert found.rows.select("installation", "owed", "surrendered", "missing", "letter").rows() == [
        ("B1", 600, 450, 150, "B"),
        ("A1", 700, 700, 0, "A"),
    ]
    market.advance("2020-05-01")
    fined = compliance.compliance(market.state, 2019, cache=cache)
    assert (fined.fine_low_minor, fined.rows["fine_low_minor"].to_list()) == (150 * 100_00, [150 * 100_00, 0])
    bob = participants.participant(market.state, "bob", cache=cache)
    (year,) = [row for row in bob.years.to_dicts() if row["year"] == 2019]
    assert (year["verified"], year["surrendered"], year["letters"], year["fine_low_minor"]) == (600, 450, "B", 150 * 100_00)


def test_the_worst_come_first_and_gaps_are_counted_in_bands(ran: Any) -> None:
    state = ran.outcome.state
    found = compliance.compliance(state, 2022)
    judged = {row["installation"]: row for row in state.statuses.filter(pl.col("year") == 2022, ~pl.col("interim")).to_dicts()}
    judged.pop("remainder", None)
    assert found.installations == len(judged) == 60
    assert found.letters == {letter: sum(row["status"] == letter for row in judged.values()) for letter in ("B", "A")} and found.letters["B"] >= 1
    assert found.rows["letter"].to_list() == sorted(found.rows["letter"].to_list(), key="CDBEXA-".index)
    assert found.missing == sum(max(row["owed"] - row["surrendered"], 0) for row in judged.values())
    given = dict(state.entitlements.filter(pl.col("year") == 2022).select("installation", "quantity").iter_rows())
    emitted = {row["installation"]: row["verified"] for row in state.reports.for_year(2022).to_dicts() if row["verified"]}
    bands = compliance.gaps(state, 2022).to_dicts()
    for band in bands:
        low, high = band["from_permille"], band["to_permille"]
        inside = [name for name, tonnes in emitted.items() if _between(1_000 * (given.get(name, 0) - tonnes), tonnes, low, high)]
        assert (band["installations"], band["verified"]) == (len(inside), sum(emitted[name] for name in inside))
    assert sum(band["installations"] for band in bands) == 60


def _between(part: int, whole: int, low: int | None, high: int | None) -> bool:
    return (low is None or part >= low * whole) and (high is None or part < high * whole)


def test_sectors_beside_each_other(ran: Any) -> None:
    state = ran.outcome.state
    frame = compliance.by_sector(state)
    sectors = dict(state.installations.frame.select("installation", "sector").iter_rows())
    sums: dict[tuple[str, int], int] = {}
    for row in state.reports.frame.to_dicts():
        key = (sectors[row["installation"]], row["year"])
        sums[key] = sums.get(key, 0) + (row["verified"] or 0)
    assert {(row["sector"], row["year"]): row["verified"] for row in frame.to_dicts()} == sums


def test_the_public_register(ran: Any, market: Desk) -> None:
    state = ran.outcome.state
    frame = participants.register(state)
    assert frame.height == 60 and set(frame["operator"].to_list()) <= set(state.accounts.holders)
    everybody = participants.participants(state)
    assert everybody.filter(pl.col("role") == "operator")["installations"].sum() == 60
    assert participants.participants(state, role="verifier")["participant"].to_list() == ["verifier"]
    small = participants.participants(market.state)
    assert dict(small.select("participant", "role").iter_rows())["bob"] == "operator"
    assert dict(small.select("participant", "name").iter_rows())["tom"] == "Tom"
    with pytest.raises(NotFound) as lost:
        participants.participant(market.state, "alica")
    assert "alice" in lost.value.near
    one = participants.installation(state, frame["installation"][0])
    assert one.register["permit"] == frame["permit"][0]


def test_yearly_surrender_is_what_moved_between_two_judgements(ran: Any) -> None:
    state = ran.outcome.state
    frame = participants.years(state)
    for year, since in ((2021, date(2021, 1, 1)), (2022, date(2022, 5, 1))):
        until = date.fromisoformat(state.done[f"surrender:{year}"])
        rows = state.books.transfers[state.books.transfers["to_account"] == state.accounts.number("surrendered")]
        epoch = date(1970, 1, 1)
        own: dict[str, int] = {}
        for row in rows:
            if (since - epoch).days <= row["day"] <= (until - epoch).days:
                name = state.accounts.installations[row["from_account"]]
                own[name] = own.get(name, 0) + int(row["quantity"])
        told = dict(frame.filter(pl.col("year") == year).select("installation", "surrendered").iter_rows())
        assert {name: units for name, units in told.items() if units} == own


# -- allocation


def test_a_rule_is_told_line_by_line(ran: Any, cache: Cache) -> None:
    state = ran.outcome.state
    given = dict(state.entitlements.filter(pl.col("year") == 2022).select("installation", "quantity").iter_rows())
    activity = state.activity.for_year(2022)
    for name in sorted(given)[:12]:
        found = allocation.allocation(state, name, 2022, date(2023, 9, 1), cache=cache)
        assert (found.source, found.why, found.computed, found.granted, found.returned) == ("rule", "", given[name], given[name], 0)
        assert [line.quantity for line in found.lines] == activity.filter(pl.col("installation") == name)["quantity"].to_list()
        assert sum(line.result or 0 for line in found.lines) == given[name]
        (entitlement,) = found.entitlements
        assert entitlement.explained and entitlement.done == found.day
    line = found.lines[0]
    assert line.formula is not None
    benchmark = next(piece for piece in line.formula.pieces if piece.path == "allocation.benchmark")
    assert benchmark.row == line.product and benchmark.value == state.law(found.day).value("allocation.benchmark")[line.product]
    assert benchmark.source and benchmark.confidence


def test_the_authoritys_own_table_says_that_it_is_one(market: Desk) -> None:
    market.accept("entitle", tables={"entitlements": {"installation": ["A1"], "year": [2020], "quantity": [321]}})
    market.advance("2020-03-01")
    found = allocation.allocation(market.state, "A1", 2020, TODAY)
    assert (found.source, found.lines, found.why, found.granted) == ("authority", (), "no_activity", 321)
    assert [(one.basis, one.quantity, one.explained, one.done) for one in found.entitlements] == [(GIVEN, 321, False, date(2020, 2, 28))]
    nothing = allocation.allocation(market.state, "B1", 2020, TODAY)
    assert (nothing.source, nothing.entitlements, nothing.computed, nothing.granted) == ("none", (), None, 0)
    with pytest.raises(NotFound):
        allocation.allocation(market.state, "B2", 2020, TODAY)


def test_a_law_without_a_rule_and_one_without_an_answer(tmp_path: Any) -> None:
    desk = tiny_market(tiny_folder(tmp_path / "tiny"))
    row = {"installation": ["A1"], "unit": ["1"], "year": [2020], "sector": ["heat"], "product": ["heat"], "quantity": [10]}
    desk.accept("file_activity", tables={"activity": pl.DataFrame(row)})
    assert allocation.allocation(desk.state, "A1", 2020, desk.state.today).why == "no_rule"
    market = eu(2019)
    market.accept("file_activity", tables={"activity": pl.DataFrame(row | {"year": [2019], "product": ["no such product"]})})
    found = allocation.allocation(market.state, "A1", 2019, date(2019, 1, 1))
    assert (found.why, found.computed, [line.result for line in found.lines]) == ("no_answer", None, [None])


def test_an_empty_market() -> None:
    state = Desk(tonne.rulebook("eu-ets"), "2019-01-01", 2019).state
    assert participants.register(state).height == participants.years(state).height == 0
    assert participants.participants(state).height == reports.inbox(state, TODAY).height == 0
    assert reports.reports(state, 2019, TODAY).height == 0 and compliance.by_sector(state).height == 0
    assert compliance.compliance(state, 2019).installations == 0
