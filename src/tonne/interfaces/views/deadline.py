"""How everybody stands at a deadline of the law: as it was judged, or as it would be judged today; and what the fines would be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from tonne.administration.agenda import day_of
from tonne.administration.asks import offers
from tonne.administration.penalise import answers_fine, fines, known_missing
from tonne.administration.refusals import Refusal
from tonne.administration.state import State
from tonne.administration.surrender import judged, period_end
from tonne.interfaces.views.cache import Cache
from tonne.interfaces.views.found import asking
from tonne.interfaces.views.runs import letters, takes_price
from tonne.law import LawError


@dataclass(frozen=True)
class Standing:
    """How everybody stands at a deadline: rows as of JUDGED. judged: the day on which it was decided, None: as it would be decided now.

    fines: what would be set for what is missing (low, high, in minor units), None where nobody can say (`why`); shortfall: units that would be fined.
    """

    year: int
    period: int
    due: date | None
    judged: date | None
    rows: pl.DataFrame
    shortfall: int
    low_minor: int | None
    high_minor: int | None
    why: str


def standing(state: State, year: int, today: date, mean_price: Decimal | None = None, cache: Cache | None = None) -> Standing:
    """Who has surrendered what is owed for a year (the last of its period), as it was judged or as it would be today."""
    cache = cache or Cache()
    due, done = day_of(state, "surrender", year), state.done.get(f"surrender:{year}")
    if done is not None:
        statuses = state.statuses.filter(pl.col("year") == year, ~pl.col("interim"))
    else:
        try:
            statuses = judged(state, asking(max(due or today, state.today)), year, interim=False)
        except (LawError, Refusal, ValueError, KeyError):  # the law has no answer for that year yet
            statuses = pl.DataFrame(schema={"installation": pl.String, "owed": pl.Int64, "surrendered": pl.Int64, "status": pl.String})
    rows = letters(state, year, statuses, cache)
    short = rows.filter(pl.col("missing") > 0).select("installation", "missing")
    known = known_missing(state, year) if short.height else pl.DataFrame(schema={"installation": pl.String, "known": pl.Int64})
    short = short.join(known, on="installation", how="left").select(shortfall=(pl.col("missing") - pl.col("known").fill_null(0)).clip(0))
    shortfall = short["shortfall"].to_numpy()
    low, high, why = _fined(state, shortfall, year, max(day_of(state, "penalise", year) or today, state.today), mean_price)
    return Standing(
        year=year,
        period=period_end(state, year),
        due=due,
        judged=None if done is None else date.fromisoformat(done),
        rows=rows,
        shortfall=int(shortfall.sum()),
        low_minor=low,
        high_minor=high,
        why=why,
    )


def _fined(state: State, shortfall: Any, year: int, day: date, price: Decimal | None) -> tuple[int | None, int | None, str]:
    law = state.law(day)
    if not len(shortfall):
        return 0, 0, ""
    if not offers(law, "penalty"):
        return None, None, "no_fine"
    if not answers_fine(law, year, price):
        return None, None, "needs_price" if price is None and takes_price(state, day) else "no_answer"
    low, high = fines(law, shortfall, year, price)
    return sum(low), sum(high), ""
