"""The installations of a system: who emits, where, under which permit, from when to when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import polars as pl

from tonne.registers import tables
from tonne.registers.errors import RegisterError

INSTALLATION_SCHEMA: dict[str, Any] = {
    "installation": pl.String,  # the key everywhere in this project
    "account": pl.String,  # the account number in the registry that published the file; report files name installations by it
    "registry": pl.String,  # the registry (country, state, province) that keeps the account
    "name": pl.String,
    "operator": pl.String,  # the account holder
    "permit": pl.String,
    "activity": pl.String,  # code of the activity, as the system numbers it
    "sector": pl.String,  # the activity in words
    "nace": pl.String,  # statistical classification of the business
    "country": pl.String,
    "latitude": pl.Float64,  # degrees; null where the source has none (or prints 0, 0)
    "longitude": pl.Float64,
    "opened": pl.Int32,  # first year with emissions to report
    "closed": pl.Int32,  # last year with emissions to report; null: still running
    "status": pl.String,  # open, closed
}
STATUSES = ("open", "closed")
_DEFAULTS: dict[str, Any] = {
    **dict.fromkeys(("account", "registry", "operator", "permit", "activity", "sector", "nace", "country"), None),
    **dict.fromkeys(("latitude", "longitude", "opened", "closed"), None),
    "status": "open",
}


@dataclass(frozen=True, eq=False)
class Installations:
    """A frame in INSTALLATION_SCHEMA, one row per installation, in the order of the key. Never changed: every change is a new one.

    Raises `RegisterError` for a key that comes twice, an empty key or name, an account given to two installations, an unknown status.
    """

    frame: pl.DataFrame

    def __post_init__(self) -> None:
        frame = tables.conform(self.frame, INSTALLATION_SCHEMA, _DEFAULTS, "installations")
        tables.refuse_nulls(frame, ("installation", "name", "status"), "installations")
        tables.refuse_others(frame, "status", STATUSES, "installations")
        accounts = frame["account"].drop_nulls()
        if accounts.n_unique() != accounts.len():
            twice = accounts.filter(accounts.is_duplicated()).unique().sort().head(5).to_list()
            raise RegisterError(f"installations: an account belongs to one installation, but these belong to several: {twice}")
        object.__setattr__(self, "frame", tables.ordered(frame, ("installation",), "installations"))

    @classmethod
    def empty(cls) -> Self:
        return cls(pl.DataFrame(schema=INSTALLATION_SCHEMA))

    def __len__(self) -> int:
        return self.frame.height

    def __contains__(self, installation: object) -> bool:
        return installation in self._rows

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Installations) and self.frame.equals(other.frame)

    def __hash__(self) -> int:
        return hash((self.frame.height, *self.frame.hash_rows(seed=0).head(64).to_list()))

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {key: row for row, key in enumerate(self.frame["installation"].to_list())}

    def lookup(self, installation: str) -> dict[str, Any]:
        """The row of one installation as a dict; `RegisterError` if it is not registered."""
        row = self._rows.get(installation)
        if row is None:
            raise RegisterError(f"installations: {installation!r} is not registered")
        return self.frame.row(row, named=True)

    def by_account(self) -> pl.DataFrame:
        """Two columns, account and installation, for joining files that name installations by their account."""
        return self.frame.select("account", "installation").drop_nulls()

    def count(self, **equal: str | int | None) -> int:
        """How many installations have these values: `count()`, `count(status="open", country="AT")`."""
        if not equal:
            return self.frame.height
        unknown = [name for name in equal if name not in INSTALLATION_SCHEMA]
        if unknown:
            raise RegisterError(f"installations: no columns {unknown}; the columns are {list(INSTALLATION_SCHEMA)}")
        return self.frame.filter(*(pl.col(name).eq_missing(pl.lit(value)) for name, value in equal.items())).height

    def operating(self, year: int) -> pl.DataFrame:
        """The installations with emissions to report in the year: opened by then, not closed before."""
        opened = pl.col("opened").is_null() | (pl.col("opened") <= year)
        return self.frame.filter(opened, pl.col("closed").is_null() | (pl.col("closed") >= year))

    def add(self, rows: Mapping[str, Any] | pl.DataFrame) -> Installations:
        """With one more installation (a dict) or many (a frame); `RegisterError` if a key is there already."""
        frame = rows if isinstance(rows, pl.DataFrame) else pl.DataFrame([dict(rows)])
        return Installations(pl.concat([self.frame, tables.conform(frame, INSTALLATION_SCHEMA, _DEFAULTS, "installations")]))

    def with_closed(self, installation: str, year: int) -> Installations:
        """With the installation closed, `year` being the last year it has emissions to report."""
        row = self.lookup(installation)
        if row["status"] == "closed":
            raise RegisterError(f"installations: {installation!r} is closed already, its last year is {row['closed']}")
        if row["opened"] is not None and year < row["opened"]:
            raise RegisterError(f"installations: {installation!r} opened in {row['opened']} and cannot close in {year}")
        this = pl.col("installation") == installation
        closed = pl.when(this).then(pl.lit(year, pl.Int32)).otherwise("closed").alias("closed")
        return Installations(self.frame.with_columns(closed, pl.when(this).then(pl.lit("closed")).otherwise("status").alias("status")))

    def with_nace(self, codes: pl.DataFrame) -> Installations:
        """With the NACE codes of a frame (installation, nace); installations the frame does not name keep theirs."""
        new = codes.select("installation", pl.col("nace").cast(pl.String).alias("_nace")).unique()
        if new["installation"].is_duplicated().any():
            raise RegisterError("installations: an installation has two different NACE codes in the same table")
        joined = self.frame.join(new, on="installation", how="left", maintain_order="left")
        return Installations(joined.with_columns(nace=pl.coalesce("_nace", "nace")).drop("_nace"))

    def to_bytes(self) -> bytes:
        """Arrow IPC: equal registers give equal bytes."""
        return tables.to_bytes(self.frame)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        return cls(tables.from_bytes(data, "installations"))
