"""An operator's own question: what do I owe, hold and lack, and by when; and the same in full, with what it follows from."""

from __future__ import annotations

from typing import Any

import polars as pl
from fastapi.responses import Response

from tonne.interfaces.views import holdings
from tonne.interfaces.views.obligation import Period
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.guard import OPERATOR, pages
from tonne.interfaces.web.law_words import unit_words
from tonne.interfaces.web.pages.common import cache_of
from tonne.interfaces.web.pages.owing import BASES, figures, next_step, own_proposals, parts, sentence
from tonne.interfaces.web.pages.standing import MOVES, standing_of
from tonne.interfaces.web.tables import Column
from tonne.interfaces.web.words import N_

router = pages()
LAST_EVENTS = 6
WAYS: dict[str, str] = {
    "surrender": N_("Surrender what is on the account"),
    "move": N_("Move it from your other accounts"),
    "auction": N_("Bid in an auction"),
    "market": N_("Buy on the market"),
    "purchase": N_("Buy at the law's price"),
    "payment": N_("Pay in place of units"),
}
NO_FINE: dict[str, str] = {
    "no_fine": N_("The law sets no fine in money."),
    "needs_price": N_("The fine is a multiple of a market price that is not known."),
    "not_in_force": N_("The fine's rule is not in force yet."),
    "no_answer": N_("The law's rule gives no answer for this yet."),
}


def home(ask: Ask) -> Response:
    """The whole answer on one screen."""
    standing, market = standing_of(ask), ask.market
    waiting = own_proposals(ask)
    with market.read() as state:
        numbers = [state.accounts.ids[number] for number in state.accounts.of_holder(ask.visitor.participant)]
        moves = [holdings.anonymous(holdings.statement(state, name, cache=cache_of(market))).with_columns(account=pl.lit(name)) for name in numbers]
    step = next_step(ask, standing, waiting)
    events = pl.concat([frame.tail(LAST_EVENTS) for frame in moves]).sort("day", "id").tail(LAST_EVENTS).reverse().to_dicts() if moves else []
    ask.record("view", "obligation", "shown")
    return ask.page(
        "operator_home.html",
        standing=standing,
        owes=standing.owes,
        figures=figures(ask, standing),
        parts=parts(ask, standing.now),
        sentence=sentence(ask, standing),
        step=step,
        waiting=waiting,
        events=events,
        kinds={name: ask._(text) for name, text in MOVES.items()},
    )


# -- in full


@router.get("/{system}/obligation", allow=OPERATOR)
def obligation(ask: Asked, system: str) -> Response:
    """What is owed and what it follows from: figures, deadline, penalty, ways to cover it."""
    standing = standing_of(ask)
    owes = standing.owes
    rows = [_row(ask, one) for one in (*standing.arrears, *standing.now)]
    frame = pl.DataFrame(rows, schema=OBLIGATION, orient="row")
    ask.record("view", "obligation", "shown")
    columns = [
        Column("name", ask._("Installation"), href=lambda row: ask.here(f"/reports/{row['installation']}/{row['year']}")),
        Column("installation", ask._("Number"), hidden=True),
        Column("year", ask._("Period up to")),
        Column("emissions", ask._("Emissions"), "quantity", "t"),
        Column("basis", ask._("Figure")),
        Column("owed", ask._("Owed"), "quantity", owes.unit),
        Column("missing", ask._("Still owed"), "quantity", owes.unit),
        Column("held", ask._("On its account"), "quantity", owes.unit),
        Column("gap", ask._("To buy"), "quantity", owes.unit),
        Column("cost_minor", ask._("Cost today"), "money", owes.currency, hidden=not owes.gap),
        Column("deadline", ask._("Deadline"), "day"),
        Column("admitted", ask._("Units still admitted"), "quantity", owes.unit, hidden=all(row["admitted"] is None for row in rows)),
        Column("letter", ask._("Judged"), hidden=not any(row["letter"] for row in rows)),
    ]
    table = ask.table("obligation", ask._("By installation and period"), frame, columns, empty=ask._("You hold no account of an installation."))
    return ask.page(
        "operator_obligation.html",
        standing=standing,
        owes=owes,
        figures=figures(ask, standing),
        parts=parts(ask, standing.now),
        sentence=sentence(ask, standing),
        step=next_step(ask, standing, own_proposals(ask)),
        table=table,
        unit_words=unit_words,
        ways=[(one, ask._(WAYS[one.way]), _way_href(ask, one.way, one.name, one.quantity)) for period in standing.now for one in period.ways],
        penalties=[(one, one.penalty, ask._(NO_FINE.get(one.penalty.why, ""))) for one in (*standing.arrears, *standing.now)],
    )


OBLIGATION: dict[str, Any] = {
    "name": pl.String,
    "installation": pl.String,
    "year": pl.Int64,
    "emissions": pl.Int64,
    "basis": pl.String,
    "owed": pl.Int64,
    "missing": pl.Int64,
    "held": pl.Int64,
    "gap": pl.Int64,
    "cost_minor": pl.Int64,
    "deadline": pl.Date,
    "admitted": pl.Int64,
    "letter": pl.String,
}


def _row(ask: Ask, one: Period) -> dict[str, Any]:
    known = [year.emissions for year in one.years if year.emissions is not None]
    return {
        "name": one.name,
        "installation": one.installation,
        "year": one.year,
        "emissions": sum(known) if known else None,
        "basis": ", ".join(dict.fromkeys(ask._(BASES[year.basis]) for year in one.years)),
        "owed": sum(year.owed or 0 for year in one.years) if known else None,
        "missing": one.expected_missing,
        "held": one.admissible,
        "gap": one.gap,
        "cost_minor": one.cost_minor,
        "deadline": one.deadline,
        "admitted": one.admitted,
        "letter": one.letter,
    }


def _way_href(ask: Ask, way: str, name: str, units: int) -> str:
    if way == "surrender":
        return ask.here("/surrender")
    if way == "move":
        return ask.here("/transfers/new")
    if way == "auction":
        return ask.here(f"/auctions/{name}")
    return ask.here("/buy", quantity=units) if way == "market" else ""
