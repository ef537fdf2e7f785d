"""The yearly reports: what was allocated, emitted, verified and surrendered, and the compliance status that follows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from tonne.registers import tables
from tonne.registers.errors import RegisterError

REPORT_SCHEMA: dict[str, Any] = {
    "installation": pl.String,
    "year": pl.Int32,  # the year of the emissions
    "allocated": pl.Int64,  # free allocation, the base number; 0 where none is printed
    "allocated_transitional": pl.Int64,  # free allocation for modernising power generation
    "allocated_new_entrant": pl.Int64,  # free allocation from the reserve for new entrants
    "reported": pl.Int64,  # what the operator reported and nobody verified yet; null: nothing
    "verified": pl.Int64,  # tCO2e that count: verified, corrected or estimated by the authority; null: none
    "state": pl.String,  # one of STATES
    "surrendered": pl.Int64,  # null: none
    "published_status": pl.String,  # the compliance letter as the file prints it, such as A*; null: none
}
STATES = ("no_entry", "not_reported", "reported", "rejected", "verified", "estimated", "corrected", "excluded")
"""`no_entry`: no figure and no remark, before opening, after closing or not due yet. `not_reported`: a figure was due and is missing."""

WITH_FIGURE = ("verified", "estimated", "corrected")
MISSING = ("not_reported", "reported", "rejected")
CORRECTION_SCHEMA: dict[str, Any] = {
    "sequence": pl.Int64,  # 1, 2, 3: the order in which they were made
    "installation": pl.String,
    "year": pl.Int32,
    "before": pl.Int64,
    "after": pl.Int64,
    "state_before": pl.String,
    "after_deadline": pl.Boolean,
    "by": pl.String,
    "on": pl.Date,
    "reason": pl.String,
}
_DEFAULTS: dict[str, Any] = {
    **dict.fromkeys(("allocated", "allocated_transitional", "allocated_new_entrant"), 0),
    **dict.fromkeys(("reported", "verified", "surrendered", "published_status"), None),
    "state": "no_entry",
}
_ALLOCATIONS = ("allocated", "allocated_transitional", "allocated_new_entrant")
_KEY = ("installation", "year")


def status(
    cumulative_surrendered: ArrayLike,
    cumulative_verified: ArrayLike,
    verified_missing: ArrayLike,
    *,
    corrected_after_deadline: ArrayLike = False,
    no_obligation: ArrayLike = False,
    suspended: ArrayLike = False,
) -> NDArray[np.str_]:
    """The compliance letter of each row; arguments broadcast, quantities are int64 tonnes or units, the rest boolean.

    The rule is cumulative: what was surrendered to date against what was verified to date. In this order the first that holds:
    X  the registry was suspended, entry or surrender was impossible;
    -  no obligation;
    C  a verified figure is missing;
    D  the authority corrected the figure after the deadline, and surrenders do not cover it;
    E  it did, and they cover it;
    A  surrendered to date >= verified to date (60 >= 60);  B  not (59 < 60).
    An installation excluded for the year owes nothing new: it is judged by its past, A or B, or C if the last figure due is missing.
    """
    covered = np.asarray(cumulative_surrendered) >= np.asarray(cumulative_verified)
    corrected = np.asarray(corrected_after_deadline, dtype=bool)
    answers = (
        (np.asarray(suspended, dtype=bool), "X"),
        (np.asarray(no_obligation, dtype=bool), "-"),
        (np.asarray(verified_missing, dtype=bool), "C"),
        (corrected & ~covered, "D"),
        (corrected, "E"),
        (covered, "A"),
    )
    conditions = np.broadcast_arrays(*(condition for condition, _ in answers))
    return np.select(conditions, [letter for _, letter in answers], default="B").astype("<U1")


@dataclass(frozen=True, eq=False)
class Reports:
    """A frame in REPORT_SCHEMA, one row per installation and year, in that order, and the corrections made to it. Never changed.

    Raises `RegisterError` for a key that comes twice, an unknown state, numbers below zero, a figure without a state that has one, and the
    other way round.
    """

    frame: pl.DataFrame
    corrections: pl.DataFrame | None = None

    def __post_init__(self) -> None:
        frame = tables.conform(self.frame, REPORT_SCHEMA, _DEFAULTS, "reports")
        tables.refuse_nulls(frame, ("installation", "year", "state", *_ALLOCATIONS), "reports")
        tables.refuse_others(frame, "state", STATES, "reports")
        tables.refuse_negative(frame, (*_ALLOCATIONS, "reported", "verified", "surrendered"), "reports")
        astray = frame.filter(pl.col("verified").is_not_null() != pl.col("state").is_in(WITH_FIGURE))
        if astray.height:
            key = "/".join(str(part) for part in astray.select(_KEY).row(0))
            raise RegisterError(f"reports: {astray.height} rows, such as {key}, have a verified figure against their state, or none")
        made = pl.DataFrame(schema=CORRECTION_SCHEMA) if self.corrections is None else self.corrections
        object.__setattr__(self, "frame", tables.ordered(frame, _KEY, "reports"))
        object.__setattr__(self, "corrections", tables.conform(made, CORRECTION_SCHEMA, {}, "corrections"))

    @classmethod
    def empty(cls) -> Self:
        return cls(pl.DataFrame(schema=REPORT_SCHEMA))

    def __len__(self) -> int:
        return self.frame.height

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reports) and self.frame.equals(other.frame) and self.corrections.equals(other.corrections)

    def __hash__(self) -> int:
        return hash((self.frame.height, self.corrections.height))

    # -- reading

    def for_year(self, year: int) -> pl.DataFrame:
        """The rows of one year."""
        return self.frame.filter(pl.col("year") == year)

    def for_installation(self, installation: str) -> pl.DataFrame:
        """The rows of one installation by year."""
        return self.frame.filter(pl.col("installation") == installation)

    def lookup(self, installation: str, year: int) -> dict[str, Any]:
        """One row as a dict; `RegisterError` if there is none."""
        found = self.frame.filter(pl.col("installation") == installation, pl.col("year") == year)
        if not found.height:
            raise RegisterError(f"reports: nothing is recorded for {installation!r} in {year}")
        return found.row(0, named=True)

    def years(self) -> list[int]:
        """The years with rows, rising."""
        return self.frame["year"].unique().sort().to_list()

    def totals(self) -> pl.DataFrame:
        """Per year: the sums of the allocations, `allocated_total`, `verified`, `surrendered`, and the number of `installations_with_verified`.

        Int64 throughout. A year without any figure sums to 0.
        """
        sums = [pl.col(name).sum() for name in (*_ALLOCATIONS, "verified", "surrendered")]
        count = pl.col("verified").is_not_null().sum().cast(pl.Int64).alias("installations_with_verified")
        frame = self.frame.group_by("year").agg(*sums, count).sort("year")
        return frame.with_columns(allocated_total=pl.sum_horizontal(_ALLOCATIONS))

    def statuses(self, from_year: int | None = None) -> pl.DataFrame:
        """Columns installation, year, cumulative_surrendered, cumulative_verified, status: the letter `status` gives each row.

        `from_year`: the first year that counts, usually the first of a compliance period; earlier rows are left out. A missing figure
        keeps the letter at C through later years that demand none (excluded, closed), until a year has a figure again.
        """
        frame = self.frame if from_year is None else self.frame.filter(pl.col("year") >= from_year)
        # A file may print that a figure was corrected without saying when; such a row counts as corrected late, as its letter D or E says.
        when = self.corrections.group_by(_KEY).agg(pl.col("after_deadline").any())
        demanded = pl.when(~pl.col("state").is_in(["excluded", "no_entry"])).then(pl.col("state").is_in(MISSING))
        counted = frame.join(when, on=_KEY, how="left", maintain_order="left").select(
            *_KEY,
            cumulative_surrendered=pl.col("surrendered").fill_null(0).cum_sum().over("installation"),
            cumulative_verified=pl.col("verified").fill_null(0).cum_sum().over("installation"),
            missing=demanded.forward_fill().over("installation").fill_null(False),
            late=(pl.col("state") == "corrected") & pl.col("after_deadline").fill_null(True),
        )
        surrendered, verified, missing, late = (counted[name].to_numpy() for name in counted.columns[2:])
        letters = status(surrendered, verified, missing, corrected_after_deadline=late)
        return counted.drop("missing", "late").with_columns(status=pl.Series(letters.tolist(), dtype=pl.String))

    # -- changing

    def add(self, rows: Mapping[str, Any] | pl.DataFrame) -> Reports:
        """With one more row (a dict) or many (a frame); `RegisterError` if an installation has one for the year already."""
        frame = rows if isinstance(rows, pl.DataFrame) else pl.DataFrame([dict(rows)])
        return Reports(pl.concat([self.frame, tables.conform(frame, REPORT_SCHEMA, _DEFAULTS, "reports")]), self.corrections)

    def report(self, installation: str, year: int, emissions: int) -> Reports:
        """With what the operator reports, in tCO2e; it counts once it is verified. A new report takes the place of an unverified one."""
        self._allow(installation, year, ("no_entry", "not_reported", "reported", "rejected"), "reported")
        return self._changed(installation, year, reported=_tonnes(emissions), state="reported")

    def verify(self, installation: str, year: int, verified: int | None = None) -> Reports:
        """With the figure verified: what the operator reported, or `verified` tCO2e where no report went before."""
        row = self._allow(installation, year, ("no_entry", "not_reported", "reported", "rejected"), "verified")
        figure = row["reported"] if verified is None else _tonnes(verified)
        if figure is None:
            raise RegisterError(f"reports: {installation!r} has reported nothing for {year} that could be verified")
        if verified is None and row["state"] == "rejected":
            raise RegisterError(f"reports: the report of {installation!r} for {year} was rejected; a new one must come first")
        return self._changed(installation, year, verified=figure, state="verified")

    def reject(self, installation: str, year: int) -> Reports:
        """With the operator's report rejected by the verifier; it stays on record as `reported` and does not count."""
        self._allow(installation, year, ("reported",), "rejected")
        return self._changed(installation, year, state="rejected")

    def estimate(self, installation: str, year: int, emissions: int) -> Reports:
        """With the authority's own estimate in tCO2e where a verified report is missing; it counts as verified."""
        self._allow(installation, year, ("no_entry", *MISSING), "estimated")
        return self._changed(installation, year, verified=_tonnes(emissions), state="estimated")

    def exclude(self, installation: str, year: int) -> Reports:
        """With the installation excluded for the year: nothing to report and nothing new to surrender."""
        self._allow(installation, year, ("no_entry", *MISSING), "excluded")
        return self._changed(installation, year, state="excluded")

    def correct(
        self, installation: str, year: int, verified: int, after_deadline: bool, *, by: str = "", on: date | None = None, reason: str = ""
    ) -> Reports:
        """With another verified figure in tCO2e; what stood there before, and who changed it when and why, goes into `corrections`."""
        row = self._allow(installation, year, WITH_FIGURE, "corrected")
        entry = {
            "sequence": self.corrections.height + 1,
            "installation": installation,
            "year": year,
            "before": row["verified"],
            "after": _tonnes(verified),
            "state_before": row["state"],
            "after_deadline": after_deadline,
            "by": by,
            "on": on,
            "reason": reason,
        }
        made = pl.concat([self.corrections, pl.DataFrame([entry], schema=CORRECTION_SCHEMA)])
        return Reports(self._changed(installation, year, verified=verified, state="corrected").frame, made)

    def verify_many(self, figures: pl.DataFrame) -> Reports:
        """With many figures verified at once: a frame (installation, year, verified) of tCO2e.

        All or nothing: `RegisterError` if a row names nothing on record, or something with a verified figure already.
        """
        new = figures.select("installation", pl.col("year").cast(pl.Int32), pl.col("verified").cast(pl.Int64).alias("_new"))
        if new.null_count().sum_horizontal().item() or new.select(_KEY).is_duplicated().any():
            raise RegisterError("reports: figures to verify have empty cells, or an installation twice in a year")
        joined = self.frame.join(new, on=_KEY, how="left", maintain_order="left")
        found = joined.filter(pl.col("_new").is_not_null())
        if found.height != new.height:
            lost = new.join(self.frame, on=_KEY, how="anti").select(_KEY).row(0)
            raise RegisterError(f"reports: {new.height - found.height} figures are for rows not on record, such as {lost[0]!r} in {lost[1]}")
        done = found.filter(~pl.col("state").is_in(["no_entry", *MISSING]))
        if done.height:
            key = done.select(*_KEY, "state").row(0)
            raise RegisterError(f"reports: {done.height} rows cannot be verified, such as {key[0]!r} in {key[1]}, which is {key[2]}")
        given = pl.col("_new").is_not_null()
        frame = joined.with_columns(
            verified=pl.coalesce("_new", "verified"), state=pl.when(given).then(pl.lit("verified")).otherwise(pl.col("state"))
        )
        return Reports(frame.drop("_new"), self.corrections)

    def with_surrendered(self, units: pl.DataFrame) -> Reports:
        """With the surrendered units of a frame (installation, year, surrendered); rows it does not name keep theirs."""
        new = units.select("installation", pl.col("year").cast(pl.Int32), pl.col("surrendered").cast(pl.Int64).alias("_new"))
        if new.select(_KEY).is_duplicated().any():
            raise RegisterError("reports: surrendered units name an installation twice in a year")
        lost = new.join(self.frame, on=_KEY, how="anti")
        if lost.height:
            raise RegisterError(f"reports: surrendered units for {lost.height} rows not on record, such as {lost.row(0)[:2]}")
        joined = self.frame.join(new, on=_KEY, how="left", maintain_order="left")
        return Reports(joined.with_columns(surrendered=pl.coalesce("_new", "surrendered")).drop("_new"), self.corrections)

    def only(self, installations: Iterable[str] | None = None, years: tuple[int, int] | None = None) -> Reports:
        """The rows of some installations, or of the years from the first to the last given, with their corrections."""
        wanted = pl.lit(True)
        if installations is not None:
            wanted &= pl.col("installation").is_in(list(installations))
        if years is not None:
            wanted &= pl.col("year").is_between(*years)
        return Reports(self.frame.filter(wanted), self.corrections.filter(wanted))

    # -- bytes

    def to_bytes(self) -> bytes:
        """The length of the reports' Arrow IPC in 8 bytes, big-endian, then it, then that of the corrections."""
        main = tables.to_bytes(self.frame)
        return len(main).to_bytes(8, "big") + main + tables.to_bytes(self.corrections)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        length = int.from_bytes(data[:8], "big")
        return cls(tables.from_bytes(data[8 : 8 + length], "reports"), tables.from_bytes(data[8 + length :], "corrections"))

    # -- inside

    def _allow(self, installation: str, year: int, states: tuple[str, ...], verb: str) -> dict[str, Any]:
        row = self.lookup(installation, year)
        if row["state"] not in states:
            hint = "; use correct" if row["state"] in WITH_FIGURE else ""
            raise RegisterError(f"reports: {installation!r} in {year} is {row['state']} and cannot be {verb}{hint}")
        return row

    def _changed(self, installation: str, year: int, **values: int | str) -> Reports:
        this = (pl.col("installation") == installation) & (pl.col("year") == year)
        columns = [pl.when(this).then(pl.lit(value)).otherwise(pl.col(name)).alias(name) for name, value in values.items()]
        return Reports(self.frame.with_columns(columns), self.corrections)


def _tonnes(value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
        raise RegisterError(f"reports: emissions are a whole number of tonnes, zero or more, not {value!r}")
    return int(value)
