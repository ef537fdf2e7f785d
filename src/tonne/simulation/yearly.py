"""The whole system year by year, read from the books and registers of a market: cap, allocation, auctions, emissions, what circulates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from tonne.administration.asks import offers
from tonne.administration.stabilise import circulation_parts
from tonne.administration.state import LIMIT, State
from tonne.dates import day_number
from tonne.ledger.views import balance_on
from tonne.simulation.run import REMAINDER, published


@dataclass(frozen=True)
class Yearly:
    """The figures of a market's emissions years, first to last."""

    state: State
    first_year: int
    last_year: int

    def table(self) -> pl.DataFrame:
        """One row a year, whole units: cap, allocated, auctioned, verified (whole system) and verified_loaded (the installations given),
        surrendered for the year (and by the installations given), circulation at the end of the year, the reserve's intake and balance."""
        return pl.DataFrame([self.row(year) for year in range(self.first_year, self.last_year + 1)], infer_schema_length=None)

    def row(self, year: int) -> dict[str, Any]:
        notice = self.state.notice
        cap, auction = notice("cap", year), notice("auction", year)
        rows = self.state.reports.for_year(year).filter(pl.col("verified").is_not_null())
        rest = rows.filter(pl.col("installation") == REMAINDER)["verified"].sum()
        supply, demand, holding = circulation_parts(self.state, year)
        surrendered = self._surrendered.get(year, (0, 0))
        limits = self.state.entitlements.filter(pl.col("year") == year, pl.col("basis") == LIMIT)
        given = granted(self.state, year)
        return {
            "year": year,
            "cap": cap["quantity"] if cap else None,
            "limit": int(limits["quantity"].sum()),
            "earned": (notice("awarded", year) or {}).get("quantity", 0),
            "bought": (notice("sold_at_fixed_price", year) or {}).get("quantity", 0),
            "paid": (notice("paid", year) or {}).get("quantity", 0),
            "allocated": int(given["quantity"].sum()),
            "allocated_loaded": int(given.filter(pl.col("installation") != REMAINDER)["quantity"].sum()),
            "auctioned": auction["quantity"] if auction else 0,
            "verified": int(rows["verified"].sum()),
            "verified_loaded": int(rows["verified"].sum()) - int(rest),
            "surrendered": surrendered[0],
            "surrendered_loaded": surrendered[1],
            "circulation": supply - demand - holding if offers(self.state.law(), "tnac") else self.held(year),
            "circulation_published": published_circulation(self.state.rulebook, self.last_year).get(year),
            "reserve_intake": auction["intake"] if auction else 0,
            "reserve_placed": auction["placed"] if auction else 0,
            "reserve_balance": holding,
        }

    def held(self, year: int) -> int | None:
        """What participants hold after the surrender deadline of a year; None where the year has no deadline of its own."""
        done = self.state.done.get(f"surrender:{year}")
        if done is None or self.state.notice("compliance", year) is None:
            return None
        accounts = self.state.accounts
        held = [number for kind in ("operator", "trading", "remainder") for number in accounts.of_kind(kind)]
        units = self.state.allowance_units()
        return balance_on(self.state.books.transfers, held, date.fromisoformat(done), units)

    @cached_property
    def _surrendered(self) -> dict[int, tuple[int, int]]:
        """Emissions year -> units surrendered (all, by the installations given): what moved between one surrender deadline and the next."""
        rows = self.state.books.transfers
        rows = rows[rows["to_account"] == self.state.accounts.number("surrendered")]
        rest = self.state.accounts.find(f"operator:{REMAINDER}")
        found: dict[int, tuple[int, int]] = {}
        before = -1
        for year in range(self.first_year, self.last_year + 1):
            done = self.state.done.get(f"surrender:{year}")
            if done is None:
                continue
            until = day_number(date.fromisoformat(done))
            now = rows[(rows["day"] > before) & (rows["day"] <= until)]
            own = now[now["from_account"] != rest]
            found[year] = (int(now["quantity"].sum()), int(own["quantity"].sum()))
            before = until
        return found


def granted(state: State, year: int) -> pl.DataFrame:
    """installation, year, quantity, basis: the free allocation of a year: the final one, or before there is one what was allocated ahead."""
    rows = state.entitlements.filter(pl.col("year") == year, pl.col("basis") != LIMIT)
    final = rows.filter(pl.col("basis") != "pre_allocation")
    return final if final.height else rows


def published_circulation(rulebook: Any, last_year: int) -> dict[int, int]:
    """Published circulation by year, with the rounded figures of before the first official publication where the statistics keep them."""
    return {**published(rulebook, "circulation_before_publication", last_year), **published(rulebook, "circulation", last_year)}


def flows(state: State) -> pl.DataFrame:
    """year, kind (its number), transfers, quantity: what moved in each calendar year, units only (money left out)."""
    rows = state.books.transfers
    rows = rows[np.isin(rows["unit"], state.allowance_units())]
    years = rows["day"].astype("datetime64[D]").astype("datetime64[Y]").astype(int) + 1970
    frame = pl.DataFrame({"year": years, "kind": rows["kind"], "quantity": rows["quantity"]})
    return frame.group_by("year", "kind").agg(transfers=pl.len(), quantity=pl.col("quantity").sum())


def sectors(state: State, first_year: int, last_year: int) -> pl.DataFrame:
    """sector, year, allocated, verified of the installations given: who got more than they emitted."""
    names = state.installations.frame.select("installation", pl.col("sector").fill_null("not said"))
    given = state.entitlements.filter(pl.col("basis") != "pre_allocation")
    given = given.group_by("installation", "year").agg(allocated=pl.col("quantity").sum())
    verified = state.reports.frame.select("installation", "year", pl.col("verified").fill_null(0))
    rows = verified.join(given, on=["installation", "year"], how="left").join(names, on="installation", how="left")
    rows = rows.filter(pl.col("installation") != REMAINDER, pl.col("year").is_between(first_year, last_year))
    return rows.group_by("sector", "year").agg(pl.col("allocated").sum(), pl.col("verified").sum()).sort("sector", "year")
