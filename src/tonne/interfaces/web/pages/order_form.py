"""The fields of an order, read and reviewed: what it would do is told before it is sent, and what would be refused, beside the field it is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tonne.administration.margining import LARGEST_POSITION
from tonne.administration.orders import orders as orders_verb
from tonne.administration.refusals import Refusal
from tonne.administration.state import State
from tonne.dates import day_number
from tonne.interfaces.views import market_view, trader_view
from tonne.interfaces.views import ticket as ticket_view
from tonne.interfaces.views.found import asking
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.forms import Field, Form
from tonne.interfaces.web.pages.common import cache_of
from tonne.interfaces.web.pages.refused_orders import FIELDS, told_refusal
from tonne.interfaces.web.pages.trade_screen import KINDS, LASTINGS, SIDES, TAKING
from tonne.interfaces.web.problems import Problem
from tonne.interfaces.web.render import money, price, quantity

TRIGGERED, PRICED = ("stop", "stop_limit"), ("limit", "stop_limit")


@dataclass(frozen=True, slots=True)
class Review:
    """What stands between the ticket and the order. facts: (what, how much); warnings: sentences; verb: of the button."""

    sentence: str
    facts: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]
    verb: str


# -- the form


def form_of(ask: Ask, one: market_view.Instrument, accounts: tuple[str, ...], changed: trader_view.OpenOrder | None = None) -> Form:
    """The fields of an order; with what the address names (side, price, quantity) or what the order that is changed has."""
    per = ask.say("%(currency)s per %(unit)s", currency=one.currency, unit=one.unit or one.code)
    counted = ask._("lots") if one.counted == "lots" else ask._("units")
    step = ask.say("In steps of %(tick)s.", tick=price(one.tick))
    asked: Mapping[str, Any] = ask.query if ask.request.method == "GET" else {}
    fields = [
        Field(
            "side",
            ask._("Side"),
            "choice",
            changed.side if changed else asked.get("side") if asked.get("side") in SIDES else "buy",
            choices=_choices(ask, SIDES),
        ),
        Field("quantity", ask._("Quantity"), "number", changed.quantity if changed else asked.get("quantity", ""), unit=counted),
        Field("price", ask._("Price"), "price", _text(changed.price) if changed else asked.get("price", ""), unit=per, hint=step),
        Field("kind", ask._("Kind"), "choice", changed.kind if changed else "limit", choices=_choices(ask, KINDS)),
        Field("lasting", ask._("Lasts"), "choice", changed.lasting if changed else "day", choices=_choices(ask, LASTINGS)),
        Field(
            "account",
            ask._("Account"),
            "choice",
            changed.account if changed else next(iter(accounts), ""),
            choices=[(name, name) for name in accounts],
        ),
        Field(
            "stop",
            ask._("Trigger price"),
            "price",
            _text(changed.stop) if changed else "",
            unit=per,
            required=False,
            hint=ask._("For the kinds Stop and Stop limit."),
        ),
        Field("display", ask._("Shown at a time"), "number", "", unit=counted, required=False, hint=ask._("The book shows no more than this of it.")),
        Field("expires", ask._("Last day"), "date", "", required=False, hint=ask._("For orders that last until a day.")),
        Field("post_only", ask._("Only add to the book: refuse it where it would trade at once"), "checkbox", "", required=False),
        Field("order", kind="hidden", value=changed.order if changed else "", required=False),
    ]
    return Form(ask, fields)


def _choices(ask: Ask, table: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name, ask._(text)) for name, text in table.items()]


def _text(value: Decimal | None) -> str:
    return "" if value is None else f"{value:f}"


def read(ask: Ask, form: Form, one: market_view.Instrument) -> dict[str, Any] | None:
    """The order in the words of the command; None where a field is wrong, which is then said beside it."""
    form.check()
    values = form.values
    kind, lasting, changes = values.get("kind", ""), values.get("lasting", ""), bool(values.get("order"))
    if kind in KINDS and not str(form["price"].value).strip():
        form["price"].error = "" if kind not in PRICED else ask._("Name a price: a limit order is not filled at a worse one.")
        values["price"] = None
    if kind in ("market", "stop") and values.get("price"):
        form.fault("price", ask._("An order of this kind has no price of its own: leave it empty, or make it a limit order."))
    if kind in TRIGGERED and not values.get("stop") and not form["stop"].error:
        form.fault("stop", ask._("Name the price at which the order wakes."))
    if kind not in TRIGGERED and values.get("stop"):
        form.fault("stop", ask._("Only stop orders have a trigger price."))
    if lasting == "gtd" and not values.get("expires") and not form["expires"].error and not changes:
        form.fault("expires", ask._("Name the last day of the order."))
    if lasting != "gtd" and values.get("expires"):
        form.fault("expires", ask._("Only orders that last until a day have a last day."))
    if values.get("expires") and values["expires"] < ask.market.today:
        form.fault("expires", ask._("This day is over."))
    if changes and not str(values["order"]).isdigit():
        raise Problem(422, "malformed")
    if form.errors:
        return None
    order: dict[str, Any] = {"account": values["account"], "instrument": one.code, "quantity": values["quantity"]}
    order |= {name: values[name] for name in ("price", "stop") if values[name]}
    if changes:
        return {"verb": "amend", "order": int(values["order"]), **order}
    order |= {"side": values["side"], "kind": kind, "lasting": lasting}
    order |= {"display": values["display"]} if values["display"] else {}
    order |= {"expires": day_number(values["expires"])} if values["expires"] else {}
    return order | ({"post_only": True} if values["post_only"] else {})


# -- what it would do


def look(ask: Ask, form: Form, one: market_view.Instrument, order: Mapping[str, Any], changed: trader_view.OpenOrder | None) -> Review | None:
    """The review of an order; None where it would be refused, which is then said beside the field."""
    with ask.market.read() as state:
        seen = ticket_view.ticket(state, ask.visitor.participant, _as_new(order, changed), ask.market.today, cache=cache_of(ask.market))
        refused = _of_change(state, ask, order) if changed is not None else seen.refused
        killed = _is_stopped(state, str(order["account"]))
        positions = trader_view.positions(state, [state.accounts.number(str(order["account"]))])
    name = refused or _of_book(one, order, killed)
    if name:
        fault(ask, form, name, one, seen)
        return None
    held = next((position.lots for position in positions if position.instrument == one.code), 0)
    return Review(
        _sentence(ask, one, order, changed),
        tuple(_facts(ask, one, seen, changed, held)),
        tuple(_warnings(ask, seen, changed)),
        _verb(ask, one, order, changed),
    )


def _as_new(order: Mapping[str, Any], changed: trader_view.OpenOrder | None) -> dict[str, Any]:
    """A change looked at as the order that would come of it."""
    if changed is None:
        return dict(order)
    return {name: order[name] for name in ("account", "instrument", "quantity", "price", "stop") if name in order} | {
        "side": changed.side,
        "kind": changed.kind,
    }


def _of_change(state: State, ask: Ask, order: Mapping[str, Any]) -> str:
    """Why the clerk would refuse a change, counted against what is set aside for the order already."""
    try:
        orders_verb(state, asking(max(ask.market.today, state.today), ask.visitor.participant, "orders", orders=[dict(order)]))
    except Refusal as refusal:
        return refusal.name
    return ""


def _is_stopped(state: State, account: str) -> bool:
    return bool(state.exchange.book.is_killed(state.accounts.number(account)))


def _of_book(one: market_view.Instrument, order: Mapping[str, Any], killed: bool) -> str:
    """What the book itself would refuse, as far as that is plain beforehand."""
    if killed:
        return "killed"
    if one.phase not in TAKING:
        return "outside_session"
    for name in ("price", "stop"):
        if name in order and (
            (one.lowest is not None and Decimal(order[name]) < one.lowest) or (one.highest is not None and Decimal(order[name]) > one.highest)
        ):
            return "price_limit"
    return ""


def fault(ask: Ask, form: Form, name: str, one: market_view.Instrument, seen: ticket_view.Ticket | None = None) -> None:
    """A refusal beside the field that it is about; what is about no field stands at the quantity."""
    form.fault(FIELDS.get(name, "quantity"), told_refusal(ask, name, one, seen))


def _verb(ask: Ask, one: market_view.Instrument, order: Mapping[str, Any], changed: trader_view.OpenOrder | None) -> str:
    if changed is not None:
        return ask.say("Place the change: %(quantity)s", quantity=quantity(order["quantity"]))
    if order["side"] == "buy":
        return ask.say("Place: buy %(quantity)s", quantity=quantity(order["quantity"]))
    return ask.say("Place: sell %(quantity)s", quantity=quantity(order["quantity"]))


def _sentence(ask: Ask, one: market_view.Instrument, order: Mapping[str, Any], changed: trader_view.OpenOrder | None) -> str:
    counted = ask._("lots") if one.counted == "lots" else ask._("units")
    limit = ask.say("at %(price)s or better", price=price(order["price"], one.currency)) if "price" in order else ask._("at the best price there is")
    facts = {"quantity": quantity(order["quantity"]), "counted": counted, "instrument": one.code, "limit": limit}
    if changed is not None:
        return ask.say("Change order %(order)s to %(quantity)s %(counted)s of %(instrument)s %(limit)s.", order=changed.order, **facts)
    if order["side"] == "buy":
        return ask.say("Buy %(quantity)s %(counted)s of %(instrument)s %(limit)s.", **facts)
    return ask.say("Sell %(quantity)s %(counted)s of %(instrument)s %(limit)s.", **facts)


def _facts(
    ask: Ask, one: market_view.Instrument, seen: ticket_view.Ticket, changed: trader_view.OpenOrder | None, held: int
) -> Iterator[tuple[str, str]]:
    """(what, how much) of the review line."""
    yield ask._("Order value"), money(seen.value_minor, one.currency) if seen.value_minor is not None else ask._("not known before it trades")
    if seen.trades_now:
        facts = {"quantity": quantity(seen.trades_now), "money": money(seen.trades_now_minor, one.currency)}
        yield ask._("Trades at once"), ask.say("%(quantity)s, for %(money)s", **facts)
    else:
        yield ask._("Trades at once"), ask._("nothing: it would wait in the book")
    before_minor, before_units = (changed.aside_minor, changed.aside_units) if changed is not None else (0, 0)
    if one.counted == "lots":
        yield (
            ask._("Margin"),
            ask.say("%(more)s more, of %(free)s free", more=money(seen.margin_minor, one.currency), free=money(seen.free_minor, one.currency)),
        )
        if seen.position_after is not None:
            facts = {"before": quantity(held), "after": quantity(seen.position_after)}
            yield ask._("Position"), ask.say("%(before)s now, %(after)s if all orders of this side trade", **facts)
        if seen.limit is not None and seen.limit < LARGEST_POSITION and seen.position_after is not None:
            yield ask._("Limit used"), ask.say("%(used)s of %(limit)s lots", used=quantity(abs(seen.position_after)), limit=quantity(seen.limit))
    elif seen.side == "buy":
        more = max(seen.aside_minor - before_minor, 0)
        yield (
            ask._("Set aside"),
            ask.say("%(more)s, of %(free)s free", more=money(more, one.currency), free=money(seen.available_minor, one.currency)),
        )
        yield ask._("Limit used"), _share(more, seen.available_minor)
    else:
        more = max(seen.aside_units - before_units, 0)
        yield (
            ask._("Set aside"),
            ask.say("%(more)s, of %(free)s free", more=f"{quantity(more)} {one.unit}", free=f"{quantity(seen.available_units)} {one.unit}"),
        )
        yield ask._("Limit used"), _share(more, seen.available_units)


def _share(part: int, whole: int) -> str:
    tenths = part * 1_000 // whole if whole > 0 else 1_000 if part else 0
    return f"{tenths // 10}.{tenths % 10}\u202f%"


def _warnings(ask: Ask, seen: ticket_view.Ticket, changed: trader_view.OpenOrder | None) -> Any:
    crossed = [number for number in seen.own_orders if changed is None or number != changed.order]
    if crossed:
        numbers = ", ".join(map(str, crossed[:5]))
        yield ask.say("It would meet your own order %(orders)s. Nobody trades with themselves: what would meet it is cancelled.", orders=numbers)
