"""Puts another registry's transaction blocks through a market's ledger, in the order in which they happened."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tonne.administration.commands import Command, Reply
from tonne.administration.decision import IMPORTED_IDS
from tonne.administration.permissions import ADMINISTRATOR
from tonne.dates import day_number

if TYPE_CHECKING:
    import polars as pl

    from tonne.store.desk import Desk

BATCH = 1_000
#: What a block does, in the words of the file -> the ledger's kind of transfer.
KINDS = {
    "issue": "issue",
    "allocation": "allocate",
    "surrender": "surrender",
    "cancellation": "cancel",
    "retirement": "retire",
    "replacement": "replace",
    "correction": "correct",
    "conversion": "convert",
    "carry_over": "carry_over",
}
#: Ids of the openings that make up for what the file does not show lie above all block numbers.
OPENING_NUMBERS = 1 << 40


@dataclass
class Imported:
    """What came of an import.

    blocks           in the file
    results          result's name -> blocks, of this import (a repeated one says `exists`)
    posted           blocks that are in the books now
    refused          frame: block_id, result, of the blocks that are not
    brought_forward  units by unit type that accounts must have held before the file begins
    batches          how many batches went through, each with conservation checked after it
    """

    blocks: int = 0
    results: dict[str, int] = field(default_factory=dict)
    posted: int = 0
    refused: pl.DataFrame | None = None
    brought_forward: dict[str, int] = field(default_factory=dict)
    batches: int = 0


def import_transactions(
    desk: Desk,
    path: str | Path,
    *,
    bring_forward: bool = True,
    batch: int = BATCH,
    progress: Callable[[str, int, int], None] = lambda what, done, of: None,
) -> Imported:
    """Import a file of transaction blocks into the market of `desk` (founded here when it is new).

    A file begins somewhere: accounts hold units that it does not show coming. With `bring_forward` each account first gets from outside the least
    that lets its blocks post, as openings that say so; without, such blocks are refused as insufficient_balance. Raises BadFile, StoreError.
    """
    from tonne.formats.transactions import read_transactions

    frame, _ = read_transactions(path)
    rows = _as_rows(frame)
    first = rows["when"].min()
    assert isinstance(first, date)
    found = Imported(blocks=rows.height)
    send = _sender(desk)
    if desk.administration.sequence == 0:
        system = desk.administration.founding_rulebook.system
        day = max(system.begins, date(first.year, 1, 1))
        send(Command("found", "found", ADMINISTRATOR, day, {"system": system.id, "scenario": "", "first_year": first.year}))
    stamp = hashlib.sha256(b"".join(str(row).encode() for row in rows.rows())).hexdigest()[:16]
    _prepare(desk, send, rows, first, stamp)
    if bring_forward:
        _bring_forward(desk, send, rows, first, stamp, found)
    for start, part in _batches(rows, batch):
        day = max(part["when"][0], desk.administration.state.today)
        body_id = f"import:{stamp}:{batch}:{start}"
        reply = send(Command(body_id, "import_transfers", ADMINISTRATOR, day, {}, {"rows": part.drop("when")}))
        counts = {"exists": part.height} if reply.repeated else next(e["results"] for e in reply.events if e["event"] == "judged")
        for name, count in counts.items():
            found.results[name] = found.results.get(name, 0) + count
        desk.administration.state.books.check()
        found.batches += 1
        progress("transaction blocks", start + part.height, rows.height)
    _count(desk, rows, found)
    return found


def _batches(rows: pl.DataFrame, size: int) -> Iterator[tuple[int, pl.DataFrame]]:
    """(place of the first row, rows): at most `size` rows, all of one day, so that the log's days are those on which things happened."""
    place = 0
    for part in rows.partition_by("when", maintain_order=True):
        for start in range(0, part.height, size):
            yield place + start, part.slice(start, size)
        place += part.height


def _as_rows(frame: pl.DataFrame) -> pl.DataFrame:
    """Blocks as the command takes them: number, from, to, unit, quantity, kind, day (number), and `when` (date)."""
    import polars as pl

    into_being = (pl.col("kind") == "issue") | (pl.col("transferring_account") == pl.col("acquiring_account"))
    unit = pl.when(pl.col("project_id").is_not_null()).then(pl.format("{}-{}", "unit_type", "project_id")).otherwise("unit_type")
    when = pl.col("timestamp").dt.date()
    days = (when - pl.lit(date(1970, 1, 1))).dt.total_days().cast(pl.Int32)
    return frame.select(
        number="block_id",
        **{"from": pl.when(into_being).then(pl.lit("issuance")).otherwise(pl.format("log-{}", "transferring_account"))},
        to=pl.format("log-{}", "acquiring_account"),
        unit=unit,
        quantity="amount",
        kind=pl.col("kind").replace_strict(KINDS, default="transfer"),
        day=days,
        when=when,
    )


def _sender(desk: Desk) -> Callable[[Command], Reply]:
    def send(command: Command) -> Reply:
        if desk.administration.outcome_of(command.id) == "accepted":
            return Reply(command.id, "accepted", repeated=True)
        reply = desk.call(command)
        if not reply.accepted:
            raise ValueError(f"{command.id} was refused: {reply.outcome}: {reply.reason}")
        return reply

    return send


def _prepare(desk: Desk, send: Callable[[Command], Reply], rows: pl.DataFrame, first: date, stamp: str) -> None:
    """Open the accounts and add the unit types that the file names and the market does not have yet."""
    import polars as pl

    state = desk.administration.state
    day = max(first, state.today)
    names = sorted(set(rows["from"].to_list()) | set(rows["to"].to_list()))
    new = [name for name in names if name not in state.accounts]
    if new:
        nothing = pl.Series([None] * len(new), dtype=pl.String)
        accounts = pl.DataFrame({"account": new, "kind": "trading", "holder": ADMINISTRATOR, "installation": nothing})
        send(Command(f"import:{stamp}:accounts", "open_accounts", ADMINISTRATOR, day, {}, {"accounts": accounts}))
    for code in sorted(set(rows["unit"].to_list())):
        if state.unit(code) < 0:
            kind = "credit" if "-" in code else "allowance"
            body: dict[str, Any] = {"code": code, "kind": kind, "measure": state.rulebook.system.measure, "vintage": None}
            send(Command(f"import:unit:{code}", "add_unit_type", ADMINISTRATOR, day, body))


def _bring_forward(desk: Desk, send: Callable[[Command], Reply], rows: pl.DataFrame, first: date, stamp: str, found: Imported) -> None:
    """Openings for the least that each account must have held: the deepest point of its running balance."""
    import polars as pl

    place = pl.int_range(pl.len()).alias("place")
    moves = rows.with_columns(place)
    legs = pl.concat(
        [
            moves.filter(pl.col("from") != "issuance").select(account="from", unit="unit", quantity=-pl.col("quantity"), place="place"),
            moves.select(account="to", unit="unit", quantity="quantity", place="place"),
        ]
    ).sort("place")
    running = legs.with_columns(balance=pl.col("quantity").cum_sum().over("account", "unit"))
    lowest = running.group_by("account", "unit").agg(quantity=-pl.col("balance").min()).filter(pl.col("quantity") > 0).sort("unit", "account")
    for unit, quantity in lowest.group_by("unit", maintain_order=True).agg(pl.col("quantity").sum()).iter_rows():
        found.brought_forward[unit] = quantity
    if not lowest.height:
        return
    openings = lowest.select(
        number=OPENING_NUMBERS + pl.int_range(pl.len(), dtype=pl.Int64),
        **{"from": pl.lit("outside")},
        to="account",
        unit="unit",
        quantity="quantity",
        kind=pl.lit("opening"),
        day=pl.lit(day_number(first), pl.Int32),
    )
    day = max(first, desk.administration.state.today)
    send(Command(f"import:{stamp}:openings", "import_transfers", ADMINISTRATOR, day, {}, {"rows": openings}))


def _count(desk: Desk, rows: pl.DataFrame, found: Imported) -> None:
    """Which blocks are in the books now, and under which names the others were refused."""
    import polars as pl

    books = desk.administration.state.books
    there = set(books.transfers["id"].tolist())
    in_books = [IMPORTED_IDS + number in there for number in rows["number"].to_list()]
    found.posted = sum(in_books)
    found.refused = rows.filter(~pl.Series(in_books, dtype=pl.Boolean)).drop("when")
