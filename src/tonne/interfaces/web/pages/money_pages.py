"""Money: what is on the accounts, what stands behind positions and is called for, all that moved; paying in and taking out.

Money comes in when the settlement bank says so, and goes out when two persons of the organisation want it.
"""

from __future__ import annotations

from typing import Any

import polars as pl
from fastapi.responses import Response

from tonne.administration.cash import PAID_IN
from tonne.interfaces.views import holdings
from tonne.interfaces.views import money as money_view
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.forms import Field, Form
from tonne.interfaces.web.guard import TRADER, pages
from tonne.interfaces.web.pages import proposals
from tonne.interfaces.web.pages.common import cache_of
from tonne.interfaces.web.problems import Problem
from tonne.interfaces.web.render import money
from tonne.interfaces.web.tables import Column, Filter
from tonne.interfaces.web.words import N_
from tonne.units import decimals_of

router = pages()
#: Kinds of accounts whose money its holder takes out.
TAKEN_OUT = tuple(kind for kind in ("operator", "trading", "remainder", "cash", "collateral") if kind in PAID_IN)
ACCOUNT_KINDS: dict[str, str] = {
    "operator": N_("holding account"),
    "trading": N_("trading account"),
    "remainder": N_("holding account"),
    "cash": N_("cash"),
    "collateral": N_("collateral"),
    "default_fund": N_("default fund"),
}
MOVES: dict[str, str] = {
    "deposit": N_("Paid in"),
    "withdraw": N_("Taken out"),
    "pay": N_("Paid for units"),
    "margin": N_("Margin"),
    "variation": N_("Gain or loss of the day"),
    "premium": N_("Premium"),
    "fee": N_("Fee"),
    "fine": N_("Fine"),
    "collect": N_("Collected"),
    "set_aside": N_("Set aside"),
}


@router.get("/{system}/money", allow=TRADER)
def money_page(ask: Asked, system: str) -> Response:
    """Balances, collateral, calls, movements."""
    return _page(ask, take_out_form(ask))


def _page(ask: Ask, form: Form, status: int = 200) -> Response:
    market, mine = ask.market, ask.visitor.participant
    with market.read() as state:
        found = money_view.money(state, mine)
        moved = holdings.anonymous(money_view.movements(state, mine, cache=cache_of(market)))
        banks = [one.name for one in state.participants.values() if one.role == "bank"]
        payable = [state.accounts.ids[number] for number in state.accounts.of_holder(mine) if state.accounts.kinds[number] in PAID_IN]
    ask.record("view", "money", "shown")
    used = {f"{one.account} {one.currency}": _percent(one.required + one.for_orders + one.owed, one.held) for one in found.margins}
    return ask.page(
        "money.html",
        status,
        found=found,
        used=used,
        banks=banks,
        payable=payable,
        kinds={name: ask._(text) for name, text in ACCOUNT_KINDS.items()},
        table=_table(ask, moved),
        form=form,
        may_take=bool(form["account"].choices) and "initiate" in ask.visitor.rights,
    )


def _percent(part: int, whole: int) -> int | None:
    return min(part * 100 // whole, 999) if whole else None


def _what(ask: Ask, kind: str, direction: str = "out") -> str:
    if kind == "pay" and direction == "in":
        return ask._("Received for units")
    return ask._(MOVES[kind]) if kind in MOVES else kind.replace("_", " ")


def _table(ask: Ask, moved: pl.DataFrame) -> Any:
    def amount(value: int, row: Any) -> str:
        return str(money(value, row["unit"]))

    columns = [
        Column("day", ask._("Day"), "day"),
        Column("kind", ask._("What"), show=lambda value, row: _what(ask, value, row["direction"])),
        Column("direction", ask._("Direction"), show=lambda value, row: ask._("in") if value == "in" else ask._("out")),
        Column("quantity", ask._("Amount"), "money", show=amount),
        Column("balance", ask._("Balance afterwards"), "money", show=amount),
        Column("account", ask._("Account")),
        Column("counterpart", ask._("From or to"), show=lambda value, row: value or None),
        Column("unit", ask._("Currency"), hidden=True),
        Column("id", ask._("Transfer"), "number", hidden=True),
        Column("sequence", ask._("Log entry"), "number", hidden=True),
    ]
    kinds = sorted(moved["kind"].unique().to_list())
    filters = [
        Filter("from", ask._("From day"), "from", column="day"),
        Filter("to", ask._("To day"), "to", column="day"),
        Filter("kind", ask._("What"), "choice", [(kind, _what(ask, kind)) for kind in kinds]),
        Filter("account", ask._("Account")),
    ]
    return ask.table(
        "money-movements",
        ask._("Movements"),
        moved.select([column.name for column in columns]),
        columns,
        filters=filters,
        empty=ask._("No money has moved yet. It comes in when the bank enters what you paid."),
    )


def take_out_form(ask: Ask) -> Form:
    """Which account, how much of which currency."""
    market = ask.market
    with market.read() as state:
        own = state.accounts.of_holder(ask.visitor.participant)
        accounts = [state.accounts.ids[number] for number in own if state.accounts.kinds[number] in TAKEN_OUT]
        found = money_view.money(state, ask.visitor.participant)
        currencies = [unit.code for unit in state.books.unit_types if unit.kind == "money"]
    free = {one.account: str(money(one.available, one.currency)) for one in found.cash}
    fields = [
        Field(
            "account",
            ask._("From account"),
            "choice",
            accounts[0] if accounts else "",
            choices=[(name, f"{name}: {free.get(name, money(0, currencies[0]) if currencies else '')}") for name in accounts],
        ),
        Field(
            "amount",
            ask._("Amount"),
            "price",
            unit="" if len(currencies) > 1 else currencies[0] if currencies else "",
            hint=ask._("Money that nothing is set aside from. It goes to the bank account that your organisation gave when it was admitted."),
        ),
    ]
    if len(currencies) > 1:
        fields.append(Field("currency", ask._("Currency"), "choice", market.rulebook.system.currency, choices=[(one, one) for one in currencies]))
    return Form(ask, fields, action=ask.here("/money/out"), verb=ask._("Review"))


@router.post("/{system}/money/out", allow=TRADER.with_right("initiate"))
def take_out(ask: Asked, system: str) -> Response:
    """Review a withdrawal: a code and a second person follow."""
    form = take_out_form(ask)
    if form.check():
        currency = form.values.get("currency") or form["amount"].unit
        digits = form.values["amount"].partition(".")[2]
        if len(digits) > decimals_of(currency):
            form.fault("amount", ask.say("%(currency)s has %(digits)s digits after the point.", currency=currency, digits=decimals_of(currency)))
    if form.errors:
        return _page(ask, form, 422)
    body = {"account": form.values["account"], "amount": form.values["amount"], "currency": currency}
    try:
        return proposals.review(ask, "withdraw", body, back=ask.here("/money"))
    except Problem as problem:
        if problem.name not in ("insufficient_balance", "no_cover", "limit_exceeded", "not_eligible", "account_blocked"):
            raise
        form.fault("amount", problem.detail.capitalize() if problem.name == "no_cover" else _short(ask, form.values["account"], currency))
        return _page(ask, form, 422)


def _short(ask: Ask, account: str, currency: str) -> str:
    with ask.market.read() as state:
        free = int(state.books.available(state.accounts.number(account), state.unit(currency)))
    return ask.say(
        "%(free)s is free on %(account)s. Take out less, or cancel orders and bids that money is set aside for.",
        free=money(free, currency),
        account=account,
    )
