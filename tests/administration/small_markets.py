"""Small markets made by hand, and a desk that keeps its log in a list and looks closely at every answer."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

import tonne
from tonne.administration.agenda import day_of, tasks
from tonne.administration.clerk import Administration
from tonne.administration.commands import Command, Reply
from tonne.administration.events import Entry
from tonne.administration.permissions import ADMINISTRATOR, LAW
from tonne.law import Rulebook

TINY = {
    "system": """
        id: tiny-ets
        name: Tiny
        status: in_force
        design: cap_and_trade
        begins: 2020-01-01
        unit: {name: permit, code: TIN, measure: tonne}
        currency: CHF
        jurisdiction: a valley
        """,
    "cap": """
        rules: [adjusted_budget]
        parameters:
          base_by_year:
            unit: allowance
            by: year
            values: [{from: 2020-01-01, value: {2020: 1000, 2021: 900, 2022: 800}, source: the council}]
          step_by_state:
            unit: allowance
            by: state
            values: [{from: 2020-01-01, value: {valley: 100}, source: the council}]
        """,
    "allocation": """
        rules: [budget_share_auction]
        parameters:
          auction_share:
            unit: ratio
            values: [{from: 2020-01-01, value: 0.50, source: the council}]
        """,
    "auction": """
        rules: [reserve_price_auction]
        parameters:
          reserve_price_by_year:
            unit: CHF_per_allowance
            by: year
            values: [{from: 2020-01-01, value: {2020: 10.00}, source: the council}]
          bid_limit_share:
            unit: ratio
            values: [{from: 2020-01-01, value: 0.25, source: the council}]
        """,
    "obligation": "rules: [phased_obligation, compliance_test]",
    "penalty": """
        rules: [multiple_of_units, make_good]
        parameters:
          units_per_unit:
            unit: allowance_per_tonne
            values: [{from: 2020-01-01, value: 3, source: the council}]
          make_good:
            unit: boolean
            values: [{from: 2020-01-01, value: true, source: the council}]
        """,
    "calendar": """
        rules: []
        parameters:
          agenda:
            unit: calendar_rule
            by: task
            values:
              - from: 2020-01-01
                value: {issue: "+0 01-01", auction: "+0 06-30", report: "+1 02-28", verify: "+1 03-15", surrender: "+1 04-30", penalise: "+1 05-01"}
                source: the council
        """,
}


def tiny_folder(folder: Path, **changed: str) -> Path:
    """A whole system in eight small files; `changed` replaces topics."""
    import textwrap

    folder.mkdir()
    for topic, content in (TINY | changed).items():
        (folder / f"{topic}.yaml").write_text(textwrap.dedent(content), encoding="utf-8")
    return folder


class Desk:
    """An administration whose log is a list."""

    def __init__(self, rulebook: Rulebook, day: date | str, first_year: int, **founding: Any) -> None:
        self.rulebook = rulebook
        self.admin = Administration(rulebook, rulebook.system.begins)
        self.entries: list[Entry] = []
        self._numbers = itertools.count(1)
        self._hashed: tuple[int, bytes] = (0, b"")  # the state's hash after the last refusal, and after which entry that was
        day = date.fromisoformat(str(day))
        self.accept("found", day=day, system=rulebook.system.id, scenario=rulebook.scenario, first_year=first_year, **founding)

    @property
    def state(self) -> Any:
        return self.admin.state

    def command(
        self, verb: str, /, by: str = ADMINISTRATOR, day: date | str | None = None, id: str = "", tables: Mapping[str, Any] | None = None, **body: Any
    ) -> Command:
        """A command of today under a new id. A body's `from` is written `from_`; a table may be a mapping of columns."""
        when = self.state.today if day is None else date.fromisoformat(str(day))
        frames = {name: pl.DataFrame(table) if isinstance(table, dict) else table for name, table in (tables or {}).items()}
        return Command(id or f"{verb}-{next(self._numbers)}", verb, by, when, {name.rstrip("_"): value for name, value in body.items()}, frames)

    def send(self, command: Command) -> Reply:
        reply, entry = self.admin.handle(command)
        if entry is not None:
            self.entries.append(entry)
        return reply

    def accept(self, verb: str, /, by: str = ADMINISTRATOR, **rest: Any) -> Reply:
        """Accepted, and answered the same when it is sent again, without being done twice."""
        command = self.command(verb, by, **rest)
        reply = self.send(command)
        assert reply.accepted, f"{reply.outcome}: {reply.reason}"
        state, entries = self.state.hash(), len(self.entries)
        again = self.send(command)
        assert (again.outcome, again.sequence, again.repeated) == ("accepted", reply.sequence, True)
        assert (self.state.hash(), len(self.entries)) == (state, entries)
        return reply

    def refuse(self, name: str, verb: str, /, by: str = ADMINISTRATOR, **rest: Any) -> str:
        """Refused by that name, leaving nothing but an entry in the log. Returns the reason."""
        command = self.command(verb, by, **rest)
        sequence = self.admin.sequence
        before = self._hashed[1] if self._hashed[0] == sequence else self.state.hash()
        reply = self.send(command)
        assert reply.outcome == name, f"{reply.outcome}: {reply.reason}"
        self._hashed = (self.admin.sequence, self.state.hash())
        assert self._hashed[1] == before, "a refusal changed the state"
        assert (self.admin.sequence, self.entries[-1].outcome) == (sequence + 1, name)
        again = self.send(command)
        assert (again.outcome, again.reason, again.repeated, self.admin.sequence) == (name, reply.reason, True, sequence + 1)
        assert reply.reason and reply.reason == reply.reason.strip()
        return reply.reason

    def copy(self) -> Desk:
        """Another desk with the same market and the same log."""
        other = object.__new__(Desk)
        other.rulebook, other.entries, other._numbers, other._hashed = self.rulebook, list(self.entries), itertools.count(10_000), (0, b"")
        other.admin = Administration(self.rulebook, self.rulebook.system.begins)
        other.admin.restore(self.admin.snapshot())
        return other

    # -- the calendar

    def law(self, verb: str, year: int, task: str = "", **rest: Any) -> Reply:
        """The calendar's own command, on its day (or today, when that is past)."""
        due = day_of(self.state, task or verb, year)
        assert due is not None
        return self.accept(verb, by=LAW, day=max(due, self.state.today), year=year, **rest)

    def advance(self, to: date | str, mean_price: str = "") -> None:
        """Let the law act on all its days up to one; with a mean price, where its fine is a multiple of one."""
        first = next(notice["year"] for notice in self.state.notices if notice["what"] == "first_year")
        to = date.fromisoformat(str(to))
        for task in tasks(self.state, first, to.year):
            if self.state.today <= task.day <= to and f"{task.name}:{task.year}" not in self.state.done:
                command = task.command()
                if task.name == "penalise" and mean_price:
                    command = replace(command, body={"year": task.year, "mean_price": mean_price})
                reply = self.send(command)
                assert reply.accepted, f"{command.id}: {reply.outcome}: {reply.reason}"

    # -- looking

    def held(self, account: str, unit: str = "EUA") -> int:
        return int(self.state.books.balance(self.state.accounts.number(account), self.state.unit(unit)))

    def status(self, installation: str, year: int, interim: bool = False) -> tuple[int, int, str]:
        """(owed, surrendered, letter)"""
        rows = self.state.statuses.filter(pl.col("installation") == installation, pl.col("year") == year, pl.col("interim") == interim)
        row = rows.row(0, named=True)
        return row["owed"], row["surrendered"], row["status"]

    def fine(self, installation: str, year: int) -> dict[str, Any] | None:
        rows = self.state.fines.filter(pl.col("installation") == installation, pl.col("year") == year)
        return rows.row(0, named=True) if rows.height else None

    def check(self) -> None:
        """Conservation; the log decided again makes the same state and finds nothing; a snapshot gives the same state and memory back."""
        self.state.books.check()
        fresh, kept = (Administration(self.rulebook, self.rulebook.system.begins) for _ in range(2))
        for entry in self.entries:
            assert fresh.audit(entry) == [], f"entry {entry.sequence} ({entry.kind})"
        kept.restore(self.admin.snapshot())
        assert fresh.state.hash() == self.state.hash() == kept.state.hash()
        assert fresh.snapshot() == self.admin.snapshot() == kept.snapshot()


def installations(*names: str, operators: Mapping[str, str] | None = None) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "installation": list(names),
            "name": [f"Plant {name}" for name in names],
            "operator": [(operators or {}).get(name, f"{name} Ltd") for name in names],
        }
    )


def people(desk: Desk) -> Desk:
    """Two plants of two operators, and one of each role."""
    desk.accept("register_installations", tables={"installations": installations("A1", "B1", operators={"A1": "alice", "B1": "bob"})})
    for who, role in (("vera", "verifier"), ("tom", "trader"), ("axel", "auctioneer"), ("paula", "public"), ("mia", "administrator")):
        desk.accept("register_participant", participant=who, name=who.title(), role=role, country="XX")
    desk.accept("open_account", by="tom", account="tom-1", kind="trading")
    return desk


def eu(first_year: int = 2019) -> Desk:
    """The European law, with 1,000 units for alice, 500 for bob and 10,000 in the auction's stall."""
    return _eu(first_year).copy()


@cache
def _eu(first_year: int) -> Desk:
    desk = people(Desk(tonne.rulebook("eu-ets"), f"{first_year}-01-01", first_year))
    for account, quantity in (("operator:A1", 1_000), ("operator:B1", 500), ("auction", 10_000)):
        desk.accept("open_balance", account=account, unit="EUA", quantity=quantity, source="a test", year=first_year)
    return desk


def tiny_market(folder: Path) -> Desk:
    desk = Desk(tonne.rulebook(folder), "2020-01-01", 2020)
    desk.accept("register_installations", tables={"installations": installations("A1", "B1", operators={"A1": "alice", "B1": "bob"})})
    desk.accept("register_participant", participant="axel", name="Axel", role="auctioneer")
    desk.accept("register_participant", participant="vera", name="Vera", role="verifier")
    return desk


def figures(year: int, **tonnes: int) -> dict[str, list[Any]]:
    return {"installation": list(tonnes), "year": [year] * len(tonnes), "emissions": list(tonnes.values())}


def emitted(desk: Desk, year: int, **tonnes: int) -> None:
    """Reported and verified by the authority today."""
    table = figures(year, **tonnes)
    desk.accept("report", tables={"reports": table})
    desk.accept("verify", tables={"reports": {**{k: v for k, v in table.items() if k != "emissions"}, "verified": table["emissions"]}})


def surrender(desk: Desk, year: int, **units: int) -> None:
    desk.accept("surrender", year=year, tables={"surrenders": {"installation": list(units), "quantity": list(units.values())}})
