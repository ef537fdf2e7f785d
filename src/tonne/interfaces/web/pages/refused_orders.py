"""Why an order was not taken, in the words of whoever sent it: what holds, and what can be done about it."""

from __future__ import annotations

from typing import Any

from tonne.interfaces.views import market_view
from tonne.interfaces.views import ticket as ticket_view
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.problems import title
from tonne.interfaces.web.render import money, price, quantity
from tonne.interfaces.web.words import N_

#: name of a refusal -> the field of the ticket that it is about
FIELDS: dict[str, str] = {
    **dict.fromkeys(("price_limit", "bad_price", "off_tick", "limit_needed", "would_take", "no_liquidity", "own_order"), "price"),
    **dict.fromkeys(
        ("no_cover", "odd_lot", "bad_quantity", "below_minimum", "order_limit", "position_limit", "resale_lock", "insufficient_balance"), "quantity"
    ),
    **dict.fromkeys(("not_fillable", "outside_session"), "lasting"),
    **dict.fromkeys(("not_admitted", "account_blocked", "killed"), "account"),
}
#: Refusals that need no figures.
WORDS: dict[str, str] = {
    "killed": N_("Trading from this account is stopped. The exchange gives it back by hand; ask them."),
    "account_blocked": N_("This account is blocked: nothing may leave it. The administrator says why and until when."),
    "not_admitted": N_("This account is not admitted to the exchange, or has no collateral account for what is margined."),
    "outside_session": N_("The market takes no such orders in this phase. What is in the book can be cancelled."),
    "limit_needed": N_("Name a price: what is paid for at the trade is bought with a limit, so that the money can be set aside."),
    "would_take": N_("It would trade at once, and was only to add to the book. Choose a price that meets nothing."),
    "no_liquidity": N_("Nothing more stood in the book to trade with."),
    "own_order": N_("It met an order of your own, and nobody trades with themselves."),
    "not_fillable": N_("It could not be filled whole at once, so nothing traded."),
    "resale_lock": N_("These units were bought today and may be sold from the next trading day on."),
    "position_limit": N_("The position could grow beyond the contract's limit. Lower the quantity, or cancel open orders."),
    "immediate_or_cancel": N_("what did not trade at once was not to wait."),
    "volatility": N_("The price moved so far that an auction began."),
    "day_end": N_("its last day ended."),
    "order_not_open": N_("The order is no longer open: it traded or was taken out."),
    "not_the_account": N_("This is not your order."),
    "unknown_order": N_("There is no such order."),
    "instrument_expired": N_("The last trading day has passed."),
    "order_limit": N_("This is more than one order may be for. Send it in parts."),
}


def told_refusal(ask: Ask, name: str, one: market_view.Instrument, seen: ticket_view.Ticket | None = None) -> str:
    """A sentence or two. seen: the order as it was looked at, for the figures."""
    if name in WORDS:
        return ask._(WORDS[name])
    figures: dict[str, Any] = {
        "low": price(one.lowest),
        "high": price(one.highest),
        "tick": price(one.tick),
        "instrument": one.code,
        "lot": quantity(one.lot),
    }
    if name == "price_limit":
        return ask.say("Today's prices run from %(low)s to %(high)s. Choose one inside.", **figures)
    if name == "off_tick":
        return ask.say("Prices of %(instrument)s go in steps of %(tick)s.", **figures)
    if name == "odd_lot":
        return ask.say("Quantities of %(instrument)s are whole multiples of %(lot)s.", **figures)
    if name == "below_minimum":
        return ask.say("The smallest order of %(instrument)s is %(least)s.", **figures, least=quantity(one.smallest_order))
    if name == "no_cover" and seen is not None:
        return _no_cover(ask, one, seen)
    return title(name, ask._).capitalize() + "."


def _no_cover(ask: Ask, one: market_view.Instrument, seen: ticket_view.Ticket) -> str:
    if one.counted == "lots":
        facts = {"need": money(seen.margin_minor, one.currency), "free": money(seen.free_minor, one.currency)}
        return ask.say("This needs %(need)s more collateral, and %(free)s is free. Pay in, lower the quantity, or cancel open orders.", **facts)
    if seen.side == "buy":
        facts = {"need": money(seen.aside_minor, one.currency), "free": money(seen.available_minor, one.currency), "account": seen.account}
        return ask.say("This needs %(need)s, and %(free)s is free on %(account)s. Pay in, lower the quantity, or cancel open orders.", **facts)
    facts = {"need": f"{quantity(seen.aside_units)} {one.unit}", "free": f"{quantity(seen.available_units)} {one.unit}", "account": seen.account}
    return ask.say("This needs %(need)s, and %(free)s is free on %(account)s. Lower the quantity, or cancel open orders.", **facts)
