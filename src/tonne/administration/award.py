"""Baseline and credit: each installation's limit for a year, and the units that those below theirs have earned."""

from __future__ import annotations

import numpy as np
import polars as pl

from tonne.administration.allocate import GIVEN, account_numbers, ask_rows, computed_allocation
from tonne.administration.asks import offers
from tonne.administration.commands import Command
from tonne.administration.decision import Decision, move, year_of
from tonne.administration.issue import new_allowance
from tonne.administration.kinds import Kind
from tonne.administration.state import LIMIT, State


def award(state: State, command: Command) -> Decision:
    """Body: year. Limits by the authority's table, or by the law's rule from the year's activity; units for what stayed below them.

    An installation without verified emissions earns nothing; one without a limit owes everything it emitted.
    """
    year = year_of(command)
    law = state.law(command.day)
    done = {"event": "task_done", "task": "award", "year": year, "day": command.day.isoformat()}
    if not offers(law, "units_earned"):
        return Decision([done])
    given = state.entitlements.filter(pl.col("year") == year, pl.col("basis") == GIVEN)
    limits = given if given.height else computed_allocation(state, command, year)
    if limits is None:
        return Decision([done])
    limits = limits.select("installation", "year", "quantity").with_columns(basis=pl.lit(LIMIT))
    verified = state.reports.for_year(year).filter(pl.col("verified").is_not_null()).select("installation", "verified")
    rows = limits.join(verified, on="installation", how="inner", maintain_order="left")
    pool = {"verified": rows["verified"].to_numpy(), "limit": rows["quantity"].to_numpy(), "year": year}
    earned = np.asarray(ask_rows(law, "units_earned", pool), dtype=np.int64)
    _, opening, unit = new_allowance(state, year)
    batch = move(command, Kind.ALLOCATE, state.accounts.number("issuance"), account_numbers(state, rows["installation"]), unit, earned)
    note = {"event": "published", "what": "awarded", "year": year, "quantity": int(earned.sum()), "rows": int((earned > 0).sum())}
    note |= {"limit": int(limits["quantity"].sum()), "day": command.day.isoformat()}
    return Decision([*opening, {"event": "entitled", "table": "entitlements"}, note, done], {"entitlements": limits}, batch)
