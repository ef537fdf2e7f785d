"""Calls during the day: what members lack when the losses since the last settlement are counted before they are paid."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np

from tonne.administration.commands import Command
from tonne.administration.decision import Decision, optional_text
from tonne.administration.listing import require_exchange
from tonne.administration.margining import required
from tonne.administration.matching import by_currency, order_margin
from tonne.administration.orders import price_of
from tonne.administration.refusals import Refusal
from tonne.administration.state import State
from tonne.clearing.call import intraday_calls


def call_margin(state: State, command: Command) -> Decision:
    """Body: prices (code -> text: of now; what is left out stands at its last settlement price), trigger (text: who lacks no more than this share of
    its requirement is not called; left out: 0).

    Collateral must cover the requirement, the open orders and the losses since the last settlement; gains do not count before they are paid. The
    calls are published with their amounts; money comes by `deposit`, and `close_day` or `collect` take it."""
    exchange = require_exchange(state)
    if not exchange.losses:
        raise Refusal("nothing_to_do", "nothing is margined here")
    given = command.body.get("prices", {})
    if not isinstance(given, Mapping) or any(exchange.number(str(code)) < 0 for code in given):
        raise Refusal("malformed", "prices is a mapping from codes of instruments to prices")
    marks = exchange.marks.copy()
    for code, price in given.items():
        marks[exchange.number(code)] = price_of(exchange.listed[exchange.number(code)], price)
    share = optional_text(command, "trigger", "0")
    try:
        trigger = Decimal(share)
        if not 0 <= trigger <= 1:
            raise InvalidOperation
    except InvalidOperation:
        raise Refusal("malformed", f"trigger is a share from 0 to 1 as text, not {share!r}") from None
    called: list[list[Any]] = []
    members = np.flatnonzero(exchange.column("collateral") >= 0)
    needed = required(exchange, exchange.position[members])
    orders = order_margin(exchange, members, exchange.bought[members], exchange.sold[members])
    for money, contracts in by_currency(exchange):
        live = contracts[~exchange.column("premium")[contracts]]
        moved = exchange.position[members][:, live] * marks[live] - exchange.basis[members][:, live]
        gain = moved @ exchange.column("tick_value")[live] - exchange.owed[members, money]
        held = state.books.balances(exchange.column("collateral")[members], money)
        found = intraday_calls(needed[money] + orders[money], gain, held, trigger=trigger)
        currency = state.books.unit_types[money].code
        called += [[state.accounts.ids[exchange.members[int(members[row])]["account"]], currency, int(found.call[row])] for row in found.called]
    note = {"event": "published", "what": "margin_calls", "year": command.day.year, "day": command.day.isoformat(), "calls": called}
    return Decision([note])
