"""The exchange's side of the state: what is listed, who is admitted, the order book, what is set aside for orders, positions and agreements.

Nothing here decides. Positions stand in the ledger too (unit types that sum to zero); here they are columns, because every batch of orders asks for
them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np

from tonne.administration import margining
from tonne.administration.commands import encode
from tonne.dates import day_number
from tonne.market.orders import EXECUTION, INSTRUCTION
from tonne.market.plain_book import PlainBook

#: An agreement that waits for its day: units from the seller against money from the buyer, both set aside.
DUE = np.dtype(
    [
        ("number", "<i8"),  # the agreement's own, from 1
        ("quantity", "<i8"),  # units
        ("cost", "<i8"),  # minor units
        ("buyer", "<i4"),
        ("seller", "<i4"),
        ("instrument", "<i4"),
        ("day", "<i4"),  # agreed on
        ("due", "<i4"),  # to be settled on
        ("tried", "<i4"),  # how often it failed
    ]
)
#: Whose an order is.
OWNER = np.dtype([("account", "<i4"), ("instrument", "<i4"), ("side", "i1"), ("spare", "i1", (3,))])
#: Bought and not yet free to be sold again.
LOCK = np.dtype([("quantity", "<i8"), ("account", "<i4"), ("unit", "<i4"), ("free", "<i4"), ("spare", "<i4")])
#: One closed day of one instrument.
BAR = np.dtype(
    [
        ("instrument", "<i4"),
        ("day", "<i4"),
        ("open", "<i8"),  # ticks; 0: no trade
        ("high", "<i8"),
        ("low", "<i8"),
        ("close", "<i8"),
        ("volume", "<i8"),  # lots
        ("value", "<i8"),  # ticks x lots
        ("trades", "<i8"),
        ("negotiated", "<i8"),  # lots agreed outside the book
        ("settlement", "<i8"),  # ticks; 0: none
        ("open_interest", "<i8"),  # lots
    ]
)
#: From so many instructions on the compiled book is worth its coming.
PLAIN_UNTIL = 20_000
#: The trading account and the collateral account of a member: two rows of what is set aside.
ROWS = 2


@dataclass
class Exchange:
    """All that an exchange with its clearing house remembers between two commands.

    listed      one mapping an instrument, in the order of listing: what `list_instrument` published
    members     one mapping a member: account, and for margined contracts position and collateral account (ledger numbers, -1 without)
    taken       sequence of the last entry whose instructions the book has taken
    held        by order number: what stands behind the order (minor units or units; for a margined instrument its lots)
    owner       by order number: account, instrument and side of an order that was accepted
    cover       [2 x member + (0 trading, 1 collateral), unit type]: what is set aside; cover_id the pending transfer that does it
    bought, sold, position, basis    [member, instrument] lots of open orders, lots held, and ticks x lots at which they stand in the books
    traded      lots of the day, for fees
    marks       last settlement price in ticks
    families, credits, losses     margin: parameters as given, and the losses worked out from them; worst: what one more lot may ask for
    owed        [member, unit type] money that could not be collected; called: collateral that is needed and not there
    """

    venue: str = ""
    listed: list[dict[str, Any]] = field(default_factory=list)
    members: list[dict[str, Any]] = field(default_factory=list)
    proposals: dict[str, dict[str, Any]] = field(default_factory=dict)
    one_way: dict[str, dict[str, Any]] = field(default_factory=dict)
    sales: dict[str, dict[str, Any]] = field(default_factory=dict)
    auctioned: dict[str, int] = field(default_factory=dict)
    families: list[dict[str, Any]] = field(default_factory=list)
    credits: list[dict[str, Any]] = field(default_factory=list)
    losses: dict[str, Any] = field(default_factory=dict)
    taken: int = 0
    agreements: int = 0
    day: int = 0
    held: Any = field(default_factory=lambda: np.zeros(1024, dtype=np.int64))
    owner: Any = field(default_factory=lambda: np.zeros(1024, dtype=OWNER))
    cover: Any = field(default_factory=lambda: np.zeros((0, 0), dtype=np.int64))
    cover_id: Any = field(default_factory=lambda: np.zeros((0, 0), dtype=np.int64))
    bought: Any = field(default_factory=lambda: np.zeros((0, 0), dtype=np.int64))
    sold: Any = field(default_factory=lambda: np.zeros((0, 0), dtype=np.int64))
    position: Any = field(default_factory=lambda: np.zeros((0, 0), dtype=np.int64))
    basis: Any = field(default_factory=lambda: np.zeros((0, 0), dtype=np.int64))
    traded: Any = field(default_factory=lambda: np.zeros((0, 0), dtype=np.int64))
    marks: Any = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    worst: Any = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    owed: Any = field(default_factory=lambda: np.zeros((0, 0), dtype=np.int64))
    called: Any = field(default_factory=lambda: np.zeros((0, 0), dtype=np.int64))
    due: Any = field(default_factory=lambda: np.zeros(0, dtype=DUE))
    locks: Any = field(default_factory=lambda: np.zeros(0, dtype=LOCK))
    day_trades: Any = field(default_factory=lambda: np.zeros(0, dtype=EXECUTION))
    n_trades: int = 0
    bars: Any = field(default_factory=lambda: np.zeros(0, dtype=BAR))
    book: Any = None
    _member_of: Any = field(default_factory=lambda: np.full(1024, -1, dtype=np.int32), repr=False)
    _numbers: dict[str, int] = field(default_factory=dict, repr=False)
    _columns: dict[str, Any] = field(default_factory=dict, repr=False)
    _margin: Any = field(default=None, repr=False)
    #: What is worked out once: emptied whenever what is listed, admitted or margined changes.
    kept: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._index()

    # -- growing

    def list_instrument(self, listing: Mapping[str, Any]) -> None:
        """One more instrument, at the next number; the book gets it too."""
        rules = rules_of(listing)
        self.listed.append(dict(listing))
        if self.book is None:
            self.book = PlainBook([rules])
        else:
            self.book.add_instrument(rules)
        self.marks = np.append(self.marks, np.int64(listing["mark"]))
        self.worst = np.append(self.worst, np.int64(0))
        self._resize()

    def admit(self, members: Sequence[Mapping[str, Any]]) -> None:
        """More members, or the same ones with the accounts of a margined market."""
        for member in members:
            number = self.member(member["account"])
            if number >= 0:
                self.members[number] = dict(member)
            else:
                self.members.append(dict(member))
        self._resize()

    def see_units(self, count: int) -> None:
        """Room for as many unit types as the ledger has."""
        if count > self.cover.shape[1]:
            for name in ("cover", "cover_id", "owed", "called"):
                table = getattr(self, name)
                setattr(self, name, _wider(table, (table.shape[0], count)))

    def _resize(self) -> None:
        members, instruments = len(self.members), len(self.listed)
        for name in ("bought", "sold", "position", "basis", "traded"):
            setattr(self, name, _wider(getattr(self, name), (members, instruments)))
        for name in ("cover", "cover_id"):
            setattr(self, name, _wider(getattr(self, name), (ROWS * members, self.cover.shape[1])))
        for name in ("owed", "called"):
            setattr(self, name, _wider(getattr(self, name), (members, self.cover.shape[1])))
        self._index()

    def _index(self) -> None:
        """What is looked up by number or by code, made from `listed` and `members`."""
        self.kept = {}
        highest = max((member["account"] for member in self.members), default=0)
        self._member_of = np.full(max(1024, 2 * highest + 1), -1, dtype=np.int32)
        for number, member in enumerate(self.members):
            self._member_of[member["account"]] = number
        self._numbers = {listing["code"]: number for number, listing in enumerate(self.listed)}
        names = ("unit", "money", "lot", "tick_value", "position_unit", "resale_lag", "position_limit", "fee", "min_order")
        self._columns = {name: np.array([listing[name] for listing in self.listed], dtype=np.int64) for name in names}
        days = [listing["expiry"] for listing in self.listed]
        self._columns["last_day"] = np.array([2**31 if day is None else day_number(date.fromisoformat(day)) for day in days], dtype=np.int64)
        self._columns["margined"] = np.array([listing["settlement"] == "margined" for listing in self.listed], dtype=bool)
        self._columns["premium"] = np.array([listing["premium"] == "paid" for listing in self.listed], dtype=bool)
        columns = ("margined", "tick_value", "lot", "money", "unit", "resale_lag")
        self._columns["listed"] = np.stack([self._columns[name].astype(np.int64) for name in columns], axis=1)
        self._columns["member_of"] = self._member_of
        self._columns["account"] = np.array([member["account"] for member in self.members], dtype=np.int64)
        self._columns["position_account"] = np.array([member["position"] for member in self.members], dtype=np.int64)
        self._columns["collateral"] = np.array([member["collateral"] for member in self.members], dtype=np.int64)
        both = np.stack([self._columns["account"], self._columns["collateral"]], axis=1) if self.members else np.zeros((0, 2), dtype=np.int64)
        self._columns["row_account"] = both.reshape(-1)

    def set_losses(self, stored: Mapping[str, Any], worst: Any) -> None:
        """Losses as the log keeps them; they stand until worked out again."""
        self.losses = dict(stored)
        self.worst = np.array(worst, dtype=np.int64)
        self._margin = None
        self.kept = {}

    def margin(self) -> tuple[Any, Any]:
        """The book of margin parameters and the losses that stand, put together once."""
        if self._margin is None:
            book = margining.book_of(self, self.marks, date.fromisoformat(self.losses["day"]))
            self._margin = (book, margining.known_losses(self.losses))
        return self._margin

    def submit(self, rows: Any) -> Any:
        """What the book answers to instructions. The plain book serves until the compiled one, which takes a while to come, is worth it; both are
        the same book, byte for byte."""
        if isinstance(self.book, PlainBook) and self.book.count + len(rows) > PLAIN_UNTIL:
            from tonne.market.order_book import OrderBook

            self.book = OrderBook.from_bytes(self.book.to_bytes())
        return self.book.submit(rows).copy()

    @property
    def trades(self) -> Any:
        """The day's trades so far."""
        return self.day_trades[: self.n_trades]

    def add_trades(self, rows: Any) -> None:
        if self.n_trades + len(rows) > len(self.day_trades):
            more = np.zeros(max(1024, self.n_trades + len(rows), 2 * len(self.day_trades)), dtype=EXECUTION)
            more[: self.n_trades] = self.trades
            self.day_trades = more
        self.day_trades[self.n_trades : self.n_trades + len(rows)] = rows
        self.n_trades += len(rows)

    def order_room(self, highest: int) -> None:
        """Room for order numbers up to `highest`."""
        if highest >= len(self.held):
            more = max(highest + 1 - len(self.held), len(self.held))
            self.held = np.concatenate([self.held, np.zeros(more, dtype=np.int64)])
            self.owner = np.concatenate([self.owner, np.zeros(more, dtype=OWNER)])

    # -- looking up

    def column(self, name: str) -> Any:
        """A column over instruments (unit, money, lot, tick_value, ...) or over members (account, position_account, collateral)."""
        return self._columns[name]

    def number(self, code: str) -> int:
        """The number of an instrument, -1 if nothing of that code is listed."""
        return self._numbers.get(code, -1)

    def member(self, account: int) -> int:
        """The number of the member whose trading account this is, -1 if there is none."""
        return int(self._member_of[account]) if 0 <= account < len(self._member_of) else -1

    def members_of(self, accounts: Any) -> Any:
        """Member numbers of ledger account numbers, -1 where there is none."""
        known = (accounts >= 0) & (accounts < len(self._member_of))
        return np.where(known, self._member_of[np.where(known, accounts, 0)], -1)

    # -- bytes

    def to_bytes(self) -> bytes:
        """Everything, in one canonical form."""
        arrays = {name: getattr(self, name) for name in _ARRAYS} | {"day_trades": self.trades}
        used = 0 if self.book is None else self.book.highest + 1
        arrays["held"], arrays["owner"] = self.held[:used], self.owner[:used]
        blocks = {name: np.ascontiguousarray(array).tobytes() for name, array in arrays.items()}
        blocks["book"] = b"" if self.book is None else self.book.to_bytes()
        head = {
            "venue": self.venue,
            "listed": self.listed,
            "members": self.members,
            "proposals": self.proposals,
            "one_way": self.one_way,
            "sales": self.sales,
            "auctioned": self.auctioned,
            "families": self.families,
            "credits": self.credits,
            "losses": self.losses,
            "taken": self.taken,
            "agreements": self.agreements,
            "day": self.day,
            "shapes": {name: list(array.shape) for name, array in arrays.items()},
            "lengths": [[name, len(block)] for name, block in blocks.items()],
        }
        return encode(head) + b"\n" + b"".join(blocks.values())

    @classmethod
    def from_bytes(cls, data: bytes) -> Exchange:
        end = data.index(b"\n")
        head = json.loads(data[:end])
        head_names = ("venue", "listed", "members", "proposals", "one_way", "sales", "auctioned", "families", "credits", "losses")
        names = (*head_names, "taken", "agreements", "day")
        found = cls(**{name: head[name] for name in names})
        at = end + 1
        for name, length in head["lengths"]:
            part = data[at : at + length]
            if name == "book":
                found.book = PlainBook.from_bytes(part) if part else None
            else:
                setattr(found, name, np.frombuffer(part, dtype=_ARRAYS[name]).reshape(head["shapes"][name]).copy())
            at += length
        found.n_trades = len(found.day_trades)
        found.order_room(max(1023, len(found.held)))
        found._index()
        return found


_ARRAYS: dict[str, Any] = dict.fromkeys(
    ("held", "cover", "cover_id", "bought", "sold", "position", "basis", "traded", "marks", "worst", "owed", "called"), np.dtype("<i8")
) | {"owner": OWNER, "due": DUE, "locks": LOCK, "day_trades": EXECUTION, "bars": BAR}


def rules_of(listing: Mapping[str, Any]) -> Any:
    """What the book must know of an instrument, from its listing."""
    from tonne.market.orders import InstrumentRules, Matching, Phase

    rules = listing["book"]
    return InstrumentRules(**(rules | {"matching": Matching(rules["matching"]), "phase": Phase(rules["phase"])}))


def instructions(rows: int) -> Any:
    """So many empty instructions."""
    return np.zeros(rows, dtype=INSTRUCTION)


def _wider(table: Any, shape: tuple[int, int]) -> Any:
    new = np.zeros((max(shape[0], table.shape[0]), max(shape[1], table.shape[1])), dtype=table.dtype)
    new[: table.shape[0], : table.shape[1]] = table
    return new
