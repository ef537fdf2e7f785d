"""Surrendering units: what was surrendered so far, which units would be taken, and what a surrender would do before anybody sends it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import polars as pl

from tonne.administration.agenda import day_of
from tonne.administration.kinds import Kind
from tonne.administration.refusals import Refusal
from tonne.administration.state import State
from tonne.administration.surrender import admissible, brought_forward, spend, surrender
from tonne.interfaces.views.cache import Cache
from tonne.interfaces.views.expected import owed_to_date
from tonne.interfaces.views.found import asking, installation_of
from tonne.law import LawError


@dataclass(frozen=True)
class Pick:
    """Units of one type, in the order in which they are taken: `quantity` of the `available` ones."""

    unit: str
    vintage: int | None
    available: int
    quantity: int


@dataclass(frozen=True)
class SurrenderPreview:
    """What a surrender would do now. refused: the refusal's name, `` if it would be accepted; reason: its words in English.

    picks           units that would be taken; `short`: what is lacking of the quantity
    missing_before  of the period, as far as it is verified; missing_after: the same afterwards, below zero where more is surrendered than is owed
    """

    installation: str
    account: str
    holder: str
    year: int
    quantity: int
    picks: tuple[Pick, ...]
    short: int
    refused: str
    reason: str
    missing_before: int
    missing_after: int
    deadline: date | None


def surrender_preview(
    state: State, installation: str, year: int, quantity: int, today: date, *, by: str | None = None, cache: Cache | None = None
) -> SurrenderPreview:
    """What the command `surrender` would take for an installation and a year (of emissions), asked by its operator or `by`.

    Raises NotFound for an installation nobody registered."""
    installation_of(state, installation)
    number = state.accounts.number(f"operator:{installation}")
    holder, day = state.accounts.holders[number], max(today, state.today)
    rows = pl.DataFrame({"installation": [installation], "quantity": [quantity]}, schema={"installation": pl.String, "quantity": pl.Int64})
    ask = replace(asking(day, by or holder, "surrender", year=year), tables={"surrenders": rows})
    refused = reason = ""
    try:
        surrender(state, ask)
    except Refusal as refusal:
        refused, reason = refusal.name, refusal.reason
    except (LawError, ValueError) as error:
        refused, reason = "no_answer", str(error)
    batch, short = spend(state, ask, Kind.SURRENDER, np.array([number]), np.array([max(quantity, 0)]), year)
    took = {int(row["unit"]): int(row["quantity"]) for row in batch}
    before = _missing(state, installation, year, today, cache or Cache())
    taken = sum(took.values()) if not refused else 0
    units = [unit for unit in admissible(state, ask, year) if unit in took]
    return SurrenderPreview(
        installation=installation,
        account=state.accounts.ids[number],
        holder=holder,
        year=year,
        quantity=quantity,
        picks=tuple(_pick(state, unit, int(state.books.available(number, unit)), took[unit]) for unit in units),
        short=int(short[0]),
        refused=refused,
        reason=reason,
        missing_before=max(before, 0),
        missing_after=before - taken,
        deadline=day_of(state, "surrender", year),
    )


def _missing(state: State, installation: str, year: int, today: date, cache: Cache) -> int:
    owed = owed_to_date(state, [installation], year, today, cache).counted
    return owed.get(installation, 0) - surrendered_of(state, [installation], cache).get(installation, 0)


def picks_of(state: State, units: list[int], available: list[int], wanted: int) -> tuple[Pick, ...]:
    """What a surrender of `wanted` takes of unit types in their order, as far as they go; types of which nothing is there are left out."""
    found, left = [], wanted
    for unit, there in zip(units, available, strict=True):
        take = min(left, there)
        left -= take
        if there:
            found.append(_pick(state, unit, there, take))
    return tuple(found)


def _pick(state: State, unit: int, available: int, quantity: int) -> Pick:
    kind = state.books.unit_types[unit]
    return Pick(kind.code, kind.vintage, available, quantity)


def surrendered_of(state: State, installations: list[str], cache: Cache) -> dict[str, int]:
    """Installation -> units (and payments in place of them) that it ever surrendered, before these books too. As the law counts them."""
    moves, transfers = cache.moves(state), state.books.transfers
    target = state.accounts.number("surrendered") if len(state.accounts) else -1
    counted = np.array([unit.kind != "money" for unit in state.books.unit_types], dtype=bool)
    before = state.statuses.height and brought_forward(state).filter(pl.col("installation").is_in(installations))
    found = dict(before.select("installation", "surrendered_before").iter_rows()) if isinstance(before, pl.DataFrame) else {}
    for key in installations:
        number = state.accounts.find(f"operator:{key}")
        rows = transfers[moves.of(number)] if number >= 0 else transfers[:0]
        rows = rows[(rows["from_account"] == number) & (rows["to_account"] == target)]
        found[key] = int(found.get(key) or 0) + int(rows["quantity"][counted[rows["unit"]]].sum())
    return found
