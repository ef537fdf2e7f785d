"""What a shortfall costs: money by the law's formula, units on top where the law says so. Missing units stay owed unless the law says otherwise."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl

from tonne.administration.allocate import ask_rows
from tonne.administration.asks import asks, offers
from tonne.administration.commands import Command
from tonne.administration.decision import Decision, price_of, year_of
from tonne.administration.refusals import Refusal
from tonne.administration.stabilise import first_year
from tonne.administration.state import State
from tonne.administration.surrender import brought_forward
from tonne.law import LawError
from tonne.units import NEAREST, Money


def penalise(state: State, command: Command) -> Decision:
    """Body: year, mean_price (text; where the law's fine is a multiple of a price). Each missing unit is fined once.

    `unpriced` (true) where nobody can work the fine out, because the law lacks a figure or the market a price: what is missing is recorded, in no
    money.
    """
    year = year_of(command)
    law = state.law(command.day)
    done = {"event": "task_done", "task": "penalise", "year": year, "day": command.day.isoformat()}
    rows = _missing(state, year).join(known_missing(state, year), on="installation", how="left", maintain_order="left")
    rows = rows.select("installation", shortfall=pl.col("missing") - pl.col("known").fill_null(0)).filter(pl.col("shortfall") > 0)
    if not rows.height:
        return Decision([done])
    shortfall = rows["shortfall"].to_numpy()
    low, high = _money(state, command, law, shortfall, year)
    units = np.asarray(ask_rows(law, "penalty_units", {"shortfall": shortfall})) if offers(law, "penalty_units") else np.zeros_like(shortfall)
    owed = np.asarray(ask_rows(law, "still_owed", {"missing": shortfall})) if offers(law, "still_owed") else shortfall
    frame = rows.with_columns(
        year=pl.lit(year, pl.Int32),
        low_minor=pl.Series(low, dtype=pl.Int64),
        high_minor=pl.Series(high, dtype=pl.Int64),
        units=pl.Series(units, dtype=pl.Int64),
        released=pl.Series(shortfall - owed, dtype=pl.Int64),
    )
    note = {"event": "published", "what": "penalties", "year": year, "installations": rows.height, "shortfall": int(shortfall.sum())}
    note |= {"low_minor": int(sum(low)), "high_minor": int(sum(high)), "units": int(units.sum())}
    note |= {"unpriced": True} if command.body.get("unpriced") else {}
    note |= {"released": int((shortfall - owed).sum()), "day": command.day.isoformat()}
    return Decision([{"event": "fined", "table": "fines"}, note, done], {"fines": frame})


def _missing(state: State, year: int) -> pl.DataFrame:
    """installation, missing: what was lacking when the year was judged."""
    judged = state.statuses.filter(pl.col("year") == year, ~pl.col("interim"))
    return judged.select("installation", missing=(pl.col("owed") - pl.col("surrendered")).clip(0))


def known_missing(state: State, year: int) -> pl.DataFrame:
    """installation, known: units that may be missing in a year without being fined in it. They were missing before these books began, or were
    fined at an earlier deadline and are missing ever since, or are the units that came on top of such a fine."""
    known = brought_forward(state).select("installation", known=(pl.col("owed_before") - pl.col("surrendered_before")).clip(0))
    for past in sorted(y for y in state.statuses["year"].unique().to_list() if first_year(state) <= y < year):
        fined = state.fines.filter(pl.col("year") == past)
        fined = fined.select("installation", fined=pl.col("shortfall") - pl.col("released") + pl.col("units"))
        known = known.join(_missing(state, past), on="installation", how="full", coalesce=True).join(fined, on="installation", how="left")
        left = pl.min_horizontal(pl.col("known").fill_null(0), pl.coalesce("missing", "known"))  # who was not judged made nothing good
        known = known.select("installation", known=left + pl.col("fined").fill_null(0))
    return known


def answers_fine(law: Any, year: int, price: Decimal | None) -> bool:
    """Whether the law can say what a missing unit of a year costs: it has a fine in money or none, and every figure and price that it needs."""
    if not offers(law, "penalty"):
        return True
    rule, _ = asks(law.rulebook)["penalty"]
    pool = _pool(rule, np.ones(1, dtype=np.int64), year, price)
    if any(name not in pool for name in rule.required):
        return False
    try:
        ask_rows(law, "penalty", pool)
    except (LawError, ValueError, KeyError):
        return False
    return True


def _pool(rule: Any, shortfall: Any, year: int, price: Decimal | None) -> dict[str, Any]:
    given = {"shortfall": shortfall, "year": year}
    return given | ({"mean_price": price} if "mean_price" in rule.given and price is not None else {})


def _money(state: State, command: Command, law: Any, shortfall: Any, year: int) -> tuple[list[int], list[int]]:
    """Fines in minor units, low and high (equal unless the text gives a range); zeros where the law has no fine in money."""
    none = [0] * len(shortfall)
    price = price_of(command, "mean_price")
    unpriced = command.body.get("unpriced", False)
    if not isinstance(unpriced, bool) or (unpriced and answers_fine(law, year, price)):
        raise Refusal("malformed", "unpriced is true where the law's fine cannot be worked out, and nowhere else")
    if not offers(law, "penalty") or unpriced:
        return none, none
    return fines(law, shortfall, year, price)


def fines(law: Any, shortfall: Any, year: int, price: Decimal | None) -> tuple[list[int], list[int]]:
    """Fines of a law that has some, row by row, in minor units of the system's currency: lowest and highest, equal unless the text gives a range.
    Raises Refusal `malformed` where the rule needs more than shortfall, year and mean price, and what the law raises."""
    rule, _ = asks(law.rulebook)["penalty"]
    pool = _pool(rule, shortfall, year, price)
    if missing := [name for name in rule.required if name not in pool]:
        raise Refusal("malformed", f"the fine of this law also needs {', '.join(missing)}")
    answer = ask_rows(law, "penalty", pool)
    currency = law.system.currency

    def minor(values: Any) -> list[int]:
        row = np.broadcast_to(np.asarray(values, dtype=object), len(shortfall))
        return [0 if v is None else Money.of(Decimal(str(v)), currency, NEAREST).minor for v in row.tolist()]  # None: the fine is repealed

    if isinstance(answer, dict):
        return minor(answer["low"]), minor(answer["high"])
    fine = minor(answer)
    return fine, fine
