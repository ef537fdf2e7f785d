"""Money in and out: deposits from, and withdrawals to, the settlement bank."""

from __future__ import annotations

import numpy as np
import polars as pl

from tonne.administration.commands import Command
from tonne.administration.decision import Decision, move, move_one, table, text
from tonne.administration.kinds import Kind
from tonne.administration.permissions import is_authority, require_holder, role_of
from tonne.administration.refusals import Refusal
from tonne.administration.reserved import require_free_collateral
from tonne.administration.state import State
from tonne.administration.transfer import account
from tonne.units import Money, UnitsError

#: Accounts that money may be paid in to: people's own, and what stands behind their positions.
PAID_IN = frozenset({"operator", "trading", "remainder", "cash", "collateral", "default_fund", "ccp_capital"})
#: Kinds of accounts that the clearing house decides about.
HOUSES_OWN = ("default_fund", "ccp_capital")


def deposit(state: State, command: Command) -> Decision:
    """Body: account, amount (text, in the currency), currency. The settlement bank says that money came in; it is on the account at once.

    A table `deposits` (account, minor: whole minor units) instead of account and amount: many at once, all or none."""
    if isinstance(command.tables.get("deposits"), pl.DataFrame):
        return _many(state, command)
    target = account(state, text(command, "account"))
    if state.accounts.kinds[target] not in PAID_IN:
        raise Refusal(
            "not_eligible", f"account {state.accounts.ids[target]!r} is of the kind {state.accounts.kinds[target]}; money is paid in to others"
        )
    amount = money_of(state, command)
    currency = state.unit(amount.currency)
    row = move_one(command, Kind.DEPOSIT, state.accounts.number("bank"), target, currency, amount.minor)
    return Decision([{"event": "moved", "count": 1}], transfers=row)


def _many(state: State, command: Command) -> Decision:
    rows = table(command, "deposits", {"account": pl.String, "minor": pl.Int64})
    currency = _currency(state, text(command, "currency"))
    targets = [account(state, name) for name in rows["account"].to_list()]
    wrong = sorted({state.accounts.ids[one] for one in targets if state.accounts.kinds[one] not in PAID_IN})
    if wrong or not rows.height or rows.filter(pl.col("minor") <= 0).height:
        raise Refusal("malformed", f"every deposit is above zero and to an account that money is paid in to{f', not {wrong[0]!r}' if wrong else ''}")
    batch = move(command, Kind.DEPOSIT, state.accounts.number("bank"), np.array(targets), currency, rows["minor"].to_numpy())
    return Decision([{"event": "moved", "count": rows.height}], transfers=batch)


def withdraw(state: State, command: Command) -> Decision:
    """Body: account, amount, currency. Money that is not set aside for anything goes back to the holder's bank: of collateral, what positions, open
    orders and debts do not need. The venue releases what stands in the default fund and the clearing house's capital, and nothing else."""
    source = account(state, text(command, "account"))
    kind = state.accounts.kinds[source]
    if kind not in PAID_IN:
        raise Refusal("not_eligible", f"account {state.accounts.ids[source]!r} is of the kind {kind}; no money is paid out of it")
    if kind not in HOUSES_OWN:
        require_holder(state, command, [source])
    elif not is_authority(state, command) and role_of(state, command.by) != "venue":
        raise Refusal("not_permitted", f"what stands in {state.accounts.ids[source]!r} is released by the clearing house, not by its holder")
    amount = money_of(state, command)
    row = move_one(command, Kind.WITHDRAW, source, state.accounts.number("bank"), state.unit(amount.currency), amount.minor)
    require_free_collateral(state, row)
    return Decision([{"event": "moved", "count": 1}], transfers=row)


def money_of(state: State, command: Command) -> Money:
    """`amount` and `currency` of the body. Raises Refusal: `malformed`, `unknown_unit_type` for a currency that the market has no accounts in."""
    currency, amount = text(command, "currency"), text(command, "amount")
    _currency(state, currency)
    try:
        money = Money.of(amount, currency)
    except UnitsError as error:
        raise Refusal("malformed", f"amount {amount!r}: {error}") from None
    if money.minor <= 0:
        raise Refusal("malformed", f"an amount is above zero, not {amount}")
    return money


def _currency(state: State, code: str) -> int:
    """The ledger number of a currency. Raises Refusal `unknown_unit_type`."""
    if state.unit(code) < 0 or state.books.unit_types[state.unit(code)].kind != "money":
        known = [unit.code for unit in state.books.unit_types if unit.kind == "money"]
        raise Refusal("unknown_unit_type", f"no money {code!r} here; there is {', '.join(known)}")
    return state.unit(code)
