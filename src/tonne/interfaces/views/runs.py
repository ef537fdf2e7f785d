"""What a task of the law's calendar does, before it is done and after: its transfers by kind, its rows by installation beside last year's, its rule.

The same figures are made from a decision that changes nothing and from the entry of one that was carried out, so that the two can be compared.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl

from tonne.administration.agenda import TASKS, Task, day_of
from tonne.administration.asks import asks, offers
from tonne.administration.commands import Command, encode, unpack
from tonne.administration.decision import Decision
from tonne.administration.events import Entry
from tonne.administration.kinds import Kind
from tonne.administration.penalise import answers_fine
from tonne.administration.state import State
from tonne.interfaces.views.cache import Cache
from tonne.interfaces.views.explain import Formula, formula
from tonne.interfaces.views.participants import register
from tonne.interfaces.views.reports import permille
from tonne.ledger import TransferFlag
from tonne.simulation.yearly import granted

#: What the rows of a task's page are about.
UNITS, FINES, JUDGED, MISSING, ACCOUNTS = "units", "fines", "judged", "missing", "accounts"
FAMILIES: dict[str, str] = {
    **dict.fromkeys(("pre_allocate", "allocate", "final_allocate", "award"), UNITS),
    "penalise": FINES,
    **dict.fromkeys(("surrender", "interim_surrender"), JUDGED),
    "report": MISSING,
}
#: task -> questions whose rules it follows
ASKED: dict[str, tuple[str, ...]] = {
    "issue": ("cap",),
    "pre_allocate": ("pre_allocation", "allocation"),
    "allocate": ("allocation",),
    "final_allocate": ("allocation", "final_allocation"),
    "award": ("allocation", "units_earned"),
    "auction": ("auction_volume",),
    "surrender": ("obligation",),
    "interim_surrender": ("interim_obligation",),
    "penalise": ("penalty", "penalty_units", "still_owed"),
    "publish_circulation": ("tnac",),
    "stabilise": ("msr_intake", "msr_release"),
    "invalidate": ("msr_invalidation",),
    "carry_over": ("carry_over",),
}
#: Tasks whose rules are asked once, with figures of the whole system; the others ask them for each installation.
WHOLE = frozenset({"publish_circulation", "stabilise", "invalidate"})
#: Only sums are what two persons agree on here: what is carried over stands on whichever account people have moved it to by then.
BY_SUMS = frozenset({"carry_over"})
MOVES: dict[str, Any] = {
    "kind": pl.String,
    "from": pl.String,  # the account, or the kind of accounts where there are several
    "to": pl.String,
    "unit": pl.String,
    "transfers": pl.Int64,
    "quantity": pl.Int64,
}
_NAMED = ("name", "operator_name", "sector", "country")
ROWS: dict[str, dict[str, Any]] = {
    UNITS: {"quantity": pl.Int64, "returned": pl.Int64, "last_year": pl.Int64, "change": pl.Int64, "change_permille": pl.Int64},
    FINES: {
        "shortfall": pl.Int64,
        "low_minor": pl.Int64,
        "high_minor": pl.Int64,
        "units": pl.Int64,
        "released": pl.Int64,
        "last_year": pl.Int64,  # units fined for the year before
    },
    JUDGED: {"owed": pl.Int64, "surrendered": pl.Int64, "missing": pl.Int64, "letter": pl.String, "last_year": pl.String},
    MISSING: {"last_year": pl.Int64},  # last year's emissions
    ACCOUNTS: {"out": pl.Int64, "in": pl.Int64},
}


@dataclass(frozen=True)
class Outcome:
    """What a task does, or did. events: in order, without their tables; moves in MOVES; count: transfers in all.

    family: what `rows` are about; rows: installation (of ACCOUNTS: account, holder, unit), its name, operator, sector, country, then ROWS[family];
    totals: units by unit type that reach or leave accounts of people, `{unit: (in, out)}`; print: changes when anything that is decided changes,
    but not with the day on which it is decided.
    """

    task: str
    year: int
    events: tuple[dict[str, Any], ...]
    moves: pl.DataFrame
    count: int
    family: str
    rows: pl.DataFrame
    totals: dict[str, tuple[int, int]]
    print: str


def task_day(state: State, task: str, year: int) -> date | None:
    """The day of a task of the calendar. Raises KeyError for a word that is no task."""
    TASKS[task]
    return day_of(state, task, year)


def command_of(state: State, task: str, year: int, day: date, mean_price: Decimal | None = None) -> Command:
    """The law's own command for a task: with the market price where the fine is a multiple of one, unpriced where nobody can work the fine out."""
    plain = Task(day, 0, task, year).command()
    if task != "penalise":
        return plain
    body: dict[str, Any] = {"year": year} | ({"mean_price": str(mean_price)} if mean_price is not None else {})
    if not answers_fine(state.law(day), year, mean_price):
        body["unpriced"] = True
    return replace(plain, body=body)


def takes_price(state: State, day: date) -> bool:
    """Whether the fine of the law of a day is a multiple of a market price."""
    law = state.law(day)
    return offers(law, "penalty") and "mean_price" in asks(law.rulebook)["penalty"][0].given


def outcome(state: State, task: str, year: int, decision: Decision, cache: Cache | None = None) -> Outcome:
    """What a decision on a task would do."""
    return _outcome(state, task, year, decision.events, decision.tables, decision.transfers, cache)


def outcome_of(state: State, task: str, year: int, entry: Entry, cache: Cache | None = None) -> Outcome:
    """What the entry of a task has done. The figures beside (names, last year) are of now."""
    tables = {name: table for name, table in unpack(entry.tables).items() if not name.startswith("command/")}
    tables.pop("results", None)
    transfers = tables.pop("transfers", None)
    return _outcome(state, task, year, json.loads(entry.events), tables, transfers, cache)


def _outcome(state: State, task: str, year: int, events: Sequence[Any], tables: Mapping[str, Any], transfers: Any, cache: Cache | None) -> Outcome:
    told = [event for event in json.loads(encode(list(events))) if event["event"] != "judged"]
    batch = np.asarray(transfers) if transfers is not None else None
    units = _units(state, told)
    family = FAMILIES.get(task, ACCOUNTS)
    return Outcome(
        task=task,
        year=year,
        events=tuple(told),
        moves=_moves(state, batch, units),
        count=0 if batch is None else len(batch),
        family=family,
        rows=_ROWS_OF[family](state, task, year, tables, batch, units, cache or Cache()),
        totals=_totals(state, batch, units),
        print=_print(task, told, tables, batch),
    )


def _units(state: State, events: Sequence[Mapping[str, Any]]) -> list[str]:
    """Codes of the unit types by number, with those that the events add."""
    known = [unit.code for unit in state.books.unit_types]
    return known + [event["code"] for event in events if event["event"] == "unit_type_added" and event["code"] not in known]


def _moves(state: State, batch: Any, units: Sequence[str]) -> pl.DataFrame:
    if batch is None or not len(batch):
        return pl.DataFrame(schema=MOVES)
    kinds, ids = state.accounts.kinds, state.accounts.ids
    sides = {name: [int(number) for number in batch[f"{name}_account"].tolist()] for name in ("from", "to")}
    void = (batch["flags"] & int(TransferFlag.VOID)) != 0
    quantity = batch["quantity"].astype(np.int64)
    for place in np.flatnonzero(void).tolist():  # of what is set free again the books know how much it was
        pending = state.books.transfer(int(batch["reference"][place]))
        quantity[place] = pending.quantity if pending is not None else 0
    frame = pl.DataFrame(
        {
            "kind": ["set_free" if free else Kind(int(one)).word for one, free in zip(batch["kind"], void, strict=True)],
            **{f"{name}_kind": [kinds[number] for number in numbers] for name, numbers in sides.items()},
            **{name: [ids[number] for number in numbers] for name, numbers in sides.items()},
            "unit": [units[int(one)] for one in batch["unit"]],
            "quantity": quantity,
        }
    )
    by = ["kind", "from_kind", "to_kind", "unit"]
    one = [pl.when(pl.col(name).n_unique() == 1).then(pl.col(name).first()).otherwise(pl.lit(None, pl.String)).alias(name) for name in ("from", "to")]
    found = frame.group_by(by, maintain_order=True).agg(*one, transfers=pl.len(), quantity=pl.col("quantity").sum())
    found = found.with_columns(pl.coalesce("from", "from_kind").alias("from"), pl.coalesce("to", "to_kind").alias("to"))
    return found.select([pl.col(name).cast(kind) for name, kind in MOVES.items()])


def _totals(state: State, batch: Any, units: Sequence[str]) -> dict[str, tuple[int, int]]:
    if batch is None or not len(batch):
        return {}
    own = np.array([kind in ("operator", "trading", "remainder") for kind in state.accounts.kinds], dtype=bool)
    found = {}
    for unit in np.unique(batch["unit"]).tolist():
        rows = batch[(batch["unit"] == unit) & ((batch["flags"] & int(TransferFlag.PENDING | TransferFlag.VOID)) == 0)]
        given, taken = (int(rows["quantity"][own[rows[f"{side}_account"]]].sum()) for side in ("to", "from"))
        if given or taken:
            found[units[unit]] = (given, taken)
    return found


def _print(task: str, events: Sequence[Mapping[str, Any]], tables: Mapping[str, Any], batch: Any) -> str:
    digest = hashlib.sha256(encode([{name: value for name, value in event.items() if name != "day"} for event in events]))
    for name in sorted(tables):
        table = tables[name]
        digest.update(name.encode() + (table.write_json().encode() if isinstance(table, pl.DataFrame) else np.asarray(table).tobytes()))
    if batch is not None:
        for name in ("kind", "unit", "quantity") if task in BY_SUMS else ("kind", "from_account", "to_account", "unit", "quantity", "flags"):
            if task in BY_SUMS and name == "quantity":
                digest.update(str(int(batch[name].sum())).encode())
            elif task in BY_SUMS:
                digest.update(np.unique(batch[name]).tobytes())
            else:
                digest.update(np.ascontiguousarray(batch[name]).tobytes())
    return digest.hexdigest()


# -- rows


def _with_names(state: State, frame: pl.DataFrame, family: str, cache: Cache) -> pl.DataFrame:
    names = register(state, cache).select("installation", *_NAMED)
    joined = frame.join(names, on="installation", how="left", maintain_order="left")
    columns = {"installation": pl.String, **dict.fromkeys(_NAMED, pl.String), **ROWS[family]}
    return joined.select([pl.col(name).cast(kind) for name, kind in columns.items()])


def _of_units(state: State, task: str, year: int, tables: Mapping[str, Any], batch: Any, units: Sequence[str], cache: Cache) -> pl.DataFrame:
    """Units that each installation gets and gives back by this run, beside what it was given for the year before."""
    keys = pl.Series(state.accounts.installations, dtype=pl.String)
    moved = {"installation": pl.String, "quantity": pl.Int64, "returned": pl.Int64}
    frame = pl.DataFrame(schema=moved)
    if batch is not None and len(batch):
        parts = [
            pl.DataFrame({"installation": keys.gather(batch[f"{side}_account"]), name: batch["quantity"].astype(np.int64)})
            for side, name in (("to", "quantity"), ("from", "returned"))
        ]
        summed = [part.drop_nulls("installation").group_by("installation").sum() for part in parts]
        frame = summed[0].join(summed[1], on="installation", how="full", coalesce=True)
    decided = tables.get("entitlements")
    if isinstance(decided, pl.DataFrame):  # also those whom the run gives nothing
        frame = decided.select("installation").unique().join(frame, on="installation", how="full", coalesce=True)
    last = granted(state, year - 1).group_by("installation").agg(last_year=pl.col("quantity").sum())
    if task == "award":  # what is on record is a limit and no units: there is nothing to lay beside what was earned
        last = last.head(0)
    elif frame.height:
        frame = frame.join(last.select("installation"), on="installation", how="full", coalesce=True)
    frame = frame.select([pl.col(name).cast(kind) for name, kind in moved.items()]).join(last, on="installation", how="left")
    frame = frame.with_columns(pl.col("quantity", "returned").fill_null(0))
    net = pl.col("quantity") - pl.col("returned")
    change = pl.when(pl.col("last_year").is_not_null()).then(net - pl.col("last_year"))
    frame = frame.with_columns(change=change).with_columns(change_permille=permille(pl.col("change"), pl.col("last_year")))
    return _with_names(state, frame.sort("quantity", "installation", descending=[True, False]), UNITS, cache)


def _of_fines(state: State, task: str, year: int, tables: Mapping[str, Any], batch: Any, units: Sequence[str], cache: Cache) -> pl.DataFrame:
    given = tables.get("fines")
    if not isinstance(given, pl.DataFrame):
        return pl.DataFrame(schema={"installation": pl.String, **dict.fromkeys(_NAMED, pl.String), **ROWS[FINES]})
    last = state.fines.filter(pl.col("year") == year - 1).group_by("installation").agg(last_year=pl.col("shortfall").sum())
    frame = given.join(last, on="installation", how="left", maintain_order="left").sort("shortfall", "installation", descending=[True, False])
    return _with_names(state, frame, FINES, cache)


def _of_judged(state: State, task: str, year: int, tables: Mapping[str, Any], batch: Any, units: Sequence[str], cache: Cache) -> pl.DataFrame:
    given = tables.get("statuses")
    schema = {"installation": pl.String, **dict.fromkeys(_NAMED, pl.String), **ROWS[JUDGED]}
    return letters(state, year, given, cache) if isinstance(given, pl.DataFrame) else pl.DataFrame(schema=schema)


def letters(state: State, year: int, statuses: pl.DataFrame, cache: Cache) -> pl.DataFrame:
    """Judgements (owed, surrendered, status by installation) as rows, what is missing first, beside the letters of the judgement before."""
    earlier = state.statuses.filter(pl.col("year") < year, ~pl.col("interim")).sort("year")
    last = earlier.group_by("installation", maintain_order=True).agg(last_year=pl.col("status").last())
    missing = (pl.col("owed") - pl.col("surrendered")).clip(0)
    frame = statuses.with_columns(letter=pl.col("status"), missing=missing).join(last, on="installation", how="left", maintain_order="left")
    return _with_names(state, frame.sort("missing", "installation", descending=[True, False]), JUDGED, cache)


def _of_missing(state: State, task: str, year: int, tables: Mapping[str, Any], batch: Any, units: Sequence[str], cache: Cache) -> pl.DataFrame:
    given = tables.get("missing")
    frame = given.select("installation") if isinstance(given, pl.DataFrame) else pl.DataFrame(schema={"installation": pl.String})
    before = state.reports.for_year(year - 1).select("installation", last_year=pl.coalesce("verified", "reported"))
    return _with_names(state, frame.join(before, on="installation", how="left", maintain_order="left").sort("installation"), MISSING, cache)


def _of_accounts(state: State, task: str, year: int, tables: Mapping[str, Any], batch: Any, units: Sequence[str], cache: Cache) -> pl.DataFrame:
    schema = {"account": pl.String, "holder": pl.String, "unit": pl.String, **ROWS[ACCOUNTS]}
    if batch is None or not len(batch):
        return pl.DataFrame(schema=schema)
    ids, holders = pl.Series(state.accounts.ids), pl.Series(state.accounts.holders)
    names, much = pl.Series(units).gather(batch["unit"]), batch["quantity"].astype(np.int64)
    parts = [
        pl.DataFrame({"account": ids.gather(batch[f"{side}_account"]), "holder": holders.gather(batch[f"{side}_account"]), "unit": names, name: much})
        for side, name in (("from", "out"), ("to", "in"))
    ]
    frame = pl.concat(parts, how="diagonal").group_by("account", "holder", "unit", maintain_order=True).sum()
    return frame.select([pl.col(name).cast(kind) for name, kind in schema.items()])


_ROWS_OF = {UNITS: _of_units, FINES: _of_fines, JUDGED: _of_judged, MISSING: _of_missing, ACCOUNTS: _of_accounts}


# -- the rule behind it


def rules_of(state: State, task: str, year: int, day: date, events: Sequence[Mapping[str, Any]] = ()) -> tuple[Formula, ...]:
    """The rules that a task follows in the law of a day, with what they are asked where the events say it."""
    law = state.law(max(day, state.rulebook.system.begins))
    told: dict[str, Any] = {"year": year}
    for event in events if task in WHOLE else ():
        if event.get("event") == "published":
            told |= {name: value for name, value in event.items() if isinstance(value, int) and not isinstance(value, bool)}
    circulation = state.notice("circulation", year)
    if task == "stabilise" and circulation is not None:
        told["tnac"] = circulation["quantity"]
    return tuple(formula(law, ask, told, (year,)) for ask in ASKED.get(task, ()) if offers(law, ask))
