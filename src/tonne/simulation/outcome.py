"""What came of a run: the yearly table, the statement of circulation, compliance, sectors. Read from the books and registers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from tonne.administration.asks import offers
from tonne.administration.kinds import Kind
from tonne.administration.state import State
from tonne.dates import calendar_year
from tonne.ledger.statement import Statement
from tonne.simulation.run import REMAINDER, Inputs, published
from tonne.simulation.yearly import Yearly, flows, published_circulation, sectors

AUCTION_SCHEMA: dict[str, Any] = {
    "year": pl.Int64,
    "auction": pl.String,
    "day": pl.Date,
    "outcome": pl.String,
    "reason": pl.String,
    **dict.fromkeys(("price", "reserve", "ceiling"), pl.Decimal),
    **dict.fromkeys(("planned", "offered", "sold", "unsold", "added", "released", "withheld"), pl.Int64),
    "cover_ratio": pl.Decimal(38, 2),
    "bidders": pl.Int64,
    "winners": pl.Int64,
    "proceeds_minor": pl.Int64,
}


@dataclass(frozen=True)
class Outcome:
    """The state after a run and what it was given."""

    state: State
    inputs: Inputs
    first_year: int
    last_year: int

    @cached_property
    def yearly(self) -> Yearly:
        return Yearly(self.state, self.first_year, self.last_year)

    def table(self) -> pl.DataFrame:
        """One row a year, whole units, as `Yearly.table` has it."""
        return self.yearly.table()

    def statement(self) -> list[Statement]:
        """Circulation, computed against published, year by year; differences explained as far as the rulebook's statistics explain them."""
        if self.inputs.synthetic:
            return []  # generated installations have no published circulation to agree with
        figures = published_circulation(self.state.rulebook, self.last_year)
        source = {**_sources(self.state.rulebook, "circulation_before_publication"), **_sources(self.state.rulebook, "circulation")}
        statements = []
        for row in self.table().iter_rows(named=True):
            year = row["year"]
            if year not in figures:
                continue
            statements.append(
                Statement(
                    name=f"circulation {year}",
                    day=calendar_year(year).last,
                    computed=row["circulation"],
                    published=figures[year],
                    source=source.get(year, ""),
                    explanations=tuple(self._explanations(year)),
                )
            )
        return statements

    def _explanations(self, year: int) -> list[tuple[str, int]]:
        """Known reasons why the books differ from the published circulation, as signed units: computed less published."""
        found: list[tuple[str, int]] = []
        parameter = self.state.rulebook.parameters.get("statistics.credits_exchanged")
        noticed = [v for v in parameter.values if v.starts <= calendar_year(year).last] if parameter is not None else []
        if noticed:
            total = max(int(quantity) for quantity in noticed[-1].content.values())
            found.append((f"credits exchanged for allowances by {noticed[-1].starts} are not in these books", -total))
        if self.inputs.estimated:
            found.append(
                ("free allocation beyond the installations given is estimated in proportion to emissions: no published totals were given", 0)
            )
        if self.inputs.opening is not None and year == self.first_year:
            found.append((f"none to explain: opening {self.inputs.opening[1]}", 0))
        return found

    def remarks(self) -> list[str]:
        """What whoever reads the tables should know: rows that were not used, fines that could not be worked out, who reported nothing."""
        said = []
        years = self.inputs.reports.frame["year"]
        other = int((~years.is_between(self.first_year, self.last_year)).sum())
        if other:
            said.append(f"{other:,} rows of the reports are of years before {self.first_year} or after {self.last_year} and were not run")
        for notice in self.state.notices:
            if notice["what"] == "penalties" and notice.get("unpriced"):
                lacking = f"{notice['shortfall']:,} units missing from {notice['installations']:,} installations"
                said.append(f"no fine for {notice['year']}: {lacking}, and the law lacks a figure or the market a price to work it out")
        return said + self._of_auctions() + self._of_circulation()

    def _of_auctions(self) -> list[str]:
        """That bids are generated, where volumes come from, and what stands unsold."""
        said = []
        years = range(self.first_year, self.last_year + 1)
        if any(self.state.noticed("auction_result", year) for year in years):
            said.append("bids are generated around the year's mean price: clearing prices are not those of the real auctions")
        bases: dict[str, list[str]] = {}
        for year in years:
            notice = self.state.notice("auction", year)
            if notice is not None and notice["quantity"]:
                bases.setdefault(notice["basis"], []).append(str(year))
        if len(bases) > 1:
            told = {"published": "published", "rule": "worked out by the rule"}
            said.append("the volume auctioned is " + ", ".join(f"{told[basis]} for {', '.join(of)}" for basis, of in sorted(bases.items())))
        stall = self.state.accounts.number("auction")
        left = sum(self.state.books.balance(stall, unit) for unit in self.state.allowance_units())
        if left:
            said.append(f"{left:,} units stand unsold on the auction account: they fill no lot, or nobody bid for them")
        return said

    def _of_circulation(self) -> list[str]:
        """What circulation means where the law does not define it."""
        if offers(self.state.law(), "tnac") or not any(self.yearly.held(year) for year in range(self.first_year, self.last_year + 1)):
            return []
        what = "circulation is what participants hold after the surrender deadline of the year, units of the next year among them"
        return [what if self.inputs.opening is not None else f"{what}; these books begin with nothing"]

    def money(self) -> pl.DataFrame:
        """year, received, fined_low, fined_high: what the public received in a calendar year for units and payments, and the fines for an emissions
        year, in minor units of the currency."""
        rows = self.state.books.transfers
        money = self.state.unit(self.state.rulebook.system.currency)
        paid = rows[(rows["to_account"] == self.state.accounts.number("treasury")) & (rows["unit"] == money)]
        years = paid["day"].astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
        received = pl.DataFrame({"year": years, "received": paid["quantity"]}).group_by("year").agg(pl.col("received").sum())
        fines = self.state.fines.group_by(pl.col("year").cast(pl.Int64)).agg(
            fined_low=pl.col("low_minor").sum(), fined_high=pl.col("high_minor").sum()
        )
        both = received.join(fines, on="year", how="full", coalesce=True).sort("year")
        return both.with_columns(pl.col("received", "fined_low", "fined_high").fill_null(0))

    def auctions(self) -> pl.DataFrame:
        """Every auction with bids that was held for the years run, in the order of days: year, auction (its name), day, outcome (cleared, partial,
        cancelled, declined), reason; price, reserve, ceiling (money per unit; the law's lowest and highest); planned, offered, sold, unsold,
        added at the ceiling, released by and withheld into containment reserves (units); cover_ratio, bidders, winners; proceeds_minor (minor units
        of the currency, whoever sold)."""
        held = [notice for year in range(self.first_year, self.last_year + 1) for notice in self.state.noticed("auction_result", year)]
        money = ("price", "reserve", "ceiling")
        digits = max([0, *(-int(Decimal(one[name]).as_tuple().exponent) for one in held for name in money if one[name] is not None)])
        rows = [
            one
            | {name: None if one[name] is None else Decimal(one[name]) for name in money}
            | {"cover_ratio": None if one["cover_ratio"] is None else Decimal(one["cover_ratio"])}
            | {"day": date.fromisoformat(one["day"]), "released": sum(one["by_tier"]), "proceeds_minor": one["paid_minor"]}
            for one in held
        ]
        schema = {name: pl.Decimal(38, digits) if kind == pl.Decimal else kind for name, kind in AUCTION_SCHEMA.items()}
        return pl.DataFrame({name: [row[name] for row in rows] for name in schema}, schema=schema).sort("day", maintain_order=True)

    def compliance(self) -> pl.DataFrame:
        """year, status, installations: how many of each letter, the remainder left out."""
        frame = self._judged().filter(pl.col("installation") != REMAINDER)
        return frame.group_by("year", "status").agg(installations=pl.len()).sort("year", "status")

    def _judged(self) -> pl.DataFrame:
        """Final judgements of the years run."""
        return self.state.statuses.filter(~pl.col("interim"), pl.col("year") >= self.first_year)

    def agreement(self) -> pl.DataFrame:
        """year, compared, agreeing: computed letters against those that the files print (a star after a letter is left out of the comparison)."""
        letters = self.inputs.reports.frame.filter(pl.col("published_status").is_not_null()).select(
            "installation", "year", printed=pl.col("published_status").str.strip_chars("*")
        )
        both = letters.join(self._judged(), on=["installation", "year"])
        agreeing = pl.col("printed") == pl.col("status")
        return both.group_by("year").agg(compared=pl.len(), agreeing=agreeing.sum()).sort("year")

    def sectors(self) -> pl.DataFrame:
        """sector, year, allocated, verified of the installations given: who got more than they emitted."""
        return sectors(self.state, self.first_year, self.last_year)

    def flows(self) -> pl.DataFrame:
        """year, kind, transfers, quantity: what moved in each calendar year, units only (money left out)."""
        words = pl.DataFrame({"kind": [int(k) for k in Kind], "what": [k.word for k in Kind]}, schema={"kind": pl.Int16, "what": pl.String})
        return flows(self.state).join(words, on="kind").select("year", "what", "transfers", "quantity").sort("year", "what")


def opening(rulebook: Any, inputs: Inputs, first_year: int) -> tuple[int, str] | None:
    """Units in circulation before the first year, and how the figure was come by.

    The published circulation of the year before; where there is none, worked back from the first published one: circulation of the first
    year, plus what was verified, less what was allocated and auctioned in it.
    """
    figures = published_circulation(rulebook, first_year + 1)
    if first_year - 1 in figures:
        return figures[first_year - 1], f"published circulation of {first_year - 1}"
    if inputs.synthetic:
        return (figures[first_year], f"published circulation of {first_year}, standing in for the year before") if first_year in figures else None
    auctioned = published(rulebook, "auctioned", first_year + 1)
    totals = yearly_totals(rulebook, inputs, first_year)
    if first_year in figures and first_year in auctioned and totals is not None:
        allocated, verified = totals
        worked_back = figures[first_year] + verified - allocated - auctioned[first_year]
        return worked_back, f"worked back from the published circulation of {first_year}, so that year agrees by construction"
    return None


def yearly_totals(rulebook: Any, inputs: Inputs, year: int) -> tuple[int, int] | None:
    """(allocated, verified) of the whole system in a year: published totals, or what is loaded."""
    source = inputs.totals
    if source is not None:
        rows = source.filter(pl.col("year") == year)
        if rows.height:
            return int(rows["allocated"].sum()), int(rows["verified"].sum())
    rows = inputs.reports.for_year(year)
    if not rows.height:
        return None
    return int(rows.select(pl.sum_horizontal("^allocated.*$")).sum().item()), int(rows["verified"].sum())


def totals_of(rulebook: Any, inputs: Inputs, first: int, last: int) -> tuple[pl.DataFrame, bool] | None:
    """Published totals from the rulebook's own statistics, in the columns a run takes, and whether their allocation is an estimate.

    Where no allocation is published, the whole system is taken to get as much for a tonne of emissions as the installations given get. None where
    the statistics have no verified emissions.
    """
    verified = published(rulebook, "verified_emissions", last)
    if not any(first <= year <= last for year in verified):
        return None
    allocated = dict(published(rulebook, "allocated", last))
    years = [year for year in range(first, last + 1) if year in verified]
    estimated = any(year not in allocated for year in years)
    for year in years:
        given = yearly_totals(rulebook, inputs, year)
        if year not in allocated and given is not None and given[1]:
            allocated[year] = given[0] * verified[year] // given[1]
    frame = pl.DataFrame(
        {
            "year": years,
            "allocated": [allocated.get(year, 0) for year in years],
            "verified": [verified[year] for year in years],
            "surrendered": [None] * len(years),
        },
        schema={"year": pl.Int32, "allocated": pl.Int64, "verified": pl.Int64, "surrendered": pl.Int64},
    )
    return frame, estimated


def _sources(rulebook: Any, name: str) -> dict[int, str]:
    parameter = rulebook.parameters.get(f"statistics.{name}")
    if parameter is None:
        return {}
    return {year: f"{value.source} [{value.confidence}]" for value in parameter.values for year in (value.content or {})}
