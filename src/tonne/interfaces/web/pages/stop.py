"""The stop button: all own orders out at once and nothing in, until the exchange gives the entry back by hand; and the exchange's page for that."""

from __future__ import annotations

from typing import Any

from fastapi.responses import Response

from tonne.administration.cover import STOPPED
from tonne.administration.state import State
from tonne.interfaces.views import market_view, trader_view
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.forms import Field, Form
from tonne.interfaces.web.guard import TRADER, Allow, pages
from tonne.interfaces.web.pages.common import cache_of
from tonne.interfaces.web.pages.trade_screen import PHASES, stopped_by
from tonne.interfaces.web.problems import Problem

router = pages()
VENUE = Allow(frozenset({"venue", "administrator"}))
#: Phases that the exchange sets by hand from its page.
BY_HAND = ("continuous", "halt")


# -- stop


@router.get("/{system}/trade/stop", allow=TRADER)
def stop_page(ask: Asked, system: str) -> Response:
    """What a stop would do, before it is done; afterwards who gives the entry back."""
    return _stop(ask, "")


def _stop(ask: Ask, fault: str, status: int = 200) -> Response:
    with ask.market.read() as state:
        found = trader_view.trader(state, ask.visitor.participant, cache=cache_of(ask.market))
        killed = [account for account in found.accounts if state.exchange.book.is_killed(state.accounts.number(account))]
    counts = {account: sum(order.account == account for order in found.orders) for account in found.accounts}
    return ask.page(
        "trade_stop.html",
        status,
        counts=counts,
        killed=killed,
        left=[account for account in found.accounts if account not in killed],
        givers=stopped_by(ask),
        fault=fault,
        form=Form(ask, []),
        may_trade="trade" in ask.visitor.rights,
    )


@router.post("/{system}/trade/stop", allow=TRADER.with_right("trade"))
def stop(ask: Asked, system: str) -> Response:
    """All orders of the chosen accounts out, and nothing in."""
    sent = ask.form.get("account", [])
    chosen = [sent] if isinstance(sent, str) else list(sent)
    with ask.market.read() as state:
        own = trader_view.trader(state, ask.visitor.participant, cache=cache_of(ask.market)).accounts
    if not chosen:
        return _stop(ask, ask._("Choose at least one account."), 422)
    if not set(chosen) <= set(own):
        raise Problem(403, "not_permitted", ask._("One of these accounts is not yours."))
    ask.perform("orders", {"orders": [{"verb": "kill", "account": account} for account in dict.fromkeys(chosen)]})
    return ask.see(f"/{system}/trade/stop")


# -- the exchange


@router.get("/{system}/venue", allow=VENUE)
def venue_page(ask: Asked, system: str) -> Response:
    """Stopped accounts and the phase of each instrument."""
    with ask.market.read() as state:
        stopped = _stopped(state)
        listed = market_view.instruments(state) if state.exchange.book is not None else ()
    return ask.page(
        "trade_venue.html",
        stopped=stopped,
        listed=[one for one in listed if one.phase != "expired"],
        phases={name: ask._(text) for name, text in PHASES.items()},
        may_act="initiate" in ask.visitor.rights,
    )


def _stopped(state: State) -> list[dict[str, Any]]:
    """Member accounts that cannot order: by the stop button (killed), or because the account is blocked (then only the administrator lifts it)."""
    exchange, flags, found = state.exchange, state.books.flags(), []
    for member in exchange.members if exchange.book is not None else ():
        number = int(member["account"])
        killed = bool(exchange.book.is_killed(number))
        if killed or flags[number] & STOPPED:
            found.append({"account": state.accounts.ids[number], "holder": state.accounts.holders[number], "killed": killed})
    return found


def _choice(ask: Ask, name: str, choices: list[str]) -> str:
    form = Form(ask, [Field(name, name, "choice", choices=[(one, one) for one in choices])])
    if not form.check():
        raise Problem(422, "malformed", form.errors[0][1])
    return str(form.values[name])


@router.post("/{system}/venue/revive", allow=VENUE.with_right("initiate"))
def revive(ask: Asked, system: str) -> Response:
    """Give the entry back to an account."""
    with ask.market.read() as state:
        stopped = [one["account"] for one in _stopped(state) if one["killed"]]
    account = _choice(ask, "account", stopped)
    ask.perform("orders", {"orders": [{"verb": "revive", "account": account}]})
    return ask.see(f"/{system}/venue")


@router.post("/{system}/venue/phase", allow=VENUE.with_right("initiate"))
def phase(ask: Asked, system: str) -> Response:
    """Halt an instrument, or let it trade on."""
    with ask.market.read() as state:
        codes = [one.code for one in market_view.instruments(state) if one.phase != "expired"]
    code, chosen = _choice(ask, "instrument", codes), _choice(ask, "phase", list(BY_HAND))
    ask.perform("orders", {"orders": [{"verb": "phase", "instrument": code, "phase": chosen}]})
    return ask.see(f"/{system}/venue")
