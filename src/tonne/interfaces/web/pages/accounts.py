"""Accounts: what they hold, how it came there, who may act for them, whom they trust."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
from fastapi.responses import Response

from tonne.administration import moments
from tonne.administration.asks import offers
from tonne.administration.trust import is_trusted
from tonne.interfaces.views import holdings
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.charts import Chart
from tonne.interfaces.web.forms import Field, Form
from tonne.interfaces.web.guard import HOLDER, Allow, pages
from tonne.interfaces.web.pages import proposals
from tonne.interfaces.web.pages.common import cache_of, lines_spec, theme_of
from tonne.interfaces.web.pages.standing import ACCOUNT_KINDS, MOVES, REGISTRY_ACCOUNTS, accounts_of, is_all_seeing
from tonne.interfaces.web.problems import Problem, not_found, title
from tonne.interfaces.web.render import moment as written
from tonne.interfaces.web.render import money, quantity
from tonne.interfaces.web.rights import RIGHTS
from tonne.interfaces.web.tables import Column, Filter

router = pages()
LOOKERS = Allow(HOLDER.roles | {"auditor"})
ACCOUNTS: dict[str, Any] = {
    "account": pl.String,
    "kind": pl.String,
    "installation": pl.String,
    "unit": pl.String,
    "vintage": pl.Int64,
    "held": pl.Int64,
    "reserved": pl.Int64,
    "available": pl.Int64,
    "incoming": pl.Int64,
    "flags": pl.String,
}


@router.get("/{system}/accounts", allow=LOOKERS)
def accounts(ask: Asked, system: str) -> Response:
    """The own accounts, with what is on them by unit type."""
    rows = [row for one in accounts_of(ask) for row in (_rows(one) or [_row(one, None)])]
    frame = pl.DataFrame(rows, schema=ACCOUNTS, orient="row")
    ask.record("view", "accounts", "shown")

    def much(value: Any, row: Mapping[str, Any]) -> Any:
        return value if value is None else amount(ask, row["unit"], value)

    columns = [
        Column("account", ask._("Account"), href=lambda row: ask.here(f"/accounts/{row['account']}")),
        Column("kind", ask._("Kind"), show=lambda value, row: ask._(ACCOUNT_KINDS.get(value, value))),
        Column("installation", ask._("Installation")),
        Column("unit", ask._("Unit")),
        Column("vintage", ask._("Vintage"), "text"),
        Column("held", ask._("Held"), "quantity", show=much),
        Column("reserved", ask._("Reserved"), "quantity", show=much),
        Column("available", ask._("Available"), "quantity", show=much),
        Column("incoming", ask._("Coming in"), "quantity", show=much, hidden=not any(row["incoming"] for row in rows)),
        Column("flags", ask._("State"), "state", hidden=not any(row["flags"] for row in rows)),
    ]
    filters = [Filter("unit", ask._("Unit"), "choice", [(unit, unit) for unit in sorted({row["unit"] for row in rows if row["unit"]})])]
    table = ask.table(
        "accounts",
        ask._("Accounts"),
        frame,
        columns,
        filters=filters if len(rows) > 4 else (),
        empty=ask._("You hold no account. The administrator opens one."),
    )
    return ask.page("accounts.html", table=table)


def _rows(one: holdings.Account) -> list[dict[str, Any]]:
    return [_row(one, balance) for balance in one.balances]


def _row(one: holdings.Account, balance: holdings.Balance | None) -> dict[str, Any]:
    names = ("unit", "vintage", "held", "reserved", "available", "incoming")
    said = {name: getattr(balance, name) if balance is not None else None for name in names}
    return {"account": one.account, "kind": one.kind, "installation": one.installation_name or None, **said, "flags": ", ".join(one.flags) or None}


def amount(ask: Ask, unit: str, value: int) -> Any:
    """A quantity as it is read: money with its currency, units by number."""
    return money(value, unit) if unit in monies(ask) else quantity(value)


def monies(ask: Ask) -> frozenset[str]:
    """Codes of the unit types that are money."""
    found: frozenset[str] = ask.market.cached("monies", lambda state: frozenset(one.code for one in state.books.unit_types if one.kind == "money"))
    return found


@router.get("/{system}/accounts/{account}", allow=LOOKERS)
def account_page(ask: Asked, system: str, account: str) -> Response:
    """One account: balances, the balance over time, the statement, who may act."""
    name = _visible(ask, account)
    market = ask.market
    with market.read() as state:
        one = holdings.account(state, name, cache=cache_of(market))
        frame = holdings.statement(state, name, cache=cache_of(market))
        moving = holdings.over_time(state, name, cache=cache_of(market))
        aside = holdings.reserved(state, name)
        two, delays = state.two_persons, offers(state.law(), "transfer_runs")
    if not is_all_seeing(ask):
        frame = holdings.anonymous(frame)
    ask.record("view", f"account {name}", "shown")
    statement = _statement(ask, frame)
    return ask.page(
        "account.html",
        one=one,
        kind=ask._(ACCOUNT_KINDS.get(one.kind, one.kind)),
        table=statement,
        chart=_chart(ask, one, moving),
        aside=aside.to_dicts(),
        people=_people(ask, one.holder),
        may_move=one.holder == ask.visitor.participant
        and "initiate" in ask.visitor.rights
        and any(row.kind != "money" and row.available for row in one.balances),
        moves={kind: ask._(text) for kind, text in MOVES.items()},
        rights={right: ask._(text) for right, text in RIGHTS.items()},
        amount=lambda unit, value: amount(ask, unit, value),
        two=two,
        delays=delays,
    )


def _visible(ask: Ask, account: str) -> str:
    """An account that the visitor may look into. Raises Problem 404."""
    name = ask.own_account(account)
    with ask.market.read() as state:
        number = state.accounts.find(name)
        shown = number >= 0 and (state.accounts.kinds[number] in holdings.OWN_KINDS or is_all_seeing(ask))
    if not shown:
        raise not_found(account)
    return name


def _statement(ask: Ask, frame: pl.DataFrame) -> Any:
    def much(value: Any, row: Mapping[str, Any]) -> Any:
        return amount(ask, row["unit"], value)

    columns = [
        Column("day", ask._("Day"), "day"),
        Column("kind", ask._("What"), show=lambda value, row: ask._(MOVES.get(value, value.replace("_", " ")))),
        Column("direction", ask._("Direction"), show=lambda value, row: ask._("in") if value == "in" else ask._("out")),
        Column("unit", ask._("Unit")),
        Column("quantity", ask._("Quantity"), "quantity", show=much),
        Column("balance", ask._("Balance after"), "quantity", show=much),
        Column(
            "counterpart",
            ask._("Other account"),
            show=lambda value, row: ask._(REGISTRY_ACCOUNTS.get(value, value) if value is not None else "the market"),
        ),
        Column("counterpart_holder", ask._("Its holder"), hidden=True),
        Column("sequence", ask._("Entry in the log"), "number"),
        Column("id", ask._("Transfer"), "text", hidden=True),
        Column("corrects", ask._("Corrects transfer"), "text", hidden=True),
    ]
    filters = [
        Filter("unit", ask._("Unit"), "choice", [(unit, unit) for unit in frame["unit"].unique().sort().to_list()]),
        Filter(
            "kind",
            ask._("What"),
            "choice",
            [(kind, ask._(MOVES.get(kind, kind.replace("_", " ")))) for kind in frame["kind"].unique().sort().to_list()],
        ),
        Filter("from", ask._("From day"), "from", column="day"),
        Filter("to", ask._("To day"), "to", column="day"),
    ]
    empty = ask._("Nothing has moved yet. Units come by allocation, by purchase, or from another account.")
    return ask.table("statement", ask._("Statement, newest first"), frame.reverse(), columns, filters=filters, empty=empty)


def _chart(ask: Ask, one: holdings.Account, moving: pl.DataFrame) -> Chart | None:
    """Units over time, as steps; none where nothing but money ever was there."""
    rows = moving.filter(~pl.col("unit").is_in(sorted(monies(ask))))
    if not rows.height:
        return None

    def make() -> tuple[Any, pl.DataFrame]:
        points = [{"day": row["day"].isoformat(), "value": row["balance"], "what": row["unit"]} for row in rows.sort("day").to_dicts()]
        today = ask.market.today.isoformat()
        last = {point["what"]: point for point in points}
        points += [{**point, "day": today} for point in last.values() if point["day"] < today]
        return lines_spec(points, theme_of(ask), unit=ask._("units"), x="day", step=True, zero=True), rows

    held = ", ".join(f"{quantity(row.held)} {row.unit}" for row in one.balances if row.kind != "money") or ask._("nothing")
    summary = ask.say("Balance of %(account)s over time; now %(held)s.", account=one.account, held=held)
    return ask.chart(
        "balance",
        ask._("What the account held"),
        make,
        subtitle=ask._("units, at the end of each day"),
        summary=summary,
        source=ask._("The books of this market."),
    )


def _people(ask: Ask, holder: str) -> list[tuple[str, list[str]]]:
    """Who may act for the holder, by name, with their rights; for the own organisation and the administrator's people."""
    members = ask.place.people.members_of(ask.market.system, holder)
    return [(proposals.person_name(ask, one.person), [right for right in RIGHTS if right in one.rights]) for one in members if one.state == "active"]


# -- whom it trusts


@router.get("/{system}/accounts/{account}/trusted", allow=LOOKERS)
def trusted_page(ask: Asked, system: str, account: str) -> Response:
    """The list of trusted accounts, and from when one would count that is added now."""
    return _trusted(ask, _visible(ask, account))


def _form(ask: Ask, account: str) -> Form:
    hint = ask._("As its holder told you, letter by letter. Compare it by another way than the message that it came in.")
    return Form(ask, [Field("target", ask._("Account to trust"), hint=hint)], action=ask.here(f"/accounts/{account}/trusted"), verb=ask._("Review"))


def _trusted(ask: Ask, account: str, form: Form | None = None, status: int = 200) -> Response:
    market = ask.market
    with market.read() as state:
        number = state.accounts.number(account)
        entries = dict(state.trusted.get(account, {}))
        now = market.now()
        counts = moments.trusted_from(state, now, state.accounts.kinds[number], moments.country_of(state, number))
        rows = [
            {
                "target": target,
                "from": entry["from"],
                "since": entry["since"],
                "person": entry["person"],
                "state": "active" if is_trusted(state, number, state.accounts.number(target), now) else "pending",
            }
            for target, entry in entries.items()
        ]
        mine = state.accounts.holders[number] == ask.visitor.participant
    names = {row["person"]: proposals.person_name(ask, row["person"]) for row in rows}
    frame = pl.DataFrame(rows, schema=dict.fromkeys(("target", "from", "since", "person", "state"), pl.String), orient="row")
    columns = [
        Column("target", ask._("Account")),
        Column("state", ask._("State"), "state"),
        Column("from", ask._("Counts from"), "moment", show=lambda value, row: written(value)),
        Column("since", ask._("Added"), "moment", show=lambda value, row: written(value)),
        Column("person", ask._("By"), show=lambda value, row: names[value]),
    ]
    empty = ask._("No account is on the list. Transfers to accounts that are not on it wait, so that a thief can be stopped.")
    table = ask.table("trusted", ask._("Trusted accounts"), frame, columns, empty=empty)
    ask.record("view", f"trusted accounts of {account}", "shown")
    may = mine and "initiate" in ask.visitor.rights
    return ask.page(
        "account_trusted.html",
        status,
        account=account,
        table=table,
        form=form or _form(ask, account),
        counts=counts.astimezone(market.zone),
        at_once=counts <= now,
        may=may,
        rows=rows,
    )


@router.post("/{system}/accounts/{account}/trusted", allow=HOLDER.with_right("initiate"))
def trust(ask: Asked, system: str, account: str) -> Response:
    """Review of a new entry, or of taking one off."""
    name = _visible(ask, account)
    verb = "distrust_account" if ask.form.get("remove") else "trust_account"
    back = ask.here(f"/accounts/{name}/trusted")
    if verb == "distrust_account":
        return proposals.review(ask, verb, {"account": name, "target": str(ask.form["remove"])}, back=back)
    form = _form(ask, name)
    if not form.check():
        return _trusted(ask, name, form, 422)
    try:
        return proposals.review(ask, verb, {"account": name, "target": form.values["target"]}, back=back)
    except Problem as problem:
        form.fault("target", f"{title(problem.name, ask._)}: {problem.detail}")
        return _trusted(ask, name, form, problem.status if problem.status != 404 else 422)
