"""Emission reports: operators file, verifiers check, the authority corrects; the deadline says who is missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import polars as pl

from tonne.administration.agenda import day_of
from tonne.administration.commands import Command
from tonne.administration.decision import Decision, table, text, whole, year_of
from tonne.administration.evolve import signed
from tonne.administration.permissions import is_authority
from tonne.administration.refusals import Refusal
from tonne.administration.state import State
from tonne.administration.surrender import judged, period_end
from tonne.registers.reports import WITH_FIGURE

#: Findings of one command, and letters of one of them.
FINDINGS_MOST, FINDING_LENGTH_MAX = 1_000, 2_000


def report(state: State, command: Command) -> Decision:
    """Table `reports`: installation, year, emissions (t). By the operators, until the deadline; until verified it may be filed again."""
    frame = _figures(state, command, "reports", "emissions")
    if not is_authority(state, command):
        _require_own(state, command, frame)
        _require_in_time(state, command, "report", frame)
    verified = state.reports.frame.filter(pl.col("state").is_in(WITH_FIGURE)).join(frame, on=["installation", "year"], how="semi")
    if verified.height:
        name, year = verified.row(0)[:2]
        raise Refusal("already_verified", f"{verified.height} reports are verified, such as {name} {year}; the authority can correct them")
    rows = frame.rename({"emissions": "reported"})
    return Decision([{"event": "reports_filed", "table": "reports"}], {"reports": rows})


def verify(state: State, command: Command) -> Decision:
    """Table `reports`: installation, year, verified (t, null without a figure), and optionally state (one of the register's). A verifier signs
    (verified) or rejects (rejected) what was reported; the authority may also enter what nobody reported here.

    Body `findings`, if any: what was found in reports of the table, as a list of {installation, year, text, line (left out: the whole report)}."""
    columns = {"installation": pl.String, "year": pl.Int32, "verified": pl.Int64}
    given = command.tables.get("reports")
    if isinstance(given, pl.DataFrame) and "state" in given.columns:
        columns["state"] = pl.String
    frame = table(command, "reports", columns, may_be_empty=("verified",))
    if not frame.height:
        raise Refusal("malformed", "table 'reports' has at least one row")
    if "state" not in frame.columns:
        frame = frame.with_columns(state=pl.lit("verified"))
    _require_known(state, frame)
    old = frame.join(state.reports.frame.select("installation", "year", "reported", before="state"), on=["installation", "year"], how="left")
    again = old.filter(pl.col("before").is_in(list(WITH_FIGURE)))
    if again.height:
        name, year = again.row(0)[:2]
        raise Refusal("already_verified", f"{again.height} reports are verified already, such as {name} {year}; a change is a correction")
    if not is_authority(state, command):
        beyond = frame.filter(~pl.col("state").is_in(["verified", "rejected"]))
        if beyond.height:
            raise Refusal("not_permitted", f"a verifier signs or rejects; {beyond['state'][0]!r} is for the authority to enter")
        missing = old.filter(pl.col("before").is_null() | ~pl.col("before").is_in(["reported", "rejected"]))
        if missing.height:
            name, year = missing.row(0)[:2]
            raise Refusal("not_reported", f"{missing.height} rows have no report to verify, such as {name} {year}")
        _require_in_time(state, command, "verify", frame)
    signed(state.reports, frame)  # refuses what does not fit the register
    return Decision([{"event": "reports_verified", "table": "reports"}, *_found(command, old)], {"reports": frame})


def _found(command: Command, reports: pl.DataFrame) -> list[dict[str, Any]]:
    """What a verifier wrote about reports, each with the figure that it was written about."""
    given = command.body.get("findings") or []
    if not isinstance(given, list) or len(given) > FINDINGS_MOST or not all(isinstance(one, Mapping) for one in given):
        raise Refusal("malformed", f"findings are a list of at most {FINDINGS_MOST:,} mappings: installation, year, text, line")
    figures = {(row["installation"], row["year"]): row["reported"] for row in reports.iter_rows(named=True)}
    found = []
    for one in given:
        key, said = (one.get("installation"), one.get("year")), one.get("text")
        if not (isinstance(key[0], str) and isinstance(key[1], int)) or key not in figures:
            raise Refusal("malformed", f"a finding is about a report of the table, not about {key[0]!r} {key[1]!r}")
        if not isinstance(said, str) or not 0 < len(said) <= FINDING_LENGTH_MAX or not isinstance(one.get("line", ""), str):
            raise Refusal("malformed", f"a finding says what was found in 1 to {FINDING_LENGTH_MAX:,} letters, and on which line, if any")
        found.append({"installation": key[0], "year": key[1], "line": one.get("line", ""), "text": said, "reported": figures[key]})
    return [{"event": "findings_noted", "findings": found, "by": command.by, "day": command.day.isoformat()}] if found else []


def correct_report(state: State, command: Command) -> Decision:
    """Body: installation, year, verified, reason. The authority's correction of a verified figure, also after the deadline; the old one is kept.

    What was judged already for the year, or for the period it belongs to, is judged again: status D or E.
    """
    installation, year, verified = text(command, "installation"), year_of(command), whole(command, "verified", 0)
    rows = state.reports.frame.filter(pl.col("installation") == installation, pl.col("year") == year, pl.col("verified").is_not_null())
    if not rows.height:
        raise Refusal("not_reported", f"{installation!r} has no verified figure for {year} to correct; the authority can enter one by `verify`")
    if rows["verified"][0] == verified:
        raise Refusal("nothing_to_do", f"the figure of {installation!r} for {year} is {verified:,} already")
    end = period_end(state, year)
    deadline = day_of(state, "surrender", end)
    late = deadline is not None and command.day > deadline
    event: dict[str, Any] = {"event": "report_corrected", "installation": installation, "year": year, "verified": verified, "after_deadline": late}
    event |= {"by": command.by, "day": command.day.isoformat(), "reason": text(command, "reason")}
    if not late or f"surrender:{end}" not in state.done:
        return Decision([event])
    new = state.reports.correct(installation, year, verified, late, by=command.by, on=command.day, reason=event["reason"])
    again = judged(replace(state, reports=new), command, end, interim=False).filter(pl.col("installation") == installation)
    return Decision([event, {"event": "statuses_set", "table": "statuses"}], {"statuses": again})


def report_deadline(state: State, command: Command) -> Decision:
    """Body: year. Installations that were to report and have no figure are marked `not_reported`."""
    year = year_of(command)
    done = {"event": "task_done", "task": "report", "year": year, "day": command.day.isoformat()}
    there = state.reports.for_year(year).select("installation")
    missing = state.installations.operating(year).join(there, on="installation", how="anti").select("installation")
    if not missing.height:
        return Decision([done])
    rows = missing.with_columns(year=pl.lit(year, pl.Int32), verified=pl.lit(None, pl.Int64), state=pl.lit("not_reported"))
    return Decision([{"event": "reports_missing", "table": "missing"}, done], {"missing": rows})


def verify_deadline(state: State, command: Command) -> Decision:
    """Body: year. After this day verifiers sign nothing more for the year."""
    return Decision([{"event": "task_done", "task": "verify", "year": year_of(command), "day": command.day.isoformat()}])


def _figures(state: State, command: Command, name: str, figure: str) -> pl.DataFrame:
    frame = table(command, name, {"installation": pl.String, "year": pl.Int32, figure: pl.Int64})
    if not frame.height or frame.null_count().sum_horizontal().item():
        raise Refusal("malformed", f"table {name!r} has rows, and every row has an installation, a year and {figure}")
    if frame.filter(pl.col(figure) < 0).height:
        raise Refusal("malformed", f"{figure} are not below zero")
    if frame.select("installation", "year").is_duplicated().any():
        raise Refusal("malformed", "an installation has one report a year")
    _require_known(state, frame)
    return frame


def _require_known(state: State, frame: pl.DataFrame) -> None:
    unknown = frame.join(state.installations.frame.select("installation"), on="installation", how="anti")
    if unknown.height:
        raise Refusal("unknown_installation", f"{unknown.height} rows name no registered installation, such as {unknown['installation'][0]!r}")


def _require_own(state: State, command: Command, frame: pl.DataFrame) -> None:
    mine = {state.accounts.installations[number] for number in state.accounts.of_holder(command.by)}
    foreign = [name for name in frame["installation"].unique().to_list() if name not in mine]
    if foreign:
        raise Refusal("not_permitted", f"{command.by!r} does not operate {sorted(foreign)[0]!r}")


def _require_in_time(state: State, command: Command, task: str, frame: pl.DataFrame) -> None:
    for year in frame["year"].unique().sort().to_list():
        deadline = day_of(state, task, year)
        if deadline is not None and command.day > deadline:
            raise Refusal("after_deadline", f"{task} for {year} was due on {deadline}; it is {command.day}, only the authority may still correct")
