"""Trades that two parties agree beside the order book: proposed and answered here, or reported by the venue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tonne.administration.commands import Command
from tonne.administration.cover import NOT_COVERED, WHY, uncovered
from tonne.administration.decision import Decision, optional_text, text, whole
from tonne.administration.exchange import Exchange
from tonne.administration.listing import require_exchange
from tonne.administration.matching import Done, Place, moment, set_aside
from tonne.administration.matching import agreed as legs_of
from tonne.administration.orders import lots_of, price_of, ticks_of
from tonne.administration.permissions import require_holder
from tonne.administration.refusals import Refusal
from tonne.administration.state import State
from tonne.administration.transfer import account
from tonne.dates import day_number
from tonne.market.contract import PhaseHours
from tonne.market.negotiated import DealLimits, Hours, Method
from tonne.market.orders import EXECUTION, LARGEST_QUANTITY, Happening, Side, Verb, instructions

#: Ways of dealing that a venue may report.
REPORTED = tuple(str(method) for method in Method if method is not Method.LISTED)


def propose_trade(state: State, command: Command) -> Decision:
    """Body: proposal (an id of the sender's choice), instrument, account, counterparty, side (buy or sell: the proposer's), price, quantity, time.

    Nothing is set aside yet: the other side must accept the same terms on the same day."""
    exchange = require_exchange(state)
    name = text(command, "proposal")
    if name in exchange.proposals:
        raise Refusal("already_exists", f"a proposal {name!r} was made before")
    mine, other = account(state, text(command, "account")), account(state, text(command, "counterparty"))
    require_holder(state, command, [mine])
    terms = _terms(state, command, exchange)
    side = text(command, "side")
    if side not in ("buy", "sell"):
        raise Refusal("malformed", f"side is buy or sell, not {side!r}")
    buyer, seller = (mine, other) if side == "buy" else (other, mine)
    deal = terms | {"buyer": buyer, "seller": seller, "proposer": mine, "day": command.day.isoformat()}
    _require_fit(exchange, deal, Method.BLOCK)
    return Decision([{"event": "trade_proposed", "proposal": name, "deal": deal}])


def answer_trade(state: State, command: Command) -> Decision:
    """Body: proposal, answer (accept, decline, withdraw). Accepting needs the terms again: price and quantity; both sides are then bound."""
    exchange = require_exchange(state)
    name, answer = text(command, "proposal"), text(command, "answer")
    deal = exchange.proposals.get(name)
    if deal is None:
        raise Refusal("unknown_order", f"no proposal {name!r} is open")
    if deal["day"] != command.day.isoformat():
        raise Refusal("expired", f"the proposal stood on {deal['day']}; make another")
    party = deal["proposer"] if answer == "withdraw" else deal["buyer"] + deal["seller"] - deal["proposer"]
    require_holder(state, command, [party])
    if answer in ("decline", "withdraw"):
        return Decision([{"event": "trade_closed", "proposal": name}])
    if answer != "accept":
        raise Refusal("malformed", f"an answer is accept, decline or withdraw, not {answer!r}")
    listing = exchange.listed[deal["instrument"]]
    said = (ticks_of(listing, text(command, "price")), lots_of(listing, whole(command, "quantity")))
    if said != (deal["ticks"], deal["lots"]):
        raise Refusal("terms_differ", "price or quantity are not those of the proposal: both sides say the same, or nothing is agreed")
    return agree(state, command, [deal], str(Method.BLOCK), name)


def report_trade(state: State, command: Command) -> Decision:
    """Body: method (block, over_the_counter, exchange_for_physical, ...), instrument, buyer, seller, price, quantity, time; or a list `legs` of such
    mappings that are all agreed or none: futures against units, or a swap. The venue has heard both sides."""
    exchange = require_exchange(state)
    method = text(command, "method")
    if method not in REPORTED:
        raise Refusal("malformed", f"method {method!r}: one of {', '.join(REPORTED)}")
    legs = command.body.get("legs", [command.body])
    if not isinstance(legs, list) or not legs or len(legs) > 100 or not all(isinstance(leg, Mapping) for leg in legs):
        raise Refusal("malformed", "legs is a list of 1 to 100 mappings")
    deals = []
    for leg in legs:
        part = Command(command.id, command.kind, command.by, command.day, leg)
        deal = _terms(state, part, exchange)
        deal |= {"buyer": account(state, text(part, "buyer")), "seller": account(state, text(part, "seller"))}
        _require_fit(exchange, deal, Method(method))
        deals.append(deal)
    return agree(state, command, deals, method, "")


def agree(state: State, command: Command, deals: list[dict[str, Any]], method: str, proposal: str) -> Decision:
    """Trades that both sides agree on, if both are covered. Raises Refusal by the name of what is lacking."""
    rows = instructions(2 * len(deals))
    rows["verb"] = int(Verb.NEW)
    for place, deal in enumerate(deals):
        for row, side, party in ((rows[2 * place], Side.BUY, "buyer"), (rows[2 * place + 1], Side.SELL, "seller")):
            row["side"], row["account"], row["instrument"] = int(side), deal[party], deal["instrument"]
            row["price"], row["quantity"] = deal["ticks"], deal["lots"]
    killed = [number for number in np.unique(rows["account"]).tolist() if state.exchange.book.is_killed(number)]
    if killed:
        raise Refusal("account_blocked", f"account {state.accounts.ids[killed[0]]!r} was taken out of the market by `kill`; `revive` lifts that")
    refused = uncovered(state, rows, day_number(command.day))
    if refused.any():
        first = int(np.flatnonzero(refused)[0])
        reason = int(refused[first])
        raise Refusal(NOT_COVERED[reason], f"account {state.accounts.ids[int(rows['account'][first])]}: {WHY[reason]}")
    trades = [[deal[name] for name in ("buyer", "seller", "instrument", "ticks", "lots", "time")] for deal in deals]
    return Decision([{"event": "agreed", "method": method, "proposal": proposal, "trades": trades}])


def agreed(state: State, event: Mapping[str, Any], tables: Mapping[str, Any], place: Place) -> Done:
    """Trades agreed beside the book are carried out as those of the book are; they move no price."""
    exchange = state.exchange
    trades = np.zeros(len(event["trades"]), dtype=EXECUTION)
    for row, (buyer, seller, instrument, ticks, lots, time) in zip(trades, event["trades"], strict=True):
        row["account"], row["other"], row["instrument"], row["price"], row["quantity"], row["time"] = buyer, seller, instrument, ticks, lots, time
    trades["happening"], trades["side"], trades["instruction"], trades["spare"] = int(Happening.TRADE), int(Side.BUY), -1, 1
    cover = exchange.cover.copy()
    legs = legs_of(exchange, trades, place, cover)
    exchange.add_trades(trades)
    exchange.proposals.pop(event["proposal"], None)
    return Done(set_aside(exchange, cover, legs, place), {}, {"executions": trades})


def _terms(state: State, command: Command, exchange: Exchange) -> dict[str, Any]:
    code = text(command, "instrument")
    number = exchange.number(code)
    if number < 0:
        raise Refusal("unknown_instrument", f"{code!r} is not listed; there are {', '.join(listing['code'] for listing in exchange.listed)}")
    listing = exchange.listed[number]
    if exchange.column("last_day")[number] < day_number(command.day):
        raise Refusal("instrument_expired", f"the last trading day of {code} was {listing['expiry']}")
    clock = optional_text(command, "time", listing["block_hours"][0][0] if listing["block_hours"] else "12:00")
    try:
        time = moment(command.day, clock, listing["timezone"])
    except ValueError:
        raise Refusal("malformed", f"{clock!r} is no time of day; write it as 09:30") from None
    return {
        "instrument": number,
        "ticks": price_of(listing, text(command, "price")),
        "lots": lots_of(listing, whole(command, "quantity")),
        "time": time,
    }


def _require_fit(exchange: Exchange, deal: Mapping[str, Any], method: Method) -> None:
    """Size and price as the contract has them for deals beside the book. Raises Refusal."""
    listing = exchange.listed[deal["instrument"]]
    least = (listing["block_min"] or 1) if method is Method.BLOCK else 1
    share = listing["block_limit"]
    hours = None
    if listing["block_hours"] and method is Method.BLOCK:
        hours = Hours(tuple(PhaseHours("block", opens, closes) for opens, closes in listing["block_hours"]), listing["timezone"])
    limits = DealLimits(min_lots=least, max_lots=LARGEST_QUANTITY, price_limit_share=_decimal(share), hours=hours)
    wrong = limits.refusal(deal["buyer"], deal["seller"], deal["ticks"], deal["lots"], deal["time"], int(exchange.marks[deal["instrument"]]) or None)
    if wrong is not None:
        raise Refusal(str(wrong.reason), wrong.text)


def _decimal(value: str | None) -> Any:
    from decimal import Decimal

    return None if value is None else Decimal(value)
