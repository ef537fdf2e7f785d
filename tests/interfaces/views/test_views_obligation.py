"""What operators owe, counted here by hand: years, estimates, picks, penalties, previews; and that what is kept is dropped when it must be."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from small_markets import Desk, emitted, surrender, tiny_folder, tiny_market

import tonne
from tonne.interfaces.views.cache import Cache
from tonne.interfaces.views.found import NotFound
from tonne.interfaces.views.obligation import obligation, open_periods
from tonne.interfaces.views.surrendering import surrender_preview
from tonne.interfaces.views.working_days import working_days

TODAY = date(2020, 2, 1)


def test_a_verified_year_and_the_running_one_estimated_from_it(market: Desk, cache: Cache) -> None:
    found = obligation(market.state, "alice", TODAY, price=Decimal("25.10"), cache=cache)
    assert (found.period, found.deadline, found.days_left) == (2019, date(2020, 4, 30), 29 - 1 + 31 + 30)
    assert (found.owed, found.surrendered, found.missing, found.admissible, found.gap) == (700, 0, 700, 1_000, 0)
    assert (found.low_minor, found.high_minor, found.estimated) == (700 * 100_00, 700 * 100_00, False)
    last, running = found.periods
    assert [(one.year, one.basis, one.emissions, one.estimated, one.owed) for one in last.years] == [(2019, "verified", 700, False, 700)]
    assert [(one.year, one.basis, one.emissions, one.estimated, one.owed) for one in running.years] == [(2020, "last_year", 700, True, 700)]
    assert (running.owed, running.expected, running.missing, running.expected_missing, running.gap) == (700, 1_400, 700, 1_400, 400)
    assert running.cost_minor == 400 * 2510
    # what would be fined in 2020 is not fined again in 2021
    assert (last.penalty.shortfall, running.penalty.shortfall) == (700, 700)
    assert [(pick.unit, pick.available, pick.quantity) for pick in last.picks] == [("EUA", 1_000, 700)]
    assert [(way.way, way.quantity, way.until) for way in last.ways] == [("surrender", 700, date(2020, 4, 30))]


def test_what_is_only_reported_is_expected_and_not_owed(market: Desk) -> None:
    found = obligation(market.state, "bob", TODAY)
    (last, _) = found.periods
    assert (last.owed, last.expected, last.missing, last.expected_missing) == (0, 600, 0, 600)
    assert (last.estimated, last.years[0].basis, last.years[0].state) == (True, "reported", "reported")
    assert (last.admissible, last.gap, last.cost_minor) == (500, 100, None)


def test_the_formula_names_the_figure_of_the_law_and_its_source(market: Desk) -> None:
    penalty = obligation(market.state, "alice", TODAY).periods[0].penalty
    assert penalty.formula is not None
    (amount,) = (piece for piece in penalty.formula.pieces if piece.path == "penalty.amount")
    law = market.state.law(penalty.day)
    assert (amount.value, amount.unit, penalty.day) == (law.value("penalty.amount"), "EUR_per_allowance", date(2020, 5, 1))
    assert amount.source and amount.since == date(2008, 1, 1) and penalty.formula.inputs["shortfall"] == 700


def test_units_elsewhere_count_once_for_all_installations(market: Desk) -> None:
    market.accept("open_account", by="alice", account="alice-trade", kind="trading")
    market.accept("transfer", by="alice", **{"from": "operator:A1", "to": "alice-trade"}, unit="EUA", quantity=400)
    found = obligation(market.state, "alice", TODAY)
    assert (found.admissible, found.elsewhere, found.gap) == (600, 400, 0)
    assert [(way.way, way.quantity) for way in found.periods[0].ways] == [("surrender", 600), ("move", 100)]
    market.accept("transfer", by="alice", **{"from": "alice-trade", "to": "tom-1"}, unit="EUA", quantity=350)
    found = obligation(market.state, "alice", TODAY)
    assert (found.elsewhere, found.gap) == (50, 50)


def test_surrendering_is_seen_at_once_with_what_was_kept(market: Desk, cache: Cache) -> None:
    before = obligation(market.state, "alice", TODAY, cache=cache)
    surrender(market, 2019, A1=300)
    after = obligation(market.state, "alice", TODAY, cache=cache)
    assert (before.missing, after.missing, after.surrendered, after.admissible) == (700, 400, 300, 700)
    market.accept("correct_report", installation="A1", year=2019, verified=900, reason="a test")
    assert obligation(market.state, "alice", TODAY, cache=cache).missing == 600


def test_after_the_deadline_what_is_missing_stays_and_the_fine_is_the_one_that_was_set(market: Desk) -> None:
    surrender(market, 2019, A1=650)
    market.accept("verify", tables={"reports": {"installation": ["B1"], "year": [2019], "verified": [600]}})
    market.advance("2020-05-02")
    found = obligation(market.state, "alice", date(2020, 5, 2))
    judged = found.periods[0]
    assert (judged.year, judged.closed, judged.letter, judged.missing, judged.days_left) == (2019, True, "B", 50, -2)
    assert (judged.penalty.why, judged.penalty.low_minor, judged.penalty.shortfall) == ("imposed", 50 * 100_00, 50)
    assert found.period == 2020 and found.missing == 50  # it stays owed in the next period
    assert open_periods(market.state, date(2020, 5, 2)) == [2020]
    surrender(market, 2019, A1=50)
    assert [period.year for period in obligation(market.state, "alice", date(2020, 5, 2)).periods] == [2020]


def test_a_preview_is_what_the_command_then_does(market: Desk) -> None:
    seen = surrender_preview(market.state, "A1", 2019, 800, TODAY)
    assert (seen.refused, seen.short, seen.missing_before, seen.missing_after) == ("", 0, 700, -100)
    assert [(pick.unit, pick.quantity) for pick in seen.picks] == [("EUA", 800)]
    held = market.held("operator:A1")
    surrender(market, 2019, A1=800)
    assert market.held("operator:A1") == held - sum(pick.quantity for pick in seen.picks)
    short = surrender_preview(market.state, "B1", 2019, 800, TODAY)
    assert (short.refused, short.short) == ("insufficient_balance", 300)
    assert [(pick.available, pick.quantity) for pick in short.picks] == [(500, 500)]
    assert surrender_preview(market.state, "B1", 2019, 10, TODAY, by="alice").refused == "not_permitted"
    assert surrender_preview(market.state, "B1", 2019, 0, TODAY).refused == "malformed"


def test_oldest_admissible_vintages_first_and_later_ones_not() -> None:
    """A system with a unit type a vintage: those up to the year pay, in their order."""
    book = next(book for book in map(tonne.rulebook, tonne.systems()) if "registry.vintage_of" in book.parameters and book.system.begins.year < 2023)
    desk = Desk(book, date(2023, 1, 1), 2023)
    desk.accept("register_installations", tables={"installations": {"installation": ["A1"], "name": ["A"], "operator": ["alice"]}})
    codes = []
    for year in (2021, 2022, 2023, 2024):
        codes.append(desk.state.allowance_code(year))
        if desk.state.unit(codes[-1]) < 0:
            desk.accept("add_unit_type", code=codes[-1], kind="allowance", measure=book.system.measure, vintage=int(codes[-1].rsplit("-", 1)[1]))
        desk.accept("open_balance", account="operator:A1", unit=codes[-1], quantity=100, source="a test", year=2021)
    seen = surrender_preview(desk.state, "A1", 2023, 250, date(2023, 1, 1))
    taken = [(pick.unit, pick.quantity) for pick in seen.picks]
    vintages = [pick.vintage for pick in seen.picks]
    assert vintages == sorted(vintages) and sum(quantity for _, quantity in taken) == 250 - seen.short
    desk.send(desk.command("surrender", year=2023, tables={"surrenders": {"installation": ["A1"], "quantity": [250]}}))
    left = {code: 100 * codes.count(code) - dict(taken).get(code, 0) for code in codes}
    assert seen.refused == "" and {code: desk.held("operator:A1", code) for code in left} == left


def test_a_fine_that_needs_a_price_says_so(tmp_path: Path) -> None:
    folder = tiny_folder(
        tmp_path / "priced",
        penalty="""
        rules: [price_multiple_fine]
        parameters:
          multiple_low: {unit: ratio, values: [{from: 2020-01-01, value: 3, source: the council}]}
          multiple_high: {unit: ratio, values: [{from: 2020-01-01, value: 5, source: the council}]}
        """,
    )
    desk = tiny_market(folder)
    emitted(desk, 2020, A1=80, B1=0)
    nothing = obligation(desk.state, "alice", desk.state.today).periods[0].penalty
    assert (nothing.why, nothing.low_minor, nothing.shortfall) == ("needs_price", None, 80)
    priced = obligation(desk.state, "alice", desk.state.today, price=Decimal("12.50")).periods[0].penalty
    assert (priced.why, priced.low_minor, priced.high_minor) == ("", 80 * 3 * 1250, 80 * 5 * 1250)


def test_units_owed_on_top_where_the_law_fines_in_units(tmp_path: Path) -> None:
    desk = tiny_market(tiny_folder(tmp_path / "tiny"))
    emitted(desk, 2020, A1=80, B1=0)
    penalty = obligation(desk.state, "alice", desk.state.today).periods[0].penalty
    assert (penalty.why, penalty.low_minor, penalty.units, penalty.still_owed) == ("no_fine", None, 240, 80)


def test_where_limits_come_later_nothing_is_owed_yet() -> None:
    """Baseline and credit: before the award nobody can say what lies above the limit."""
    from tonne.administration.asks import asks

    book = next(b for b in map(tonne.rulebook, tonne.systems()) if "units_earned" in asks(b) and b.system.has_law and b.system.begins.year <= 2024)
    desk = Desk(book, date(2024, 1, 1), 2024)
    desk.accept("register_installations", tables={"installations": {"installation": ["A1"], "name": ["A"], "operator": ["alice"]}})
    emitted(desk, 2024, A1=5_000)
    found = obligation(desk.state, "alice", date(2024, 6, 1))
    assert found.periods and found.periods[0].unknown and (found.owed, found.expected) == (0, 0)


def test_who_is_not_there(market: Desk) -> None:
    with pytest.raises(NotFound) as lost:
        obligation(market.state, "alise", TODAY)
    assert (lost.value.what, lost.value.name) == ("participant", "alise") and "alice" in lost.value.near
    with pytest.raises(KeyError) as lost_too:
        surrender_preview(market.state, "A2", 2019, 1, TODAY)
    assert "A1" in lost_too.value.near  # type: ignore[attr-defined]
    nobody = obligation(market.state, "tom", TODAY)
    assert (nobody.periods, nobody.period, nobody.owed, nobody.deadline) == ((), None, 0, None)


def test_an_empty_market() -> None:
    desk = Desk(tonne.rulebook("eu-ets"), "2019-01-01", 2019)
    found = obligation(desk.state, "administrator", date(2019, 1, 1))
    assert (found.periods, found.gap, found.low_minor) == ((), 0, None)


def test_working_days_are_counted_one_by_one() -> None:
    friday = date(2020, 4, 24)
    assert [working_days(friday, day) for day in (friday, date(2020, 4, 25), date(2020, 4, 27), date(2020, 4, 30))] == [0, 0, 1, 4]
    assert working_days(date(2020, 4, 30), friday) == -4
    assert working_days(date(2020, 4, 30), date(2020, 5, 4), "DE") == 1  # 1 May is a holiday there
    assert working_days(date(2020, 4, 30), date(2020, 5, 4)) == 2


def test_the_state_is_not_touched(market: Desk) -> None:
    before = market.state.hash()
    indexed = {name: list(notices) for name, notices in market.state._by_kind.items()}
    obligation(market.state, "alice", TODAY)
    surrender_preview(market.state, "A1", 2019, 10, TODAY)
    assert market.state.hash() == before
    assert all(market.state._by_kind[name] == notices for name, notices in indexed.items())
    assert replace(market.state).hash() == before


def test_the_sum_over_all_operators_is_what_the_deadline_finds(ran: object) -> None:
    """Two years of sixty installations: cumulative owed less surrendered is what was missing when the year was judged."""
    state = ran.outcome.state  # type: ignore[attr-defined]
    last = state.statuses.filter(pl.col("year") == 2022)
    missing = dict(last.select("installation", pl.col("owed") - pl.col("surrendered")).iter_rows())
    cache, found = Cache(), {}
    for holder in dict.fromkeys(state.accounts.holders):
        for period in obligation(state, holder, date(2023, 9, 1), cache=cache).periods:
            if period.year == 2022:
                found[period.installation] = period.missing
    assert found == {name: lacking for name, lacking in missing.items() if lacking > 0} and found
