"""The public register: participants and their installations, and year by year what each was allocated, emitted and surrendered.

Only what registers hold of organisations and installations; nothing here is about a person. What was judged is there from the day on which it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from tonne.administration.state import LIMIT, State
from tonne.administration.surrender import period_end
from tonne.interfaces.views.cache import Cache
from tonne.interfaces.views.found import holder_name, installation_of, participant_name
from tonne.simulation.run import REMAINDER
from tonne.simulation.yearly import granted

REGISTER: dict[str, Any] = {
    "installation": pl.String,
    "name": pl.String,
    "operator": pl.String,  # participant id: who holds the installation's account
    "operator_name": pl.String,
    "sector": pl.String,
    "activity": pl.String,
    "nace": pl.String,
    "country": pl.String,
    "registry": pl.String,
    "permit": pl.String,
    "registry_account": pl.String,  # as the registry that published the file numbers it
    "latitude": pl.Float64,
    "longitude": pl.Float64,
    "opened": pl.Int32,
    "closed": pl.Int32,
    "status": pl.String,  # open, closed
}
#: Per installation and emissions year. allocated, limit, verified: null where nothing is known; surrendered: for the period judged in that year;
#: owed_to_date, surrendered_to_date, letter, fine_low_minor, fine_high_minor: null before the year was judged; interim: judged for a part only.
YEARS: dict[str, Any] = {
    "installation": pl.String,
    "year": pl.Int32,
    "state": pl.String,
    "allocated": pl.Int64,
    "limit": pl.Int64,
    "verified": pl.Int64,
    "surrendered": pl.Int64,
    "owed_to_date": pl.Int64,
    "surrendered_to_date": pl.Int64,
    "letter": pl.String,
    "fine_low_minor": pl.Int64,
    "fine_high_minor": pl.Int64,
}
_PARTICIPANTS: dict[str, Any] = {
    "participant": pl.String,
    "name": pl.String,
    "role": pl.String,
    "country": pl.String,
    "installations": pl.Int64,
}
_ON = ["installation", "year"]


@dataclass(frozen=True)
class Participant:
    """One participant; installations in REGISTER; years: year, installations (how many), the sums of YEARS, letters (each that one of them got)."""

    participant: str
    name: str
    role: str
    country: str
    accounts: int
    installations: pl.DataFrame
    years: pl.DataFrame


@dataclass(frozen=True)
class Installation:
    """One installation: its row of the register as a mapping in REGISTER's order, its account, its years in YEARS without `installation`."""

    installation: str
    account: str
    register: dict[str, Any]
    years: pl.DataFrame


def register(state: State, cache: Cache | None = None) -> pl.DataFrame:
    """All installations, in REGISTER; the rest of the system, which no file names, is left out."""

    def made() -> pl.DataFrame:
        frame = state.installations.frame.filter(pl.col("installation") != REMAINDER)
        kinds, keys, holders = state.accounts.kinds, state.accounts.installations, state.accounts.holders
        own = [(key, holders[n], holder_name(state, holders[n])) for n, key in enumerate(keys) if key is not None and kinds[n] == "operator"]
        held = pl.DataFrame(own, schema={"installation": pl.String, "holder": pl.String, "operator_name": pl.String}, orient="row")
        joined = frame.join(held, on="installation", how="left", maintain_order="left")
        joined = joined.with_columns(operator=pl.coalesce("holder", "operator"), registry_account="account")
        return joined.with_columns(pl.coalesce("operator_name", "operator")).select([pl.col(c).cast(t) for c, t in REGISTER.items()])

    return (cache or Cache()).get("register", (state.installations, len(state.accounts), state.participants), made)


def years(state: State, cache: Cache | None = None) -> pl.DataFrame:
    """Every installation and year of which anything is known, in YEARS."""

    def made() -> pl.DataFrame:
        reports = state.reports.frame.select(*_ON, "state", "verified")
        known = sorted({*state.entitlements["year"].unique().to_list(), *reports["year"].unique().to_list()})
        given = [granted(state, year).group_by(_ON).agg(allocated=pl.col("quantity").sum()) for year in known]
        limits = state.entitlements.filter(pl.col("basis") == LIMIT).select(*_ON, limit="quantity")
        judged, begins = state.statuses.filter(~pl.col("interim")).sort(_ON), _begins(state)
        before = pl.col("surrendered").shift(1).over("installation").fill_null(0)
        judged = judged.select(
            *_ON, (pl.col("surrendered") - before).alias("surrendered"), owed_to_date="owed", surrendered_to_date="surrendered", letter="status"
        ).filter(pl.col("year") >= begins)
        fines = state.fines.group_by(_ON).agg(fine_low_minor=pl.col("low_minor").sum(), fine_high_minor=pl.col("high_minor").sum())
        frame = reports
        for other in (pl.concat(given) if given else None, limits, judged, fines):
            if other is not None:
                frame = frame.join(other, on=_ON, how="full", coalesce=True)
        absent = [pl.lit(None).cast(kind).alias(name) for name, kind in YEARS.items() if name not in frame.columns]
        frame = frame.with_columns(absent).filter(pl.col("installation") != REMAINDER)
        fined = pl.col("letter").is_not_null() & pl.col("year").is_in(_penalised(state))
        zeros = [pl.when(fined).then(pl.col(name).fill_null(0)).otherwise(name).alias(name) for name in ("fine_low_minor", "fine_high_minor")]
        return frame.with_columns(pl.col("state").fill_null("no_entry"), *zeros).select([pl.col(c).cast(t) for c, t in YEARS.items()]).sort(_ON)

    depends = (state.reports, state.entitlements, state.statuses, state.fines, len(state.done))
    return (cache or Cache()).get("years", depends, made)


def _begins(state: State) -> int:
    """The first emissions year of these books: what was judged before is only brought forward."""
    return next((int(notice["year"]) for notice in state.notices if notice["what"] == "first_year"), 0)


def public_years(state: State, cache: Cache | None = None) -> pl.DataFrame:
    """As `years`, without what nobody may see yet: emissions and reports of years whose compliance is not judged."""
    frame = years(state, cache)
    shown = [year for year in frame["year"].unique().to_list() if published_on(state, period_end(state, year)) is not None]
    hidden = ~pl.col("year").is_in(shown)
    return frame.with_columns(
        pl.when(hidden).then(pl.lit("")).otherwise("state").alias("state"), pl.when(hidden).then(None).otherwise("verified").alias("verified")
    )


def _penalised(state: State) -> list[int]:
    """Emissions years whose fines are set: who has none in them was fined nothing."""
    return [int(task.partition(":")[2]) for task in state.done if task.startswith("penalise:")]


def participants(state: State, *, role: str | None = None, cache: Cache | None = None) -> pl.DataFrame:
    """participant, name, role, country, installations (how many): everybody registered, and every holder of an installation's account."""

    def made() -> pl.DataFrame:
        counts = dict(register(state, cache).group_by("operator").len().iter_rows())
        rows = [(one.id, one.name, one.role, one.country or "", int(counts.pop(one.id, 0))) for one in state.participants.values()]
        countries = dict(register(state, cache).group_by("operator").agg(pl.col("country").first()).iter_rows())
        rows += [(holder, holder, "operator", countries.get(holder) or "", int(count)) for holder, count in counts.items() if holder is not None]
        return pl.DataFrame(rows, schema=_PARTICIPANTS, orient="row").sort("participant")

    frame = (cache or Cache()).get("participants", (state.installations, len(state.accounts), state.participants), made)
    return frame if role is None else frame.filter(pl.col("role") == role)


def participant(state: State, name: str, *, public: bool = True, cache: Cache | None = None) -> Participant:
    """One participant with its installations and years; public: without emissions of years that are not judged yet. Raises NotFound."""
    called = participant_name(state, name)
    own = register(state, cache).filter(pl.col("operator") == name)
    rows = participants(state, cache=cache).filter(pl.col("participant") == name).to_dicts()
    role, country = (rows[0]["role"], rows[0]["country"]) if rows else ("administrator" if name == "administrator" else "operator", "")
    mine = (public_years if public else years)(state, cache).filter(pl.col("installation").is_in(own["installation"].to_list()))
    sums = [pl.when(pl.col(c).is_not_null().any()).then(pl.col(c).sum()).alias(c) for c in YEARS if c not in (*_ON, "state", "letter")]
    summed = (
        mine.group_by("year")
        .agg(pl.len().alias("installations"), *sums, pl.col("letter").drop_nulls().unique().sort().str.join("").alias("letters"))
        .sort("year")
    )
    return Participant(name, called, role, country, len(state.accounts.of_holder(name)), own, summed)


def installation(state: State, name: str, *, public: bool = True, cache: Cache | None = None) -> Installation:
    """One installation with its years; public: without emissions of years that are not judged yet. Raises NotFound."""
    installation_of(state, name)
    rows = register(state, cache).filter(pl.col("installation") == name).to_dicts()
    own = (public_years if public else years)(state, cache).filter(pl.col("installation") == name).drop("installation")
    return Installation(name, f"operator:{name}", rows[0] if rows else {}, own)


def published_on(state: State, year: int) -> date | None:
    """The day from which it is public who complied for a year: when it was judged; None before."""
    done = state.done.get(f"surrender:{year}")
    return date.fromisoformat(done) if done is not None and state.notice("compliance", year) is not None else None
