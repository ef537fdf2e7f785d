"""What a report is made from: one plain record of a run, put together by whoever ran it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tonne.reports.words import emissions_unit, plural

if TYPE_CHECKING:
    import polars as pl

    from tonne.law import Law, System


@dataclass(frozen=True)
class RunData:
    """The figures of a run. Quantities are whole units of the system; its measure (tonne, short ton) says what one unit stands for.

    law          the law on the last day of the run, of which the report prints the sources
    table        one row a year: year, cap, allocated, auctioned, verified, surrendered, circulation, reserve_intake, reserve_balance, ...
    statement    circulation computed against published: name, day, computed, published, difference, explained, unexplained, agrees, ...
    compliance   year, status, installations
    sectors      sector, year, allocated, verified: the installations given
    flows        year, what, transfers, quantity
    agreement    year, compared, agreeing: computed letters against printed ones
    money        year, received, fined_low, fined_high: minor units of the currency
    auctions     every auction with bids: day, price, reserve, ceiling, offered, sold, ...; None: nobody looked
    remarks      what whoever reads the tables should know
    label        what to print wherever the figures go, when they are synthetic; `` for real records
    """

    system: System
    law: Law
    first_year: int
    last_year: int
    table: pl.DataFrame
    statement: pl.DataFrame
    compliance: pl.DataFrame
    sectors: pl.DataFrame
    flows: pl.DataFrame
    agreement: pl.DataFrame
    money: pl.DataFrame
    auctions: pl.DataFrame | None = None
    remarks: tuple[str, ...] = ()
    label: str = ""
    seconds: float = 0.0
    state_hash: str = ""

    @property
    def name(self) -> str:
        """The system's English name, its id where it has none."""
        return self.system.name.get("en", self.system.id)

    @property
    def years(self) -> str:
        return str(self.first_year) if self.first_year == self.last_year else f"{self.first_year} to {self.last_year}"

    @property
    def units(self) -> str:
        """What the units are called: EU allowances."""
        return plural(self.system.unit_name)

    @property
    def emissions(self) -> str:
        """What emissions are counted in: t CO2e, short tons CO2."""
        return emissions_unit(self.system.measure)

    @property
    def granted(self) -> str:
        """What the sectors' column `allocated` is: units given free, or, where the system compares emissions with them, limits."""
        limits = "limit" in self.table.columns and bool(self.table["limit"].sum())
        return "Limit" if limits else "Allocated free"
