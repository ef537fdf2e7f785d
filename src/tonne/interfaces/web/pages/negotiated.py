"""Trades agreed beside the order book: proposed to another member, who accepts the same terms on the same day, or does not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal
from typing import Any

from fastapi.responses import Response

from tonne.administration.state import State
from tonne.dates import zone
from tonne.interfaces.views import market_view
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.forms import Field, Form
from tonne.interfaces.web.guard import TRADER, content_hash, pages
from tonne.interfaces.web.pages.trade_screen import SIDES
from tonne.interfaces.web.problems import Problem, title

router = pages()
MAY = TRADER.with_right("trade")
#: Which field of the form a refusal is about; the others stand at the quantity.
FIELDS = {
    "unknown_account": "counterparty",
    "own_account": "counterparty",
    "off_tick": "price",
    "bad_price": "price",
    "price_limit": "price",
    "no_reference_price": "price",
    "unknown_instrument": "instrument",
    "instrument_expired": "instrument",
    "outside_session": "instrument",
}


@dataclass(frozen=True, slots=True)
class Deal:
    """A proposal of today. side: of the visitor's account; mine: the visitor's organisation made it; quantity as ordered."""

    proposal: str
    instrument: str
    side: str
    account: str
    other: str
    price: Decimal
    quantity: int
    counted: str
    mine: bool
    both: bool


def deals(state: State, participant: str, today: str) -> list[Deal]:
    """Proposals of the day in which an account of the participant is a party; nobody else's."""
    own, found = set(state.accounts.of_holder(participant)), []
    for name, deal in state.exchange.proposals.items():
        parties = {side: int(deal[party]) for side, party in (("buy", "buyer"), ("sell", "seller"))}
        if deal["day"] != today or not own & set(parties.values()):
            continue
        mine = int(deal["proposer"]) in own
        side = next(side for side, number in parties.items() if number == int(deal["proposer"]))
        side = side if mine else ("sell" if side == "buy" else "buy")
        listing = state.exchange.listed[deal["instrument"]]
        account, other = parties[side], parties["sell" if side == "buy" else "buy"]
        found.append(
            Deal(
                name,
                listing["code"],
                side,
                state.accounts.ids[account],
                state.accounts.ids[other],
                Decimal(listing["tick"]) * deal["ticks"],
                market_view.quantity_of(listing, deal["lots"]),
                "lots" if listing["settlement"] == "margined" else "units",
                mine,
                own >= set(parties.values()),
            )
        )
    return found


def form_of(ask: Ask) -> Form:
    with ask.market.read() as state:
        own = state.accounts.of_holder(ask.visitor.participant)
        accounts = [state.accounts.ids[number] for number in own if state.exchange.member(number) >= 0]
        codes = [one.code for one in market_view.instruments(state) if one.phase != "expired"] if state.exchange.book is not None else []
    fields = [
        Field(
            "instrument",
            ask._("Instrument"),
            "choice",
            ask.query.get("instrument", codes[0] if codes else ""),
            choices=[(code, code) for code in codes],
        ),
        Field("side", ask._("You"), "choice", "buy", choices=[(name, ask._(text)) for name, text in SIDES.items()]),
        Field("quantity", ask._("Quantity"), "number", hint=ask._("Units of what is spot, lots of what is margined.")),
        Field("price", ask._("Price"), "price"),
        Field("counterparty", ask._("Account of the other side"), hint=ask._("They tell you its id.")),
        Field("account", ask._("Your account"), "choice", accounts[0] if accounts else "", choices=[(name, name) for name in accounts]),
    ]
    return Form(ask, fields, action=ask.here("/negotiated"), verb=ask._("Propose"))


def _page(ask: Ask, form: Form, status: int = 200, problem: str = "") -> Response:
    with ask.market.read() as state:
        found = deals(state, ask.visitor.participant, ask.market.today.isoformat())
    return ask.page(
        "trade_negotiated.html",
        status,
        deals=found,
        form=form,
        problem=problem,
        sides={name: ask._(text) for name, text in SIDES.items()},
        may_trade="trade" in ask.visitor.rights and bool(form["account"].choices),
        answer_key=lambda proposal, answer: f"{answer}-{content_hash(ask.visitor.person, proposal, answer)[:24]}",
    )


@router.get("/{system}/negotiated", allow=TRADER)
def negotiated(ask: Asked, system: str) -> Response:
    """What was proposed today, to oneself and by oneself."""
    return _page(ask, form_of(ask))


@router.post("/{system}/negotiated", allow=MAY)
def propose(ask: Asked, system: str) -> Response:
    """Propose a trade to another account. Nothing is set aside before it accepts."""
    form = form_of(ask)
    if not form.check():
        return _page(ask, form, 422)
    values = form.values
    key = ask.key_of()
    body = {name: values[name] for name in ("instrument", "account", "counterparty", "side", "price", "quantity")}
    now = f"{ask.market.now().astimezone(_zone_of(ask, values['instrument'])):%H:%M}"
    try:
        ask.perform("propose_trade", {"proposal": f"{ask.visitor.participant}:{key}", "time": now, **body}, key=key)
    except Problem as problem:
        if problem.receipt is None:
            raise
        form.fault(FIELDS.get(problem.name, "quantity"), f"{title(problem.name, ask._).capitalize()}. {problem.detail}")
        form.key = ""
        return _page(ask, form, 422)
    return ask.see(f"/{system}/negotiated")


def _zone_of(ask: Ask, code: str) -> tzinfo:
    with ask.market.read() as state:
        return zone(state.exchange.listed[market_view.number_of(state, code)]["timezone"])


@router.post("/{system}/negotiated/answer", allow=MAY)
def answer(ask: Asked, system: str) -> Response:
    """Accept, decline, or take back. Accepting says the terms again, as they were shown."""
    name, said = str(ask.form.get("proposal", "")), str(ask.form.get("answer", ""))
    with ask.market.read() as state:
        found = next((deal for deal in deals(state, ask.visitor.participant, ask.market.today.isoformat()) if deal.proposal == name), None)
    form = form_of(ask)
    form.key = ""
    if found is None:
        if ask.market.desk.administration.outcome_of(f"web:{ask.visitor.participant}:{ask.key_of()}") is not None:
            return ask.see(f"/{system}/negotiated")
        return _page(ask, form, 409, ask._("This proposal is no longer open: it was answered, taken back, or its day is over."))
    if said not in ("accept", "decline", "withdraw"):
        raise Problem(422, "malformed")
    body: dict[str, Any] = {"proposal": name, "answer": said}
    if said == "accept":
        body |= {"price": str(ask.form.get("price", "")), "quantity": int(text) if (text := str(ask.form.get("quantity", ""))).isdigit() else 0}
    try:
        ask.perform("answer_trade", body)
    except Problem as problem:
        if problem.receipt is None:
            raise
        return _page(ask, form, 409, f"{title(problem.name, ask._).capitalize()}. {problem.detail}")
    return ask.see(f"/{system}/negotiated")
