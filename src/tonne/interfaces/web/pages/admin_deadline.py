"""A deadline of the law: who has not reported, who is late, who is short, and what the fines would be."""

from __future__ import annotations

from fastapi.responses import Response

from tonne.interfaces.views import compliance, runs
from tonne.interfaces.views import reports as reports_view
from tonne.interfaces.views.deadline import standing as standing_of
from tonne.interfaces.web import law_words
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.guard import AUDIT, pages
from tonne.interfaces.web.pages import admin_common as own
from tonne.interfaces.web.pages.admin_rows import LETTERS, judged_columns, price_asked
from tonne.interfaces.web.pages.common import cache_of
from tonne.interfaces.web.problems import not_found
from tonne.interfaces.web.render import money
from tonne.interfaces.web.tables import Column, Filter

router = pages()


@router.get("/{system}/admin/deadline/{year}", allow=AUDIT)
def deadline(ask: Asked, system: str, year: str) -> Response:
    """Who has not reported, who is late, who is short; and what the fines would be."""
    if not (year.isascii() and year.isdigit() and len(year) == 4):
        raise not_found(year)
    number, market = int(year), ask.market
    price, today = price_asked(ask), market.today
    with market.read() as state:
        cache = cache_of(market)
        due = runs.task_day(state, "surrender", number)
        first = next((int(notice["year"]) for notice in state.notices if notice["what"] == "first_year"), number)
        if due is None or number < first:
            raise not_found(year, [f"{system}/admin/deadline/{one}" for one in compliance.judged_years(state)])
        standing = standing_of(state, number, today, price, cache)
        counts = reports_view.counts(state, number, today, cache=cache)
        days = [
            (task, day, state.done.get(f"{task}:{number}"))
            for task in ("report", "verify", "surrender", "penalise")
            if (day := runs.task_day(state, task, number))
        ]
        needs_price = runs.takes_price(state, max(due, state.today))
        installations = state.installations.operating(number).height
    ask.record("view", f"deadline {year}", "shown")
    columns = [
        Column("installation", ask._("Installation"), href=lambda row: ask.here(f"/admin/installations/{row['installation']}")),
        Column("name", ask._("Name"), show=lambda value, row: value or ask._("rest of the system")),
        Column("operator_name", ask._("Operator"), hidden=True),
        Column("sector", ask._("Sector"), show=lambda value, row: law_words.sector(value, ask._) or ""),
        Column("country", ask._("Country"), hidden=True),
        *judged_columns(ask),
    ]
    filters = [
        Filter("name", ask._("Name")),
        Filter("letter", ask._("Judgement"), "choice", [(letter, f"{letter}: {ask._(text)}") for letter, text in LETTERS.items()]),
    ]
    empty = ask._("Nobody can be judged for this year yet: no emissions are verified.")
    caption = ask._("As judged") if standing.judged else ask._("As they would be judged now")
    table = ask.table(f"deadline-{year}", caption, standing.rows, columns, filters=filters, totals=("owed", "surrendered", "missing"), empty=empty)
    currency = market.rulebook.system.currency
    whys = {
        "no_fine": ask._("the law has no fine in money"),
        "needs_price": ask._("the fine is a multiple of the market price: name one below"),
        "no_answer": ask._("the law has no figure for it"),
    }
    fine = whys.get(standing.why) or (
        money(standing.low_minor, currency) + (f" – {money(standing.high_minor, currency)}" if standing.high_minor != standing.low_minor else "")
    )
    found = dict(standing.rows.group_by("letter").len().iter_rows())
    return ask.page(
        "admin_deadline.html",
        standing=standing,
        table=table,
        admin_tabs=own.tabs(ask),
        days=[(law_words.said(law_words.TASKS, task, ask._), day, done, ask.here(f"/admin/runs/{task}/{number}")) for task, day, done in days],
        counts=counts,
        installations=installations,
        letters=[
            (f"{letter}: {ask._(LETTERS.get(letter, letter))}", found[letter], ask.here(f"/admin/deadline/{year}", letter=letter))
            for letter in compliance.WORST
            if letter in found
        ],
        fine=str(fine),
        needs_price=needs_price,
        price=price,
    )
