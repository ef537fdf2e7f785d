"""Carry-over: which units of a closed vintage stay valid, where the law limits banking."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from tonne.administration.allocate import ask_rows
from tonne.administration.asks import asks, offers
from tonne.administration.commands import Command
from tonne.administration.decision import Decision, join, move, year_of
from tonne.administration.issue import new_allowance
from tonne.administration.kinds import Kind
from tonne.administration.state import State
from tonne.dates import day_number
from tonne.ledger import TransferFlag


def carry_over(state: State, command: Command) -> Decision:
    """Body: year. Where the law limits carry-over by net sales: units within the limit become units of the next vintage, the rest lose validity.

    Net sales are the account's own transfers and sales in the law's window (`registry.carry_over_window_from`, `_to`). Who was found short at a
    deadline since then did not surrender on time.
    """
    year = year_of(command)
    law = state.law(command.day)
    done = {"event": "task_done", "task": "carry_over", "year": year, "day": command.day.isoformat()}
    if not offers(law, "carry_over") or set(asks(law.rulebook)["carry_over"][0].given) <= {"holding", "year"}:
        return Decision([done])  # banking that looks at nothing but the holding keeps all of it
    old = [u for u in state.allowance_units() if (state.books.unit_types[u].vintage or 0) <= year]
    accounts = np.array(state.accounts.of_kind("operator"), dtype=np.int64)
    if not old or not len(accounts):
        return Decision([done])
    holding = sum(state.books.availables(accounts, unit) for unit in old)
    window = law.value("registry.carry_over_window_from") if law.has("registry.carry_over_window_from") else state.rulebook.system.begins
    last = law.value("registry.carry_over_window_to") if law.has("registry.carry_over_window_to") else command.day
    sold, bought = _trades(state, accounts, old, day_number(window), day_number(last))
    pool = {"sold": sold, "bought": bought, "holding": np.asarray(holding), "on_time": _on_time(state, accounts, window)}
    answer = ask_rows(law, "carry_over", pool | {"year": year})
    carried = np.asarray(answer["carried"] if isinstance(answer, dict) else answer, dtype=np.int64)
    _, opening, target = new_allowance(state, year + 1)
    issuance, void = state.accounts.number("issuance"), state.accounts.number("invalidated")
    batches, left = [], carried.copy()
    for unit in old:
        have = state.books.availables(accounts, unit)
        keep = np.minimum(left, have)
        left -= keep
        batches.append(move(command, Kind.CARRY_OVER, accounts, issuance, unit, keep, TransferFlag.BY_AUTHORITY))
        batches.append(move(command, Kind.INVALIDATE, accounts, void, unit, have - keep, TransferFlag.BY_AUTHORITY))
    batches.append(move(command, Kind.CARRY_OVER, issuance, accounts, target, carried))
    note = {"event": "published", "what": "carry_over", "year": year, "quantity": int(carried.sum()), "void": int(np.sum(holding) - carried.sum())}
    return Decision([*opening, note | {"day": command.day.isoformat()}, done], transfers=join(*batches))


def _on_time(state: State, accounts: np.ndarray, since: date) -> np.ndarray:
    """Whether nobody found the account's installation short, or without a figure, at a deadline since a day."""
    years = [year for year in state.statuses["year"].unique().to_list() if state.done.get(f"surrender:{year}", "") >= since.isoformat()]
    late = state.statuses.filter(~pl.col("interim"), pl.col("year").is_in(years), pl.col("status").is_in(["B", "C", "D"]))
    names = pl.Series([state.accounts.installations[number] for number in accounts.tolist()], dtype=pl.String)
    return ~names.is_in(late["installation"].implode()).fill_null(False).to_numpy()


def _trades(state: State, accounts: np.ndarray, units: list[int], since: int, until: int) -> tuple[np.ndarray, np.ndarray]:
    """(sold, bought) of each account in these unit types from one day to another: transfers and sales, not allocation or surrender."""
    rows = state.books.transfers
    rows = rows[(rows["day"] >= since) & (rows["day"] <= until)]
    rows = rows[np.isin(rows["unit"], units) & np.isin(rows["kind"], [Kind.TRANSFER, Kind.SELL])]
    frame = pl.DataFrame({"from": rows["from_account"], "to": rows["to_account"], "quantity": rows["quantity"]})
    own = pl.DataFrame({"account": accounts.astype(np.int32)})
    sold = own.join(frame.group_by("from").agg(pl.col("quantity").sum()), left_on="account", right_on="from", how="left", maintain_order="left")
    bought = own.join(frame.group_by("to").agg(pl.col("quantity").sum()), left_on="account", right_on="to", how="left", maintain_order="left")
    return sold["quantity"].fill_null(0).to_numpy(), bought["quantity"].fill_null(0).to_numpy()
