"""Surrender units against verified emissions; on the deadline, judge who complied."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from tonne.administration.allocate import account_numbers, ask_rows
from tonne.administration.asks import answer, offers
from tonne.administration.commands import Command
from tonne.administration.decision import Decision, move, table, year_of
from tonne.administration.kinds import Kind
from tonne.administration.permissions import require_holder
from tonne.administration.refusals import Refusal
from tonne.administration.stabilise import first_year
from tonne.administration.state import LIMIT, State
from tonne.ledger import TransferFlag
from tonne.registers.reports import MISSING, WITH_FIGURE, status


def surrender(state: State, command: Command) -> Decision:
    """Table `surrenders`: installation, quantity; body: year (emissions year). Oldest admissible vintage first; all of it or refused."""
    year = year_of(command)
    frame = table(command, "surrenders", {"installation": pl.String, "quantity": pl.Int64})
    if not frame.height or frame.filter(pl.col("quantity") <= 0).height or frame["installation"].is_duplicated().any():
        raise Refusal("malformed", "every row surrenders more than zero, one row an installation, at least one row")
    accounts = account_numbers(state, frame["installation"])
    require_holder(state, command, accounts.tolist())
    _require_admitted(state, command, frame, year)
    batch, short = spend(state, command, Kind.SURRENDER, accounts, frame["quantity"].to_numpy(), year)
    if short.any():
        row = int(np.flatnonzero(short)[0])
        name, wanted = frame["installation"][row], int(frame["quantity"][row])
        more = f", and {int((short > 0).sum()) - 1} more installations" if (short > 0).sum() > 1 else ""
        raise Refusal("insufficient_balance", f"{name} surrenders {wanted:,} for {year} and lacks {int(short[row]):,}{more}")
    return Decision([{"event": "moved", "count": len(batch), "year": year, "quantity": int(frame["quantity"].sum())}], transfers=batch)


def _require_admitted(state: State, command: Command, frame: pl.DataFrame, year: int) -> None:
    """Where the law limits how much of an obligation units may meet. Raises Refusal `limit_exceeded`."""
    require_awarded(state, command, year)
    room = admitted_by_installation(state, command, year)
    if room is None:
        return
    over = frame.join(room, on="installation", how="left").filter(pl.col("quantity") > pl.col("admitted").fill_null(0))
    if over.height:
        name, wanted, most = over.select("installation", "quantity", "admitted").row(0)
        raise Refusal(
            "limit_exceeded", f"{name} surrenders {wanted:,} for {year}, and units may still meet {most or 0:,} of what it owes; pay the rest"
        )


def require_awarded(state: State, command: Command, year: int) -> None:
    """Where what is owed is what lies above a limit, nobody owes a known quantity before the limits are. Raises Refusal `not_due`."""
    if offers(state.law(command.day), "units_earned") and f"award:{year}" not in state.done:
        raise Refusal("not_due", f"what is owed for {year} is known when its limits are: the award of {year} has not been made")


def payable_by_installation(state: State, command: Command, year: int) -> pl.DataFrame:
    """installation, payable: how much of a year's own obligation may still be settled in money: never more than what of that year was not paid yet,
    nor than what is missing of all years up to it."""
    rows = obligations_by_year(state, command, year).filter(pl.col("year") == year).select("installation", "owed")
    paid = surrendered_by_installation(state, units=[state.unit(f"PAID-{year}")]).select("installation", paid="surrendered")
    all_owed = owed_by_installation(state, command, year, interim=False).select("installation", all_owed="owed")
    all_met = surrendered_by_installation(state).select("installation", all_met="surrendered")
    frame = rows.join(paid, on="installation", how="left").join(all_owed, on="installation", how="left").join(all_met, on="installation", how="left")
    of_year = (pl.col("owed") - pl.col("paid").fill_null(0)).clip(0)
    missing = (pl.col("all_owed") - pl.col("all_met").fill_null(0)).clip(0)
    return frame.select("installation", payable=pl.min_horizontal(of_year, missing)).sort("installation")


def admitted_by_installation(state: State, command: Command, year: int) -> pl.DataFrame | None:
    """installation, admitted: units that may still be surrendered for the years up to `year`; None where the law sets no such limit."""
    law = state.law(command.day)
    if not offers(law, "units_admitted"):
        return None
    rows = obligations_by_year(state, command, year)
    most = np.asarray(ask_rows(law, "units_admitted", {"owed": rows["owed"].to_numpy(), "year": rows["year"].to_numpy().astype(np.int64)}))
    frame = rows.with_columns(admitted=pl.Series(most, dtype=pl.Int64)).group_by("installation").agg(pl.col("admitted").sum())
    done = surrendered_by_installation(state, units=state.allowance_units())
    frame = frame.join(done, on="installation", how="left").with_columns((pl.col("admitted") - pl.col("surrendered").fill_null(0)).clip(0))
    return frame.select("installation", "admitted").sort("installation")


def bring_forward(state: State, command: Command) -> Decision:
    """Table `rows`: installation, owed, surrendered, status; body: year. Where each installation stood before these books began."""
    year = year_of(command)
    if state.statuses.height:
        raise Refusal("already_done", "what stood before can be brought forward once, before anything is judged")
    frame = table(command, "rows", {"installation": pl.String, "owed": pl.Int64, "surrendered": pl.Int64, "status": pl.String})
    account_numbers(state, frame["installation"])
    if frame["installation"].is_duplicated().any() or frame.filter((pl.col("owed") < 0) | (pl.col("surrendered") < 0)).height:
        raise Refusal("malformed", "one row an installation, with nothing below zero")
    if year >= first_year(state):
        raise Refusal("malformed", f"what is brought forward stood before {first_year(state)}, the first year of these books, not in {year}")
    rows = frame.with_columns(year=pl.lit(year, pl.Int32), interim=pl.lit(False))
    return Decision([{"event": "statuses_set", "table": "statuses"}], {"statuses": rows})


def brought_forward(state: State) -> pl.DataFrame:
    """installation, owed_before, surrendered_before, status_before: of the years before the first of these books."""
    before = state.statuses.filter(pl.col("year") < first_year(state))
    return before.select("installation", owed_before="owed", surrendered_before="surrendered", status_before="status")


def spend(state: State, command: Command, kind: Kind, accounts: Any, quantity: Any, year: int) -> tuple[Any, Any]:
    """(transfers, what is lacking per row): units to the surrendered account, oldest admissible vintage first."""
    left = np.array(quantity, dtype=np.int64)
    target = state.accounts.number("surrendered")
    batches = []
    for unit in admissible(state, command, year):
        take = np.minimum(left, state.books.availables(accounts, unit))
        batches.append(move(command, kind, accounts, target, unit, take, TransferFlag.BY_AUTHORITY))
        left -= take
        if not left.any():
            break
    return (np.concatenate(batches) if batches else move(command, kind, accounts[:0], target, 0, 0)), left


def admissible(state: State, command: Command, year: int) -> list[int]:
    """Allowance unit types that may pay for a year: as the law says; otherwise no later vintage than the year itself."""
    law = state.law(command.day)
    units = []
    for unit in state.allowance_units():
        vintage = state.books.unit_types[unit].vintage
        if vintage is None:
            units.append(unit)
        elif offers(law, "vintage_pays"):
            if answer(law, "vintage_pays", (), {"vintage": vintage, "year": year}):
                units.append(unit)
        elif vintage <= year:
            units.append(unit)
    return units


def interim_surrender(state: State, command: Command) -> Decision:
    """Body: year. The partial test inside a period: a share, set by the law, of the year's obligation."""
    year = year_of(command)
    law = state.law(command.day)
    done = {"event": "task_done", "task": "interim_surrender", "year": year, "day": command.day.isoformat()}
    if not offers(law, "interim_obligation") or period_end(state, year) == year:
        return Decision([done])
    frame = judged(state, command, year, interim=True)
    return _decided(frame, year, [done], interim=True)


def surrender_deadline(state: State, command: Command) -> Decision:
    """Body: year. The last day to surrender for a year, or for the period that ends with it: everybody is judged by the cumulative rule."""
    year = year_of(command)
    done = {"event": "task_done", "task": "surrender", "year": year, "day": command.day.isoformat()}
    if period_end(state, year) != year:
        return Decision([done])
    return _decided(judged(state, command, year, interim=False), year, [done], interim=False)


def _decided(frame: pl.DataFrame, year: int, events: list[dict[str, Any]], interim: bool) -> Decision:
    if not frame.height:
        return Decision(events)
    counts = {letter: n for letter, n in sorted(frame.group_by("status").len().iter_rows())}
    what = "interim_compliance" if interim else "compliance"
    note = {"event": "published", "what": what, "year": year, "statuses": counts}
    note |= {"owed": int(frame["owed"].sum()), "surrendered": int(frame["surrendered"].sum()), "day": events[0]["day"]}
    return Decision([{"event": "statuses_set", "table": "statuses"}, note, *events], {"statuses": frame})


def period_end(state: State, year: int) -> int:
    """The last year of the compliance period a year belongs to: itself where every year stands alone."""
    law = state.law(max(state.today, state.rulebook.system.begins))
    ends = law.value("calendar.period_end") if law.has("calendar.period_end") else {}
    return int(ends.get(year) or year)


def _of_period(state: State, end: int) -> list[int]:
    """The years that are judged at the end of a period."""
    return [year for year in range(first_year(state), end + 1) if period_end(state, year) == end]


def owed_by_installation(state: State, command: Command, year: int, interim: bool) -> pl.DataFrame:
    """installation, owed: cumulative obligations of all years up to `year` (of the running period only its interim part, in an interim test), with
    the units that fines put on top, without those from which paying a fine released."""
    law = state.law(command.day)
    rows = obligations_by_year(state, command, year)
    verified, years, owed = rows["verified"].to_numpy(), rows["year"].to_numpy().astype(np.int64), rows["owed"].to_numpy()
    if interim:
        end = period_end(state, year)
        running = np.array([period_end(state, int(y)) == end for y in np.unique(years)])[np.searchsorted(np.unique(years), years)]
        part = np.asarray(ask_rows(law, "interim_obligation", {"verified": verified, "year": years}))
        owed = np.where(running, part, owed)
    frame = rows.select("installation", owed=pl.Series(owed, dtype=pl.Int64)).group_by("installation").agg(pl.col("owed").sum())
    extra = state.fines.group_by("installation").agg(fined=(pl.col("units") - pl.col("released")).sum())
    joined = frame.join(extra, on="installation", how="left").join(brought_forward(state), on="installation", how="left")
    joined = joined.with_columns(owed=pl.sum_horizontal(pl.col("owed", "fined", "owed_before").fill_null(0)))
    return joined.select("installation", "owed").sort("installation")


def obligations_by_year(state: State, command: Command, year: int) -> pl.DataFrame:
    """installation, year, verified, owed: each year's own obligation, of all years up to `year`. What a limit allows is known from the award."""
    law = state.law(command.day)
    rows = state.reports.frame.filter(pl.col("year") <= year, pl.col("verified").is_not_null()).select("installation", "year", "verified")
    if not offers(law, "obligation") or not rows.height:
        return rows.with_columns(owed="verified")
    limits = state.entitlements.filter(pl.col("basis") == LIMIT).select("installation", "year", limit="quantity")
    rows = rows.join(limits, on=["installation", "year"], how="left", maintain_order="left").with_columns(pl.col("limit").fill_null(0))
    pool = {"verified": rows["verified"].to_numpy(), "year": rows["year"].to_numpy().astype(np.int64), "limit": rows["limit"].to_numpy()}
    return rows.drop("limit").with_columns(owed=pl.Series(np.asarray(ask_rows(law, "obligation", pool)), dtype=pl.Int64))


def surrendered_by_installation(state: State, units: list[int] | None = None) -> pl.DataFrame:
    """installation, surrendered: every unit (and payment in place of one) that left its account for the surrendered account, and what it
    surrendered before these books; with `units`, of these unit types only, and of these books only."""
    rows = state.books.transfers
    rows = rows[rows["to_account"] == state.accounts.number("surrendered")]
    counted = [n for n, unit in enumerate(state.books.unit_types) if unit.kind != "money"] if units is None else units
    rows = rows[np.isin(rows["unit"], counted)]
    accounts, index = np.unique(rows["from_account"], return_inverse=True)
    sums = np.zeros(len(accounts), dtype=np.int64)
    np.add.at(sums, index, rows["quantity"])
    names = [state.accounts.installations[a] for a in accounts.tolist()]
    here = pl.DataFrame({"installation": names, "surrendered": sums}, schema={"installation": pl.String, "surrendered": pl.Int64})
    before = brought_forward(state).select("installation", surrendered="surrendered_before")
    if units is not None:
        return here.sort("installation")
    return pl.concat([here, before]).group_by("installation").agg(pl.col("surrendered").sum()).sort("installation")


def judged(state: State, command: Command, year: int, interim: bool) -> pl.DataFrame:
    """One row for each installation with a report for the year, in STATUS_SCHEMA."""
    this = state.reports.for_year(year).select("installation", "state")
    rows = this.join(owed_by_installation(state, command, year, interim), on="installation", how="left", maintain_order="left")
    rows = rows.join(surrendered_by_installation(state), on="installation", how="left", maintain_order="left").fill_null(0)
    before = (
        state.reports.frame.filter(pl.col("year") <= year, pl.col("state").is_in([*MISSING, *WITH_FIGURE]))
        .group_by("installation")
        .agg(missing=pl.col("state").sort_by("year").last().is_in(list(MISSING)), past=pl.lit(True))
    )
    late = (
        pl.DataFrame(state.reports.corrections)
        .filter(pl.col("after_deadline"), pl.col("year").is_in(_of_period(state, year)))
        .select("installation", late=pl.lit(True))
        .unique()
    )
    rows = rows.join(before, on="installation", how="left", maintain_order="left").join(late, on="installation", how="left", maintain_order="left")
    rows = rows.join(brought_forward(state), on="installation", how="left", maintain_order="left")
    rows = rows.with_columns(
        pl.coalesce("missing", pl.col("status_before") == "C", pl.lit(False)).alias("missing"),
        (pl.col("past").fill_null(False) | pl.col("status_before").is_not_null()).alias("past"),
        pl.col("late").fill_null(False),
    )
    letters = status(
        rows["surrendered"].to_numpy(),
        rows["owed"].to_numpy(),
        rows["missing"].to_numpy(),
        corrected_after_deadline=rows["late"].to_numpy(),
        no_obligation=(rows["state"].is_in(["no_entry", "excluded"]) & ~rows["past"]).to_numpy(),
    )
    return rows.select(
        "installation",
        pl.lit(year, pl.Int32).alias("year"),
        "owed",
        "surrendered",
        pl.Series("status", letters, dtype=pl.String),
        pl.lit(interim).alias("interim"),
    )
