"""Runs on small inputs: the remainder, the opening, statements, and going on after an interruption at any command."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

import tonne
from tonne.administration.clerk import Administration
from tonne.administration.commands import Command, Reply
from tonne.administration.events import Entry
from tonne.law import RulebookError
from tonne.registers.installations import Installations
from tonne.registers.reports import Reports
from tonne.simulation import outcome, profile
from tonne.simulation.inputs import synthetic_inputs
from tonne.simulation.run import REMAINDER, Inputs, RunRefused, mean_prices, published, run, with_remainder


def plants(*names: str) -> Installations:
    return Installations(pl.DataFrame({"installation": list(names), "name": list(names)}))


def reports(*rows: tuple[str, int, int, int | None, int | None]) -> Reports:
    """installation, year, allocated, verified, surrendered"""
    names = ("installation", "year", "allocated", "verified", "surrendered")
    frame = pl.DataFrame(rows, schema=names, orient="row", schema_overrides={"verified": pl.Int64, "surrendered": pl.Int64})
    return Reports(frame.with_columns(state=pl.when(pl.col("verified").is_null()).then(pl.lit("no_entry")).otherwise(pl.lit("verified"))))


def totals(*rows: tuple[int, int, int, int | None]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"year": pl.Int32, "allocated": pl.Int64, "verified": pl.Int64, "surrendered": pl.Int64}, orient="row")


class Memory:
    """An administration in memory whose log is a list; it dies after so many new entries."""

    def __init__(self, system: str, entries: tuple[Entry, ...] | list[Entry] = (), dies_after: int | None = None) -> None:
        book = tonne.rulebook(system)
        self.admin = Administration(book, book.system.begins)
        self.entries = list(entries)
        self.left = dies_after
        for entry in self.entries:
            self.admin.replay(entry)

    def send(self, command: Command) -> Reply:
        if self.left == 0:
            raise KeyboardInterrupt
        reply, entry = self.admin.handle(command)
        if entry is not None:
            self.entries.append(entry)
            self.left = self.left - 1 if self.left is not None else None
        return reply

    def run(self, inputs: Inputs, first: int, last: int) -> bytes:
        run(lambda: self.admin, self.send, inputs, first, last)
        return self.admin.state.hash()


def synthetic(system: str, first: int, last: int, size: int = 12) -> Inputs:
    book = tonne.rulebook(system)
    inputs = synthetic_inputs(book, first, last, size, 4)
    return replace(inputs, opening=outcome.opening(book, inputs, first), prices=mean_prices(book, first, last))


# -- the remainder


def test_the_remainder_is_what_the_totals_hold_beyond_the_plants() -> None:
    given = Inputs(
        plants("A", "B"),
        reports(("A", 2013, 10, 100, 90), ("B", 2013, 5, 50, 50), ("A", 2014, 10, 110, 110), ("Q", 2013, 7, 70, 70)),
        totals=totals((2013, 40, 500, 480), (2014, 9, 105, 300), (2015, 30, 400, 400)),
    )
    rest = with_remainder(given, [2013, 2014, 2015]).filter(pl.col("installation") == REMAINDER)
    assert rest.select("year", "allocated", "verified", "surrendered").rows() == [
        (2013, 25, 350, 340),
        (2014, 0, 0, 190),  # totals below what is loaded leave nothing; Q is not registered and counts nowhere
        (2015, 30, 400, None),  # nobody's surrenders are recorded for the year, so the rest surrenders what it owes
    ]
    assert with_remainder(replace(given, totals=None), [2013])["installation"].to_list() == ["A", "B"]


def test_a_total_without_surrenders_is_taken_as_all_surrendered() -> None:
    given = Inputs(plants("A"), reports(("A", 2013, 10, 100, 90)), totals=totals((2013, 40, 500, None)))
    rest = with_remainder(given, [2013]).filter(pl.col("installation") == REMAINDER)
    assert rest["surrendered"].to_list() == [410]


def test_a_whole_small_run_adds_up() -> None:
    market = Memory("eu-ets")
    given = Inputs(
        plants("A", "B"),
        reports(
            ("A", 2012, 0, 10, 8), ("A", 2013, 600, 1_000, 1_000), ("B", 2013, 300, 80, 70), ("A", 2014, 500, 900, 902), ("B", 2014, 200, 60, 60)
        ),
        totals=totals((2013, 1_000_000, 2_000_000, 2_000_000), (2014, 900_000, 1_900_000, 1_900_000)),
        opening=(3_000_000, "a test"),
    )
    market.run(given, 2013, 2014)
    done = outcome.Outcome(market.admin.state, given, 2013, 2014)
    rows = {row["year"]: row for row in done.table().iter_rows(named=True)}
    assert (rows[2013]["verified"], rows[2013]["verified_loaded"]) == (2_000_000, 1_080)
    assert (rows[2013]["allocated"], rows[2013]["allocated_loaded"]) == (1_000_000, 900)
    assert (rows[2013]["surrendered"], rows[2013]["surrendered_loaded"]) == (2_000_000, 1_070)
    assert (rows[2014]["surrendered"], rows[2014]["surrendered_loaded"]) == (1_900_000, 962)
    auctioned = [published(market.admin.founding_rulebook, "auctioned", 2014)[year] for year in (2013, 2014)]
    assert [rows[year]["auctioned"] for year in (2013, 2014)] == auctioned
    circulation = 3_000_000 + 1_000_000 + auctioned[0] - 2_000_000
    assert rows[2013]["circulation"] == circulation
    assert rows[2014]["circulation"] == circulation + 900_000 + auctioned[1] - 1_900_000
    assert done.compliance().rows() == [(2013, "B", 2), (2014, "A", 1), (2014, "B", 1)]
    fines = {(row["installation"], row["year"]): row["shortfall"] for row in market.admin.state.fines.iter_rows(named=True)}
    assert fines == {("B", 2013): 10}  # A stood two short before these books, which are not fined in them
    market.admin.state.books.check()
    flows = {(year, what): quantity for year, what, _, quantity in done.flows().iter_rows()}
    assert flows[2013, "opening"] == 3_000_000 and flows[2014, "surrender"] == 2_000_000


def test_where_the_opening_comes_from() -> None:
    book = tonne.rulebook("eu-ets")
    empty = Inputs(plants("A"), reports(("A", 2018, 0, 1, 1)))
    assert outcome.opening(book, empty, 2018) == (1_654_574_598, "published circulation of 2017")
    given = replace(empty, totals=totals((2013, 1_000_000_000, 1_900_000_000, None)))
    quantity, source = outcome.opening(book, given, 2013)  # type: ignore[misc]
    assert source.startswith("worked back from the published circulation of 2013")
    assert quantity == 2_100_000_000 + 1_900_000_000 - 1_000_000_000 - 808_000_000
    assert outcome.opening(tonne.rulebook("rggi"), replace(empty, reports=reports(("A", 2013, 0, 1, 1))), 2009) is None


def test_statements_say_how_much_of_a_difference_is_explained() -> None:
    given = replace(synthetic("eu-ets", 2017, 2018), synthetic="")
    market = Memory("eu-ets")
    market.run(given, 2017, 2018)
    found = outcome.Outcome(market.admin.state, given, 2017, 2018).statement()
    assert [statement.name for statement in found] == ["circulation 2017", "circulation 2018"]
    for statement in found:
        assert statement.difference == statement.computed - (statement.published or 0)
        assert statement.explained + (statement.unexplained or 0) == statement.difference
        assert statement.explanations and statement.source
    credits = [quantity for text, quantity in found[1].explanations if text.startswith("credits exchanged for allowances")]
    assert credits == [-423_530_000]  # they circulate and are not in these books, so the books fall short by them


# -- interruptions


@pytest.mark.parametrize(
    ("system", "first", "last"),
    [("eu-ets", 2017, 2019), ("rggi", 2018, 2020), ("china-national-ets", 2019, 2020), ("china-national-ets", 2023, 2023)],
)
def test_interrupted_after_any_command_it_ends_the_same(system: str, first: int, last: int) -> None:
    inputs = synthetic(system, first, last)
    whole = Memory(system)
    want = whole.run(inputs, first, last)
    assert len(whole.entries) > 12
    assert Memory(system).run(inputs, first, last) == want  # the same seed, the same state
    stops = range(len(whole.entries)) if len(whole.entries) <= 80 else sorted({*range(0, len(whole.entries), len(whole.entries) // 12), 13, 14})
    for k in stops:  # years of many auctions are interrupted at a dozen places
        again = Memory(system, whole.entries[:k])
        assert again.run(inputs, first, last) == want, f"interrupted after {k} commands"
        assert [entry.command_id for entry in again.entries] == [entry.command_id for entry in whole.entries]
    finished = Memory(system, whole.entries)
    assert finished.run(inputs, first, last) == want
    assert len(finished.entries) == len(whole.entries)


def test_interrupted_again_and_again() -> None:
    inputs = synthetic("rggi", 2018, 2020)
    want = Memory("rggi").run(inputs, 2018, 2020)
    entries: list[Entry] = []
    for _ in range(1_000):
        market = Memory("rggi", entries, dies_after=2)
        try:
            state = market.run(inputs, 2018, 2020)
        except KeyboardInterrupt:
            assert len(market.entries) == len(entries) + 2
            entries = market.entries
        else:
            break
    assert state == want


def test_another_seed_is_another_market() -> None:
    hashes = {tonne.run("rggi", (2018, 2018), synthetic=12, seed=seed).state_hash for seed in (1, 1, 2)}
    assert len(hashes) == 2


def test_a_log_that_was_begun_with_other_papers_is_not_continued() -> None:
    inputs = synthetic("rggi", 2018, 2020)
    market = Memory("rggi")
    market.run(inputs, 2018, 2020)
    sequence = market.admin.sequence
    with pytest.raises(RunRefused, match=r"found was refused: exists_with_different_content: the log holds a run of other years"):
        market.run(inputs, 2019, 2020)
    fewer = replace(inputs, installations=Installations(inputs.installations.frame.head(5)))
    with pytest.raises(RunRefused, match="found was refused: exists_with_different_content: the log holds a run of other years, of other files"):
        market.run(fewer, 2018, 2020)
    assert market.admin.sequence == sequence


def test_what_a_run_depends_on_is_refused_by_name() -> None:
    """More is to be auctioned than there is: the run stops with the refusal, and what was done stays done."""
    inputs = synthetic("eu-ets", 2019, 2019)
    market = Memory("eu-ets")
    send = market.send

    def corrected(command: Command) -> Reply:
        if command.kind == "auction":
            send(Command("a notice", "auction_calendar", "administrator", command.day, {"year": 2019, "volume": 3_000_000_000}))
        return send(command)

    market.send = corrected  # type: ignore[method-assign]
    for _ in range(2):  # asked again it is refused again: an answer is not forgotten, and the id is not used twice
        with pytest.raises(RunRefused, match="auction:2019 was refused: limit_exceeded: auctioning 3,000,000,000 and withholding"):
            market.run(inputs, 2019, 2019)
    assert "allocate:2019" in market.admin.state.done and "auction:2019" not in market.admin.state.done
    assert [entry.outcome for entry in market.entries if entry.kind == "auction"] == ["limit_exceeded"] * 2
    market.admin.state.books.check()


# -- what populations look like


def test_profiles(tmp_path: Path) -> None:
    book = tonne.rulebook("rggi")
    assert profile.profile_of(replace(book, place=str(tmp_path)), 2020) is profile.PLAIN
    folder = tmp_path / "synthetic"
    folder.mkdir()
    file = folder / "population.yaml"
    file.write_text("sectors:\n  - {name: old, until: 2019, emissions_share: 0.5}\n  - {name: new, since: 2020, emissions_share: 0.5}\n")
    assert profile.profile_of(replace(book, place=str(tmp_path)), 2020) == {"new": {"emissions_share": 0.5}}
    for broken in ("sectors: many\n", "- a list\n", "sectors: [power]\n", "sectors:\n  - {emissions_share: 1}\n", ""):
        file.write_text(broken)
        with pytest.raises(RulebookError, match=r"rggi/synthetic/population.yaml:1: sectors: a population file has"):
            profile.profile_of(replace(book, place=str(tmp_path)), 2020)


def test_what_a_population_is_scaled_to() -> None:
    book = tonne.rulebook("eu-ets")
    verified = published(book, "verified_emissions", 2100)
    assert profile.totals_for(book, [2019], 5) == ({2019: verified[2019]}, "")
    assert profile.totals_for(book, [2040], 5) == ({2040: verified[max(verified)]}, "")  # the nearest year that is published
    silent = replace(book, parameters={path: p for path, p in book.parameters.items() if not path.startswith("statistics.")})
    assert profile.totals_for(silent, [2015], 5) == ({2015: 2_007_773_364 * 9 // 10}, "")
    totals, remark = profile.totals_for(replace(silent, rules={}), [2015, 2016], 5)
    assert totals == {2015: 500_000, 2016: 500_000}
    assert "says nothing of the real system" in remark
