"""What ordinary transfers leave alone, because the exchange counts on it: its own accounts, lots, what it has set aside, collateral in use."""

from __future__ import annotations

from typing import Any

import numpy as np

from tonne.administration.commands import Command
from tonne.administration.cover import collateral_of
from tonne.administration.kinds import Kind
from tonne.administration.margining import required
from tonne.administration.matching import order_margin
from tonne.administration.permissions import is_authority
from tonne.administration.refusals import Refusal
from tonne.administration.state import State
from tonne.ledger import TransferFlag


def require_ordinary(state: State, command: Command, batch: Any) -> None:
    """Rows of transfers that a person orders touch nothing that is the exchange's. Raises Refusal: `not_permitted`, `not_eligible`, `no_cover`."""
    exchange = state.exchange
    _require_not_set_aside(state, batch)
    if not exchange.venue:
        return
    sources = np.unique(batch["from_account"])
    accounts = np.union1d(sources, batch["to_account"])
    own = np.union1d([state.accounts.number("set-aside"), state.accounts.number("ccp")], exchange.column("position_account"))
    touched = np.intersect1d(accounts, own[own >= 0])
    if len(touched):
        name = state.accounts.ids[int(touched[0])]
        raise Refusal("not_permitted", f"account {name!r} is the exchange's own: only trades, settlement and margin move what is on it")
    lots = exchange.column("position_unit") if exchange.listed else np.zeros(0, dtype=np.int64)
    lots = np.intersect1d(batch["unit"], lots[lots >= 0])
    if len(lots):
        code = state.books.unit_types[int(lots[0])].code
        raise Refusal("not_eligible", f"{code} are lots of a contract: they change hands by trades; send orders, or report a trade")
    funds = (
        [] if is_authority(state, command) else sorted({member["fund"] for member in exchange.members if member["fund"] >= 0} & set(sources.tolist()))
    )
    if funds:
        raise Refusal("not_permitted", f"what stands in {state.accounts.ids[funds[0]]!r} is released by the clearing house, not by its holder")
    require_free_collateral(state, batch)


def _require_not_set_aside(state: State, batch: Any) -> None:
    """What orders, agreements and auctions have set aside is released by them."""
    for row in batch[(batch["flags"] & int(TransferFlag.POST | TransferFlag.VOID)) != 0]:
        pending = state.books.transfer(int(row["reference"]))
        if pending is not None and pending.kind == Kind.SET_ASIDE:
            reason = f"transfer {pending.id} sets aside what stands behind orders, agreements or bids; cancel those, and it is free"
            raise Refusal("not_permitted", reason)
        if pending is not None and pending.kind == Kind.SCHEDULED:
            raise Refusal(
                "not_permitted", f"transfer {pending.id} reserves what an approved proposal moves later; withdraw the proposal, and it is free"
            )


def require_free_collateral(state: State, batch: Any) -> None:
    """Money leaves a collateral account only as far as positions, open orders and debts do not need it. Raises Refusal `no_cover`."""
    exchange = state.exchange
    collateral = exchange.column("collateral") if exchange.listed else np.zeros(0, dtype=np.int64)
    members = np.flatnonzero(np.isin(collateral, batch["from_account"]) & (collateral >= 0))
    if not len(members) or not exchange.losses:
        return
    needed = required(exchange, exchange.position[members])
    growing = order_margin(exchange, members, exchange.bought[members], exchange.sold[members])
    for money in needed:
        need = needed[money] + growing[money] + exchange.owed[members, money]
        free = np.maximum(collateral_of(state, members, money) - need, 0).tolist()
        for member, left in zip(members.tolist(), free, strict=True):
            rows = batch[(batch["from_account"] == collateral[member]) & (batch["unit"] == money)]
            wanted = sum(rows["quantity"].tolist())
            if wanted > left:
                name, code = state.accounts.ids[int(collateral[member])], state.books.unit_types[money].code
                reason = f"{wanted:,} minor units of {code} are to leave {name!r} and {left:,} are free"
                raise Refusal("no_cover", f"{reason}: the rest stands behind positions, orders and debts")
