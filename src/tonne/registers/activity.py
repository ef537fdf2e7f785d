"""What was made: output, heat, load per unit and year, the inputs of allocation rules that follow production."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import polars as pl

from tonne.registers import tables

ACTIVITY_SCHEMA: dict[str, Any] = {
    "installation": pl.String,
    "unit": pl.String,  # sub-installation or generating unit
    "year": pl.Int32,
    "sector": pl.String,
    "product": pl.String,  # benchmark product or class of generating unit
    "quantity": pl.Int64,  # t, MWh or TJ, as the product says
    "heat_gj": pl.Int64,  # heat supplied, GJ
    "load": tables.RATIO,  # output by the output at full rated power all year; null where it has no meaning
    "rated_mw": pl.Int64,  # null where it has no meaning
    "leakage_listed": pl.Boolean,  # on the list of sectors exposed to carbon leakage
    "border_adjusted": pl.Boolean,  # product under a carbon border adjustment
    "intensity": tables.RATIO,  # tCO2 per unit of quantity; null: unknown
    "historical": pl.Int64,  # tCO2e of the base period, where the law allocates by past emissions; null: unknown
}
_DEFAULTS: dict[str, Any] = {
    "sector": None,
    "heat_gj": 0,
    "load": None,
    "rated_mw": None,
    "leakage_listed": False,
    "border_adjusted": False,
    "intensity": None,
    "historical": None,
}
_KEY = ("installation", "unit", "year")


@dataclass(frozen=True, eq=False)
class Activity:
    """A frame in ACTIVITY_SCHEMA, one row per unit and year, in the order of installation, unit, year. Never changed.

    Raises `RegisterError` for a key that comes twice, empty keys or quantities, and negative numbers.
    """

    frame: pl.DataFrame

    def __post_init__(self) -> None:
        frame = tables.conform(self.frame, ACTIVITY_SCHEMA, _DEFAULTS, "activity")
        filled = ("installation", "unit", "year", "product", "quantity", "heat_gj", "leakage_listed", "border_adjusted")
        tables.refuse_nulls(frame, filled, "activity")
        tables.refuse_negative(frame, ("quantity", "heat_gj", "load", "rated_mw", "intensity", "historical"), "activity")
        object.__setattr__(self, "frame", tables.ordered(frame, _KEY, "activity"))

    @classmethod
    def empty(cls) -> Self:
        return cls(pl.DataFrame(schema=ACTIVITY_SCHEMA))

    def __len__(self) -> int:
        return self.frame.height

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Activity) and self.frame.equals(other.frame)

    def __hash__(self) -> int:
        return hash(self.frame.height)

    def for_year(self, year: int) -> pl.DataFrame:
        """The rows of one year."""
        return self.frame.filter(pl.col("year") == year)

    def for_installation(self, installation: str) -> pl.DataFrame:
        """The rows of one installation, all units and years."""
        return self.frame.filter(pl.col("installation") == installation)

    def totals(self) -> pl.DataFrame:
        """Columns year, product, quantity, heat_gj, units (rows): sums by year and product. Quantities of different products do not add up."""
        sums = (pl.col("quantity").sum(), pl.col("heat_gj").sum(), pl.len().cast(pl.Int64).alias("units"))
        return self.frame.group_by("year", "product").agg(*sums).sort("year", "product")

    def add(self, rows: Mapping[str, Any] | pl.DataFrame) -> Activity:
        """With one more row (a dict) or many (a frame); `RegisterError` if a unit has one for the year already."""
        frame = rows if isinstance(rows, pl.DataFrame) else pl.DataFrame([dict(rows)])
        return Activity(pl.concat([self.frame, tables.conform(frame, ACTIVITY_SCHEMA, _DEFAULTS, "activity")]))

    def to_bytes(self) -> bytes:
        """Arrow IPC: equal registers give equal bytes."""
        return tables.to_bytes(self.frame)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        return cls(tables.from_bytes(data, "activity"))
