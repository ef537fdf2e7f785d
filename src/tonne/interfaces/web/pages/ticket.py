"""The ticket: an order is written, reviewed with all it would do, and only then placed; changed in the same two steps, and cancelled in one.

Nothing here decides: what is refused by name by the clerk or the book is told beside the field that it is about, in words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi.responses import Response

from tonne.administration.commands import decode
from tonne.interfaces.views import market_view, trader_view
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.forms import Form
from tonne.interfaces.web.guard import TRADER, pages
from tonne.interfaces.web.pages import trade_screen
from tonne.interfaces.web.pages.common import cache_of
from tonne.interfaces.web.pages.order_form import Review, fault, form_of, look, read
from tonne.interfaces.web.pages.refused_orders import told_refusal
from tonne.interfaces.web.pages.trade_screen import path_of
from tonne.interfaces.web.problems import Problem
from tonne.interfaces.web.render import price, quantity

router = pages()
MAY = TRADER.with_right("trade")


def ticket(
    ask: Ask, one: market_view.Instrument, form: Form, *, review: Review | None = None, changed: Any = None, said: Any = None
) -> dict[str, Any]:
    """What the template of the ticket needs."""
    at = ask.here(f"/trade/{path_of(one.code)}")
    return {
        "form": form,
        "review": review,
        "changed": changed,
        "said": said,
        "action": f"{at}/{'place' if review else 'review'}",
        "edit": f"{at}/edit",
        "at": at,
    }


def own_order(ask: Ask, number: str) -> trader_view.OpenOrder | None:
    """An open order of the visitor's organisation; None for others' and for what is no longer open, which look alike."""
    with ask.market.read() as state:
        found = trader_view.trader(state, ask.visitor.participant, cache=cache_of(ask.market))
    return next((order for order in found.orders if str(order.order) == number), None)


def _opened(ask: Ask, code: str) -> tuple[market_view.Instrument, Form, trader_view.OpenOrder | None]:
    """The instrument, the form as it was sent, and the order that it changes. Raises Problem 409 where that is not open, or not one's own."""
    one = trade_screen.seen(ask, code).one
    accounts = trade_screen.own(ask, one.unit, one.currency).trader.accounts
    number = str(ask.form.get("order", ""))
    changed = own_order(ask, number) if number else None
    if number and (changed is None or changed.instrument != code):
        raise Problem(
            409,
            "order_not_open",
            ask.say("Order %(order)s is not among your open orders: it traded, was taken out, or is not yours.", order=number[:20]),
        )
    return one, form_of(ask, one, accounts), changed


@router.post("/{system}/trade/{instrument}/review", allow=MAY)
def review(ask: Asked, system: str, instrument: str) -> Response:
    """All that the order would do. Nothing is sent yet."""
    one, form, changed = _opened(ask, instrument)
    order = read(ask, form, one)
    found = look(ask, form, one, order, changed) if order is not None else None
    return trade_screen.screen(ask, instrument, ticket(ask, one, form, review=found, changed=changed), 200 if found else 422)


@router.post("/{system}/trade/{instrument}/edit", allow=MAY)
def edit(ask: Asked, system: str, instrument: str) -> Response:
    """Back to the ticket, with what was typed."""
    one, form, changed = _opened(ask, instrument)
    return trade_screen.screen(ask, instrument, ticket(ask, one, form, changed=changed))


@router.post("/{system}/trade/{instrument}/place", allow=MAY)
def place(ask: Asked, system: str, instrument: str) -> Response:
    """Send what was reviewed. The review's key makes a second sending the same order."""
    key = ask.key_of()
    done = ask.market.desk.administration.outcome_of(f"web:{ask.visitor.participant}:{key}") is not None
    if done:
        return ask.see(f"/{system}/trade/{path_of(instrument)}", placed=key)
    one, form, changed = _opened(ask, instrument)
    order = read(ask, form, one)
    if order is None:
        return trade_screen.screen(ask, instrument, ticket(ask, one, form, changed=changed), 422)
    try:
        receipt = ask.perform("orders", {"orders": [order]})
    except Problem as problem:
        if problem.receipt is None:
            raise
        look(ask, form, one, order, changed)
        if not form.errors:
            fault(ask, form, problem.name, one)
        return trade_screen.screen(ask, instrument, ticket(ask, one, form, changed=changed), 422)
    for name in receipt.events[0]["refusals"]:
        fault(ask, form, name, one)
    if form.errors:
        return trade_screen.screen(ask, instrument, ticket(ask, one, form, changed=changed), 422)
    return ask.see(f"/{system}/trade/{path_of(instrument)}", placed=key)


@router.post("/{system}/orders/{order}/cancel", allow=MAY)
def cancel(ask: Asked, system: str, order: str) -> Response:
    """One own order out of the book."""
    found = own_order(ask, order)
    back = ask.form.get("back", "")
    code = back if isinstance(back, str) and back else (found.instrument if found else trade_screen.default_code(ask) or "")
    trade_screen.seen(ask, code)
    at = f"/{system}/trade/{path_of(code)}"
    key = ask.key_of()
    if found is not None:
        ask.perform("orders", {"orders": [{"verb": "cancel", "account": found.account, "order": found.order}]}, key=key)
    elif ask.market.desk.administration.outcome_of(f"web:{ask.visitor.participant}:{key}") is None:
        return ask.see(at, gone=order[:20])
    return ask.see(at, placed=key)


def gone(ask: Ask, number: str) -> dict[str, str]:
    """That an order is not open, or not one's own."""
    text = ask.say("Order %(order)s is not among your open orders: it traded, was taken out, or is not yours.", order=number[:20])
    return {"kind": "warning", "title": ask._("Nothing was changed"), "text": text}


def receipt_of(ask: Ask, one: market_view.Instrument) -> dict[str, str] | None:
    """What became of the order that the address names, from the log: a title, and what traded, waits or was cancelled."""
    number = ask.query.get("gone", "")
    if number.isdigit():
        return gone(ask, number)
    key = ask.query.get("placed", "")
    entry = ask.market.entry(f"web:{ask.visitor.participant}:{key}") if key else None
    if entry is None or entry.kind != "orders":
        return None
    event = decode(entry.events)[0]
    rows = event.get("rows")
    if rows is None:  # too many to be written out: counted
        trades = event.get("executions", {}).get("trade", 0)
        return {
            "kind": "success",
            "title": ask._("Placed"),
            "text": ask.ngettext("It made %(num)s trade.", "It made %(num)s trades.", trades) % {"num": trades},
        }
    return _told_rows(ask, one, rows)


def _told_rows(ask: Ask, one: market_view.Instrument, rows: list[Mapping[str, Any]]) -> dict[str, str] | None:
    first = rows[0] if rows else None
    if first is None:
        return None
    with ask.market.read() as state:
        listing = state.exchange.listed[first["instrument"]]
        traded = [row for row in rows if row["happening"] == "trade" and row["order"] == first["order"]]
        lots, paid = sum(row["quantity"] for row in traded), sum(row["quantity"] * row["price"] for row in traded)
        filled = market_view.quantity_of(listing, lots)
        left = market_view.quantity_of(listing, [row["left"] for row in rows if row["order"] == first["order"]][-1])
        at = market_view.price_of(listing, 1)
    number = str(first["order"])
    if first["happening"] == "refused":
        return {"kind": "danger", "title": ask._("Not placed"), "text": told_refusal(ask, first["reason"], one)}
    if first["happening"] == "cancelled":
        return {
            "kind": "success",
            "title": ask.say("Order %(order)s is cancelled", order=number),
            "text": ask._("Nothing of it is in the book any more."),
        }
    title = (
        ask.say("Order %(order)s is changed", order=number) if first["happening"] == "amended" else ask.say("Order %(order)s is placed", order=number)
    )
    parts = []
    if lots and at is not None:
        parts.append(
            ask.say(
                "%(quantity)s traded, at %(price)s on average.",
                quantity=quantity(filled),
                price=price(round(at * paid / lots, 4).normalize() if paid % lots else at * (paid // lots)),
            )
        )
    ended = next((row for row in rows if row["happening"] == "cancelled" and row["order"] == first["order"]), None)
    if ended is not None:
        parts.append(
            ask.say(
                "%(quantity)s were cancelled: %(why)s",
                quantity=quantity(market_view.quantity_of(listing, ended["quantity"])),
                why=told_refusal(ask, ended["reason"], one),
            )
        )
    elif left:
        parts.append(ask.say("%(quantity)s wait in the book.", quantity=quantity(left)))
    return {"kind": "success", "title": title, "text": ask.gap.join(parts)}
