"""Free allocation: the authority's tables, or what the law's own rule makes of the registered activity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from tonne.administration.asks import answer, asks, offers
from tonne.administration.commands import Command
from tonne.administration.decision import Decision, join, move, table, year_of
from tonne.administration.issue import new_allowance
from tonne.administration.kinds import Kind
from tonne.administration.permissions import require_holder
from tonne.administration.refusals import Refusal
from tonne.administration.state import State
from tonne.ledger import TransferFlag

GIVEN, RULE, PRE, FINAL = "authority", "rule", "pre_allocation", "final_allocation"


def entitle(state: State, command: Command) -> Decision:
    """Table `entitlements`: installation, year, quantity. The authority's allocation table: what the calendar will allocate."""
    frame = table(command, "entitlements", {"installation": pl.String, "year": pl.Int32, "quantity": pl.Int64})
    unknown = frame.join(state.installations.frame.select("installation"), on="installation", how="anti")
    if unknown.height:
        raise Refusal("unknown_installation", f"{unknown.height} rows name no registered installation, such as {unknown['installation'][0]!r}")
    if frame.filter(pl.col("quantity") < 0).height:
        raise Refusal("malformed", "an entitlement is not negative")
    if frame.select("installation", "year").is_duplicated().any():
        raise Refusal("malformed", "an installation has one entitlement a year")
    return Decision([{"event": "entitled", "table": "entitlements"}], {"entitlements": frame.with_columns(basis=pl.lit(GIVEN))})


def file_activity(state: State, command: Command) -> Decision:
    """Table `activity` in the register's columns: what was produced, by installation, unit and year."""
    frame = command.tables.get("activity")
    if not isinstance(frame, pl.DataFrame) or not frame.height:
        raise Refusal("malformed", "file_activity carries a table 'activity'")
    state.activity.add(frame)  # refuses what does not fit the register
    names = frame.select("installation").unique(maintain_order=True)
    unknown = names.join(state.installations.frame.select("installation"), on="installation", how="anti")
    if unknown.height:
        raise Refusal("unknown_installation", f"{unknown.height} names are no registered installation, such as {unknown['installation'][0]!r}")
    require_holder(state, command, account_numbers(state, names["installation"]).tolist())
    return Decision([{"event": "activity_filed", "table": "command/activity"}])


def allocate(state: State, command: Command) -> Decision:
    """Body: year. Puts each installation's entitlement into its account; the rule computes it where the authority gave no table."""
    year = year_of(command)
    done = {"event": "task_done", "task": "allocate", "year": year, "day": command.day.isoformat()}
    rows = state.entitlements.filter(pl.col("year") == year, pl.col("basis") == GIVEN)
    events, tables = [], {}
    if not rows.height:
        computed = computed_allocation(state, command, year)
        if computed is None:
            return Decision([done])
        rows = computed.with_columns(basis=pl.lit(RULE))
        events, tables = [{"event": "entitled", "table": "entitlements"}], {"entitlements": rows}
    opening, batch = _hand_out(state, command, year, rows)
    note = _note("allocated", command, year, rows)
    return Decision([*opening, *events, note, done], tables, batch)


def pre_allocate(state: State, command: Command) -> Decision:
    """Body: year. A share, set by the law, of what was verified the year before, or of what the rule grants on that year's output."""
    year = year_of(command)
    law = state.law(command.day)
    done = {"event": "task_done", "task": "pre_allocate", "year": year, "day": command.day.isoformat()}
    before = _verified(state, year - 1)
    if not offers(law, "pre_allocation") or not before.height:
        return Decision([done])
    sectors = _main_activity(state, year - 1).select("installation", "sector")
    before = before.join(sectors, on="installation", how="left", maintain_order="left").with_columns(pl.col("sector").fill_null(""))
    pool = {"previous_verified": before["verified"].to_numpy(), "year": year} | ({"sector": column_of(before["sector"])} if sectors.height else {})
    if "reference" in asks(law.rulebook)["pre_allocation"][0].given:
        granted = computed_allocation(state, command, year - 1)
        if granted is not None:
            earlier = before.join(granted.select("installation", "quantity"), on="installation", how="left", maintain_order="left")
            pool["reference"] = earlier["quantity"].fill_null(0).to_numpy()
    quantity = ask_rows(law, "pre_allocation", pool)
    rows = before.select("installation", year=pl.lit(year, pl.Int32), quantity=pl.Series(quantity, dtype=pl.Int64), basis=pl.lit(PRE))
    opening, batch = _hand_out(state, command, year, rows)
    events = [*opening, {"event": "entitled", "table": "entitlements"}, _note("pre_allocated", command, year, rows), done]
    return Decision(events, {"entitlements": rows}, batch)


def final_allocate(state: State, command: Command) -> Decision:
    """Body: year. What the rule grants on verified output, less what was allocated ahead: the difference is issued, or taken back."""
    year = year_of(command)
    done = {"event": "task_done", "task": "final_allocate", "year": year, "day": command.day.isoformat()}
    granted = computed_allocation(state, command, year)
    if granted is None:
        return Decision([done])
    granted = _adjusted(state, command, year, granted).with_columns(basis=pl.lit(FINAL))
    ahead = state.entitlements.filter(pl.col("year") == year, pl.col("basis") == PRE).select("installation", ahead="quantity")
    both = granted.join(ahead, on="installation", how="full", coalesce=True, maintain_order="left_right")
    both = both.with_columns(pl.col("quantity", "ahead").fill_null(0))
    more = both.filter(pl.col("quantity") > pl.col("ahead")).select("installation", quantity=pl.col("quantity") - pl.col("ahead"))
    less = both.filter(pl.col("quantity") < pl.col("ahead")).select("installation", quantity=pl.col("ahead") - pl.col("quantity"))
    opening, issued = _hand_out(state, command, year, more)
    returned, missing = _take_back(state, command, year, less)
    note = _note("allocated", command, year, granted) | {"returned": int(returned["quantity"].sum()), "arrears": missing}
    events = [*opening, {"event": "entitled", "table": "entitlements"}, note, done]
    return Decision(events, {"entitlements": granted}, join(issued, returned))


def computed_allocation(state: State, command: Command, year: int) -> pl.DataFrame | None:
    """installation, year, quantity by the law's rule from the year's activity; None where there is no rule or no activity."""
    rows = computed_rows(state, command, year)
    if rows is None:
        return None
    summed = rows.select("installation", quantity="granted").group_by("installation", maintain_order=True).sum()
    return summed.select("installation", pl.lit(year, pl.Int32).alias("year"), "quantity")


def computed_rows(state: State, command: Command, year: int) -> pl.DataFrame | None:
    """The year's activity with verified, previous_verified (as the rule is asked with them) and what the law's rule makes of each row, `granted`."""
    law = state.law(command.day)
    rows = state.activity.for_year(year)
    if not offers(law, "allocation") or not rows.height:
        return None
    verified = _verified(state, year)
    before = _verified(state, year - 1).rename({"verified": "previous_verified"})
    rows = rows.join(verified, on="installation", how="left", maintain_order="left").join(
        before, on="installation", how="left", maintain_order="left"
    )
    # Emissions are known for an installation, not for each of its units: its first row carries them, so that they count once.
    first = rows["installation"].is_first_distinct()
    rows = rows.with_columns(pl.when(first).then(pl.col("verified", "previous_verified")).otherwise(0))
    columns: dict[str, Any] = {name: column_of(rows[name]) for name in rows.columns if name not in ("year", "installation")}
    columns |= {"year": year, "entity": column_of(rows["installation"])}
    quantity = ask_rows(law, "allocation", columns)
    return rows.with_columns(granted=pl.Series(quantity, dtype=pl.Int64))


def _adjusted(state: State, command: Command, year: int, granted: pl.DataFrame) -> pl.DataFrame:
    """Entity-level adjustments (exemptions, a cap on the gap) where the law has them: ask `final_allocation`."""
    law = state.law(command.day)
    if not offers(law, "final_allocation"):
        return granted
    rows = granted.join(_verified(state, year), on="installation", how="left", maintain_order="left")
    rows = rows.join(_main_activity(state, year), on="installation", how="left", maintain_order="left").with_columns(pl.col("verified").fill_null(0))
    pool = {"initial": rows["quantity"].to_numpy(), "verified": rows["verified"].to_numpy(), "year": year}
    pool |= {"product": column_of(rows["product"]), "sector": column_of(rows["sector"]), "entity": column_of(rows["installation"])}
    final = ask_rows(law, "final_allocation", pool)
    return rows.select("installation", "year", quantity=pl.Series(final, dtype=pl.Int64))


def _main_activity(state: State, year: int) -> pl.DataFrame:
    """installation, product, sector of each installation's first activity row of a year."""
    rows = state.activity.for_year(year).group_by("installation", maintain_order=True)
    return rows.agg(pl.col("product").first(), pl.col("sector").first())


def ask_rows(law: Any, ask: str, pool: Mapping[str, Any]) -> Any:
    """Ask with those of the columns in `pool` that the rule takes. Raises what the law raises."""
    rule, _ = asks(law.rulebook)[ask]
    return answer(law, ask, (), {name: pool[name] for name in rule.given if name in pool})


def column_of(series: pl.Series) -> Any:
    """A register's column as a rule takes it: int64 and bool arrays, and object arrays of text and Decimals."""
    if series.dtype.is_integer():
        return series.fill_null(0).to_numpy().astype(np.int64)
    if series.dtype == pl.Boolean:
        return series.fill_null(False).to_numpy()
    return np.array(series.to_list(), dtype=object)


def _verified(state: State, year: int) -> pl.DataFrame:
    return state.reports.for_year(year).filter(pl.col("verified").is_not_null()).select("installation", "verified")


def account_numbers(state: State, installations: pl.Series) -> np.ndarray[Any, Any]:
    """Ledger numbers of the installations' accounts. Raises Refusal `unknown_installation`."""
    numbers = np.array([state.accounts.find(f"operator:{name}") for name in installations.to_list()], dtype=np.int64)
    if (numbers < 0).any():
        name = installations[int(np.flatnonzero(numbers < 0)[0])]
        raise Refusal("unknown_installation", f"no account for installation {name!r}")
    return numbers


def _hand_out(state: State, command: Command, year: int, rows: pl.DataFrame) -> tuple[list[dict[str, Any]], Any]:
    """From what was issued for the year; from issuance itself where the system has no cap ahead of output."""
    _, opening, unit = new_allowance(state, year)
    source = "total-quantity" if state.notice("cap", year) else "issuance"
    accounts = account_numbers(state, rows["installation"])
    return opening, move(command, Kind.ALLOCATE, state.accounts.number(source), accounts, unit, rows["quantity"].to_numpy())


def _take_back(state: State, command: Command, year: int, rows: pl.DataFrame) -> tuple[Any, int]:
    """Take back what was allocated too much, as far as the accounts hold it; the rest is arrears."""
    unit = state.unit(state.allowance_code(year))
    accounts = account_numbers(state, rows["installation"])
    held = state.books.availables(accounts, unit) if unit >= 0 and rows.height else np.zeros(rows.height, dtype=np.int64)
    wanted = rows["quantity"].to_numpy()
    taken = np.minimum(held, wanted)
    batch = move(command, Kind.RETURN_ALLOCATION, accounts, state.accounts.number("issuance"), max(unit, 0), taken, TransferFlag.BY_AUTHORITY)
    return batch, int((wanted - taken).sum())


def _note(what: str, command: Command, year: int, rows: pl.DataFrame) -> dict[str, Any]:
    quantity = int(rows["quantity"].sum())
    return {"event": "published", "what": what, "year": year, "quantity": quantity, "rows": rows.height, "day": command.day.isoformat()}
