"""What `import tonne` offers: rulebooks that answer, runs, markets that last. Heavy parts are imported where they are used."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tonne.law import Law, LawError, Rulebook, apply_scenario, load, systems

if TYPE_CHECKING:
    import polars as pl

    from tonne.administration.clerk import Administration
    from tonne.simulation.outcome import Outcome
    from tonne.simulation.run import Inputs
    from tonne.store.desk import Desk

__all__ = ["Run", "open_market", "rulebook", "run", "systems"]

Progress = Callable[[str, int, int], None]


def rulebook(system: str | Path, scenario: str | Path | None = None) -> Rulebook:
    """The rulebook of a system (an id, or a folder of your own), able to answer: rulebook("...").at("2024-06-01").cap(2024).

    Raises UnknownSystem, RulebookError, ScenarioError.
    """
    from tonne.administration.asks import answer

    book = load(system, answer)
    return apply_scenario(book, scenario) if scenario else book


def open_market(where: str | Path, system: str | None = None, scenario: str = "") -> Desk:
    """The market kept in a log at a path or URL, rebuilt from it; founded there when a system is named and nothing is there yet.

    Raises StoreError, WrongSystem, UnknownSystem.
    """
    from tonne.store.desk import Desk

    return Desk.open(where, lambda name, laid_over: rulebook(name, laid_over or None), system, scenario)


class Run:
    """A market carried through some years. Tables are Polars frames; `close` releases the log."""

    def __init__(self, outcome: Outcome, faults: Sequence[Any], seconds: float, desk: Desk | None, book: Rulebook, entries: Sequence[Any]) -> None:
        self.outcome = outcome
        self.faults = tuple(faults)
        self.seconds = seconds
        self.label = outcome.inputs.synthetic
        self._desk = desk
        self._founding = book
        self._entries = tuple(entries)

    @property
    def law(self) -> Law:
        """The law as it stood when the run ended."""
        law: Law = self.outcome.state.law()
        return law

    @cached_property
    def state_hash(self) -> str:
        return self.outcome.state.hash().hex()

    def verify(self) -> tuple[int, list[str]]:
        """(entries, what differs): every entry of a run in memory decided again from the first one on. A run with a log of its own has `tonne log
        verify`, which also reads what is stored."""
        from tonne.administration.clerk import Administration

        again = Administration(self._founding, self._founding.system.begins)
        differences = [f"entry {entry.sequence} ({entry.kind} {entry.command_id}): {what}" for entry in self._entries for what in again.audit(entry)]
        if self._entries and again.state.hash() != self.outcome.state.hash():
            differences.append("the state decided again is not the state of the run")
        return len(self._entries), differences

    def table(self) -> pl.DataFrame:
        return self.outcome.table()

    def statement(self) -> pl.DataFrame:
        from tonne.ledger.statement import statements_frame

        return statements_frame(self.outcome.statement())

    def compliance(self) -> pl.DataFrame:
        return self.outcome.compliance()

    def agreement(self) -> pl.DataFrame:
        return self.outcome.agreement()

    def sectors(self) -> pl.DataFrame:
        return self.outcome.sectors()

    def flows(self) -> pl.DataFrame:
        return self.outcome.flows()

    def auctions(self) -> pl.DataFrame:
        """Every auction with bids, a row each: year, auction, day, outcome, reason, price, reserve, ceiling, planned, offered, sold, unsold, added,
        released, withheld, cover_ratio, bidders, winners, proceeds_minor. Prices are exact decimals, proceeds minor units of the currency; empty
        where the law does not say how bids are cleared or nobody knows a price."""
        return self.outcome.auctions()

    def data(self) -> Any:
        """Everything a report shows, as one plain record."""
        from tonne.reports.data import RunData

        return RunData(
            system=self.law.system,
            law=self.law,
            first_year=self.outcome.first_year,
            last_year=self.outcome.last_year,
            table=self.table(),
            statement=self.statement(),
            compliance=self.compliance(),
            sectors=self.sectors(),
            flows=self.flows(),
            agreement=self.agreement(),
            money=self.outcome.money(),
            auctions=self.auctions(),
            remarks=tuple(self.outcome.remarks()),
            label=self.label,
            seconds=self.seconds,
            state_hash=self.state_hash,
        )

    def chart(self, name: str) -> Any:
        """One chart by name: supply, circulation, auctions, allocation, compliance. Raises KeyError with the names there are."""
        from tonne.reports.charts import chart

        return chart(name, self.data())

    def report(self, path: str | Path) -> Path:
        """Write the report as one self-contained HTML file."""
        from tonne.reports.page import write

        return write(path, self.data())

    def close(self) -> None:
        if self._desk is not None:
            self._desk.close()

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def run(
    system: str | Path,
    years: tuple[int, int] | None = None,
    installations: Any = None,
    reports: Any = None,
    *,
    activity: Any = None,
    totals: Any = None,
    columns: Mapping[str, str] | None = None,
    scenario: str | None = None,
    log: str | Path | None = None,
    synthetic: int | None = None,
    seed: int = 1,
    opening: int | None = None,
    prices: Mapping[int, Decimal] | None = None,
    skip_bad: bool = False,
    rejects: str | Path | None = None,
    progress: Progress | None = None,
) -> Run:
    """Run a system from the first to the last of `years`, deadlines included; without years, through its last whole compliance period.

    installations, reports  files (CSV, Parquet) or registers; or `synthetic`: so many generated installations, scaled to published totals
    activity                what was produced, where the law's own rule is to allocate
    totals                  published totals by year; the rulebook's own statistics when left out
    log                     path or URL of a log to keep (and to continue); in memory when left out
    opening                 units in circulation before the first year, when the published figure is not to be used

    Raises BadFile, RunRefused, StoreError, LawError, ValueError (nothing to run on).
    """
    from tonne.simulation import run as runs
    from tonne.simulation.inputs import with_surroundings
    from tonne.simulation.outcome import Outcome
    from tonne.simulation.periods import whole_period

    started = time.perf_counter()
    book = rulebook(system, scenario)
    first, last = years if years is not None else whole_period(book, datetime.now().astimezone().date())
    if last < first:
        raise ValueError(f"the years run from {first} to {last}; the last is before the first")
    book.at(date(first, 12, 31))  # refuses a year before the system's first law
    inputs, faults = _inputs(
        book, first, last, installations, reports, activity, totals, columns, synthetic, seed, skip_bad=skip_bad, rejects=rejects
    )
    inputs = with_surroundings(book, inputs, first, last, opening, prices)
    desk: Desk | None = None
    entries: list[Any] = []
    if log is not None:
        desk = open_market(log, book.system.id if Path(book.place).name == book.system.id else str(system), scenario or "")

        def administration() -> Administration:
            return desk.administration

        send = desk.call
    else:
        from tonne.administration.clerk import Administration

        clerk = Administration(book, book.system.begins)

        def administration() -> Administration:
            return clerk

        def send(command: Any) -> Any:
            reply, entry = clerk.handle(command)
            if entry is not None:
                entries.append(entry)
            return reply

    try:
        runs.run(administration, send, inputs, first, last, progress or (lambda what, done, of: None))
    except BaseException:
        if desk is not None:
            desk.close()
        raise
    outcome = Outcome(administration().state, inputs, first, last)
    return Run(outcome, faults, time.perf_counter() - started, desk, book, entries)


def _inputs(
    book: Rulebook,
    first: int,
    last: int,
    installations: Any,
    reports: Any,
    activity: Any,
    totals: Any,
    columns: Mapping[str, str] | None,
    synthetic: int | None,
    seed: int,
    *,
    skip_bad: bool,
    rejects: str | Path | None,
) -> tuple[Inputs, list[Any]]:
    from tonne.simulation.inputs import synthetic_inputs
    from tonne.simulation.run import Inputs

    if synthetic is not None:
        return synthetic_inputs(book, first, last, synthetic, seed), []
    if installations is None or reports is None:
        raise ValueError("a run needs installations and reports, or `synthetic`: how many installations to generate")
    from tonne.formats.activity import read_activity
    from tonne.formats.installations import read_installations
    from tonne.formats.reports import read_reports
    from tonne.formats.totals import read_totals

    law = book.at(date(last, 12, 31))
    activities = law.value("scope.activity_codes") if law.has("scope.activity_codes") else None
    faults: list[Any] = []
    if isinstance(installations, (str, Path)):
        installations, found = read_installations(
            installations, _known(columns, "installations"), skip_bad=skip_bad, rejects=_beside(rejects, "installations"), activities=activities
        )
        faults += found
    if isinstance(reports, (str, Path)):
        reports, found = read_reports(
            reports,
            installations,
            _known(columns, "reports"),
            skip_bad=skip_bad,
            rejects=rejects,
            law_years=(book.system.begins.year, 2100),
            most_total=_most_total(book, first, last),
        )
        faults += found
    if isinstance(activity, (str, Path)):
        register, found = read_activity(activity, installations, _known(columns, "activity"), skip_bad=skip_bad, rejects=_beside(rejects, "activity"))
        activity, faults = register.frame, faults + list(found)
    if isinstance(totals, (str, Path)):
        totals = read_totals(totals)
    if totals is not None and "allocated_transitional" in totals.columns:
        import polars as pl

        parts = [pl.col(name).fill_null(0) for name in ("allocated", "allocated_transitional", "allocated_new_entrant")]
        totals = totals.select("year", allocated=pl.sum_horizontal(parts), verified="verified", surrendered="surrendered")
    return Inputs(installations, reports, activity, totals), faults


def _most_total(book: Rulebook, first: int, last: int) -> dict[int, int]:
    """Three times the cap of each year that has one: reports that add up to more are another system's file."""
    from tonne.administration.asks import asks

    found: dict[int, int] = {}
    for year in range(first, last + 1) if "cap" in asks(book) else ():
        with suppress(LawError, ValueError):
            found[year] = 3 * int(book.at(date(year, 12, 31)).cap(year))
    return found


def _known(columns: Mapping[str, str] | None, register: str) -> Mapping[str, str] | None:
    """The mapping entries of one register: `reports.year=Jahr` for it alone, `year=Jahr` for every register that has such a column.

    Raises ValueError for a name that no register has: a mapping is never passed over in silence.
    """
    if not columns:
        return None
    from tonne.formats.faults import nearest
    from tonne.registers.activity import ACTIVITY_SCHEMA
    from tonne.registers.installations import INSTALLATION_SCHEMA
    from tonne.registers.reports import REPORT_SCHEMA

    schemas = {"installations": INSTALLATION_SCHEMA, "reports": REPORT_SCHEMA, "activity": ACTIVITY_SCHEMA}
    own: dict[str, str] = {}
    for name, theirs in columns.items():
        room, _, column = name.rpartition(".")
        if room not in ("", *schemas) or not any(column in schema for key, schema in schemas.items() if room in ("", key)):
            near = nearest(column, {known for schema in schemas.values() for known in schema})
            raise ValueError(f"columns: {name!r} is no column of ours{f'; did you mean {near!r}?' if near else ''} (see docs/formats.md)")
        if room in ("", register) and column in schemas[register]:
            own[column] = theirs
    return own or None


def _beside(rejects: str | Path | None, register: str) -> Path | None:
    if rejects is None:
        return None
    path = Path(rejects)
    return path.with_name(f"{path.stem}-{register}{path.suffix}")
