"""The state of one market: books, registers, calendar. Rebuilt from the log; nothing here decides anything."""

from __future__ import annotations

import hashlib
import io
import json
import threading
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl

from tonne.administration.commands import encode
from tonne.administration.exchange import Exchange
from tonne.dates import day_number
from tonne.law import Law, Rulebook
from tonne.ledger import Books, UnitType
from tonne.registers import tables
from tonne.registers.accounts import Accounts
from tonne.registers.activity import Activity
from tonne.registers.installations import Installations
from tonne.registers.participants import Participants
from tonne.registers.reports import Reports

ENTITLEMENT_SCHEMA: dict[str, Any] = {
    "installation": pl.String,
    "year": pl.Int32,
    "quantity": pl.Int64,  # units
    "basis": pl.String,  # the authority's table, or the rule that computed it
}
#: Basis of an entitlement that is a limit, not a gift: what an installation may emit before it owes.
LIMIT = "limit"
STATUS_SCHEMA: dict[str, Any] = {
    "installation": pl.String,
    "year": pl.Int32,  # last emissions year judged
    "owed": pl.Int64,  # cumulative in the compliance period, units
    "surrendered": pl.Int64,
    "status": pl.String,
    "interim": pl.Boolean,
}
FINE_SCHEMA: dict[str, Any] = {
    "installation": pl.String,
    "year": pl.Int32,
    "shortfall": pl.Int64,  # units
    "low_minor": pl.Int64,  # minor units of the system's currency; low == high unless the text gives a range
    "high_minor": pl.Int64,
    "units": pl.Int64,  # units deducted on top
    "released": pl.Int64,  # of the shortfall, units no longer owed once the fine is set
}
_INDEXING = threading.Lock()
#: name of the frame in a state -> its schema
FRAMES = {"entitlements": ENTITLEMENT_SCHEMA, "statuses": STATUS_SCHEMA, "fines": FINE_SCHEMA}
#: What a state has of persons that decide in twos, and of what a verifier found.
OF_PERSONS = ("two_persons", "proposals", "trusted", "freezes", "findings")


@dataclass
class State:
    """Everything the administration knows on `today`.

    notices    published numbers, in order: {what, year, day, ...}
    done       `task:year` -> day on which the calendar did it
    amendments patches of law made by command, in order
    two_persons whether holders need a second person for what they move
    proposals   id of the command that proposed -> what waits, or how it ended (`waiting.py`)
    trusted     account -> accounts that its holder trusts -> {from: moment, since: moment, person}
    freezes     account -> {person, moment, reason, until, confirm_by, confirmed}
    findings    installation -> what verifiers found in its reports, in order: {year, line, text, reported (the figure then), by, day}
    """

    rulebook: Rulebook
    today: date
    books: Books = field(default_factory=Books)
    accounts: Accounts = field(default_factory=Accounts)
    participants: Participants = field(default_factory=Participants)
    installations: Installations = field(default_factory=Installations.empty)
    reports: Reports = field(default_factory=Reports.empty)
    activity: Activity = field(default_factory=Activity.empty)
    unit_codes: dict[str, int] = field(default_factory=dict)
    entitlements: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=ENTITLEMENT_SCHEMA))
    statuses: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=STATUS_SCHEMA))
    fines: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=FINE_SCHEMA))
    notices: list[dict[str, Any]] = field(default_factory=list)
    done: dict[str, str] = field(default_factory=dict)
    amendments: list[dict[str, Any]] = field(default_factory=list)
    exchange: Exchange = field(default_factory=Exchange)
    two_persons: bool = False
    proposals: dict[str, dict[str, Any]] = field(default_factory=dict)
    trusted: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    freezes: dict[str, dict[str, Any]] = field(default_factory=dict)
    findings: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _laws: dict[tuple[int, date], Law] = field(default_factory=dict, repr=False)
    _by_kind: dict[tuple[str, int | None], list[dict[str, Any]]] = field(default_factory=dict, repr=False)
    _indexed: int = field(default=0, repr=False)

    def law(self, day: date | None = None) -> Law:
        """The law on a day (today, when left out), as it is known to the market."""
        key = (len(self.amendments), day or self.today)
        found = self._laws.get(key)
        if found is None:  # readers look side by side: what one of them clears, another must not miss
            found = self.rulebook.at(key[1])
            self._laws.clear() if len(self._laws) > 64 else None
            self._laws[key] = found
        return found

    # -- units

    def unit(self, code: str) -> int:
        """The ledger's number of a unit type, -1 if there is none."""
        return self.unit_codes.get(code, -1)

    def allowance_code(self, year: int) -> str:
        """The code of the allowance issued for a year: one unit type a vintage where the rulebook has vintages."""
        code = self.rulebook.system.unit_code
        law = self.law(max(self.today, self.rulebook.system.begins))
        if not law.has("registry.vintage_of"):
            return code
        vintage = law.value("registry.vintage_of").get(year)
        return f"{code}-{vintage if vintage is not None else year}"

    def allowance_units(self) -> list[int]:
        """All allowance unit types of the system, oldest vintage first."""
        units = [
            (unit.vintage or 0, number)
            for number, unit in enumerate(self.books.unit_types)
            if unit.kind == "allowance" and unit.system == self.rulebook.system.id
        ]
        return [number for _, number in sorted(units)]

    def notice(self, what: str, year: int) -> dict[str, Any] | None:
        """The last published number of a kind for a year."""
        found = self.noticed(what, year)
        return found[-1] if found else None

    def noticed(self, what: str, year: int | None) -> list[dict[str, Any]]:
        """All published numbers of a kind for a year (None: for any), in order."""
        if self._indexed < len(self.notices):
            with _INDEXING:  # several readers may ask at once, and a notice is indexed once
                for notice in self.notices[self._indexed :]:
                    self._by_kind.setdefault((notice["what"], notice["year"]), []).append(notice)
                    self._by_kind.setdefault((notice["what"], None), []).append(notice)
                self._indexed = len(self.notices)
        return self._by_kind.get((what, year), [])

    # -- bytes

    def hash(self) -> bytes:
        """SHA-256 over the whole state, the same on every machine and store."""
        digest = hashlib.sha256(self.books.state_hash())
        for part in self._parts().values():
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)
        return digest.digest()

    def _parts(self) -> dict[str, bytes]:
        parts = {
            "head": encode(
                {
                    "system": self.rulebook.system.id,
                    "today": self.today,
                    "unit_codes": self.unit_codes,
                    "notices": self.notices,
                    "done": self.done,
                    "amendments": self.amendments,
                }
                | self._of_persons()
            ),
            "accounts": self.accounts.to_bytes(),
            "participants": self.participants.to_bytes(),
            "installations": self.installations.to_bytes(),
            "reports": self.reports.to_bytes(),
            "activity": self.activity.to_bytes(),
            "exchange": self.exchange.to_bytes(),
        }
        return parts | {name: tables.to_bytes(getattr(self, name)) for name in FRAMES}

    def _of_persons(self) -> dict[str, Any]:
        """What two persons decide on, and findings; only what is there is named, so that a market without any is the same bytes as ever."""
        return {name: value for name in OF_PERSONS if (value := getattr(self, name))}

    def to_bytes(self) -> bytes:
        """A snapshot: everything but the rulebook, which the log's own entries name and amend."""
        parts = {"books": self.books.to_bytes(), **self._parts()}
        buffer = io.BytesIO()
        buffer.write(json.dumps([(name, len(part)) for name, part in parts.items()]).encode() + b"\n")
        for part in parts.values():
            buffer.write(part)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes, rulebook: Rulebook) -> State:
        """The state of a snapshot, on the rulebook as founded (amendments are laid over it again)."""
        end = data.index(b"\n")
        parts: dict[str, bytes] = {}
        at = end + 1
        for name, length in json.loads(data[:end]):
            parts[name] = data[at : at + length]
            at += length
        head = json.loads(parts["head"])
        state = cls(rulebook, date.fromisoformat(head["today"]))
        state.books = Books.from_bytes(parts["books"])
        state.accounts = Accounts.from_bytes(parts["accounts"])
        state.participants = Participants.from_bytes(parts["participants"])
        state.installations = Installations.from_bytes(parts["installations"])
        state.reports = Reports.from_bytes(parts["reports"])
        state.activity = Activity.from_bytes(parts["activity"])
        state.exchange = Exchange.from_bytes(parts["exchange"])
        for name in FRAMES:
            setattr(state, name, tables.from_bytes(parts[name], name))
        state.unit_codes, state.notices, state.done = head["unit_codes"], head["notices"], head["done"]
        state.amendments = head["amendments"]
        for name in OF_PERSONS:
            setattr(state, name, head.get(name, getattr(state, name)))
        return state

    # -- small helpers that several handlers share

    @property
    def today_number(self) -> int:
        return day_number(self.today)

    def new_unit_type(self, code: str, kind: str, vintage: int | None, measure: str) -> None:
        self.exchange.see_units(len(self.books.unit_types) + 1)
        self.unit_codes[code] = self.books.add_unit_type(UnitType(code, self.rulebook.system.id, kind, vintage, measure))
