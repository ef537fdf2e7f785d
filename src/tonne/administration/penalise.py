"""What a shortfall costs: money by the law's formula, units on top where the law says so. What is missing stays owed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl

from tonne.administration.allocate import ask_rows
from tonne.administration.asks import asks, offers
from tonne.administration.commands import Command
from tonne.administration.decision import Decision, whole
from tonne.administration.refusals import Refusal
from tonne.administration.state import State
from tonne.administration.surrender import brought_forward
from tonne.units import NEAREST, Money


def penalise(state: State, command: Command) -> Decision:
    """Body: year, mean_price (text; where the law's fine is a multiple of a price). Each missing unit is fined once."""
    year = whole(command, "year", 1900)
    law = state.law(command.day)
    done = {"event": "task_done", "task": "penalise", "year": year, "day": command.day.isoformat()}
    judged = state.statuses.filter(pl.col("year") == year, ~pl.col("interim"), pl.col("owed") > pl.col("surrendered"))
    fined = state.fines.group_by("installation").agg(already=pl.col("shortfall").sum(), on_top=pl.col("units").sum())
    rows = judged.join(fined, on="installation", how="left", maintain_order="left").with_columns(pl.col("already", "on_top").fill_null(0))
    # Units deducted on top are owed too and are not fined again; nor is what was missing before these books began.
    before = brought_forward(state).select("installation", old=(pl.col("owed_before") - pl.col("surrendered_before")).clip(0))
    rows = rows.join(before, on="installation", how="left", maintain_order="left").with_columns(pl.col("old").fill_null(0))
    new = pl.col("owed") - pl.col("surrendered") - pl.col("already") - pl.col("on_top") - pl.col("old")
    rows = rows.with_columns(shortfall=new).filter(pl.col("shortfall") > 0)
    if not rows.height:
        return Decision([done])
    shortfall = rows["shortfall"].to_numpy()
    low, high = _money(state, command, law, shortfall, year)
    units = np.asarray(ask_rows(law, "penalty_units", {"shortfall": shortfall})) if offers(law, "penalty_units") else np.zeros_like(shortfall)
    frame = rows.select("installation", "year", "shortfall").with_columns(
        low_minor=pl.Series(low, dtype=pl.Int64), high_minor=pl.Series(high, dtype=pl.Int64), units=pl.Series(units, dtype=pl.Int64)
    )
    note = {"event": "published", "what": "penalties", "year": year, "installations": rows.height, "shortfall": int(shortfall.sum())}
    note |= {"low_minor": int(sum(low)), "high_minor": int(sum(high)), "units": int(units.sum()), "day": command.day.isoformat()}
    return Decision([{"event": "fined", "table": "fines"}, note, done], {"fines": frame})


def _money(state: State, command: Command, law: Any, shortfall: Any, year: int) -> tuple[list[int], list[int]]:
    """Fines in minor units, low and high (equal unless the text gives a range); zeros where the law has no fine in money."""
    none = [0] * len(shortfall)
    if not offers(law, "penalty"):
        return none, none
    rule, _ = asks(law.rulebook)["penalty"]
    pool: dict[str, Any] = {"shortfall": shortfall, "year": year}
    if "mean_price" in rule.given and command.body.get("mean_price"):
        pool["mean_price"] = Decimal(command.body["mean_price"])
    if missing := [name for name in rule.required if name not in pool]:
        raise Refusal("malformed", f"the fine of this law also needs {', '.join(missing)}")
    answer = ask_rows(law, "penalty", pool)
    currency = state.rulebook.system.currency

    def minor(values: Any) -> list[int]:
        row = np.broadcast_to(np.asarray(values, dtype=object), len(shortfall))
        return [Money.of(Decimal(str(v)), currency, NEAREST).minor for v in row.tolist()]

    if isinstance(answer, dict):
        return minor(answer["low"]), minor(answer["high"])
    fine = minor(answer)
    return fine, fine
