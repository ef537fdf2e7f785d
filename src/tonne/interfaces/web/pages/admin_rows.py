"""Rows of the law's runs and deadlines, by installation, as tables and as a picture; the price that a fine may be a multiple of."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

import polars as pl

from tonne.interfaces.views import runs
from tonne.interfaces.web import law_words
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.charts import COLOURS, Chart
from tonne.interfaces.web.pages.common import bars_spec, theme_of
from tonne.interfaces.web.problems import Problem
from tonne.interfaces.web.tables import Column, Filter, Table
from tonne.interfaces.web.words import N_

SECTORS_SHOWN = 12
LETTERS: dict[str, str] = {
    "A": N_("covered"),
    "B": N_("short"),
    "C": N_("no figure"),
    "D": N_("short after a correction"),
    "E": N_("covered after a correction"),
    "X": N_("could not be judged"),
    "-": N_("nothing due"),
}


def price_asked(ask: Ask) -> Decimal | None:
    """The mean price of the address or of the form. Raises Problem 400."""
    given = str(ask.form.get("price") or ask.query.get("price", "")).strip()
    if not given:
        return None
    try:
        price = Decimal(given)
        if not price.is_finite() or price <= 0 or len(given) > 20:
            raise InvalidOperation
    except InvalidOperation:
        raise Problem(400, "malformed", ask.say("%(price)s is no price; write it like 83.60.", price=repr(given[:40]))) from None
    return price


def compared(outcome: runs.Outcome) -> tuple[int, int, int] | None:
    """(units of this run, of the year before, difference); None where there is nothing to lay beside."""
    rows = outcome.rows
    if outcome.family != runs.UNITS or not rows.height or rows["last_year"].null_count() == rows.height:
        return None
    total, before = int(rows["quantity"].sum()) - int(rows["returned"].sum()), int(rows["last_year"].sum())
    return total, before, total - before


def rows_table(ask: Ask, outcome: runs.Outcome, done: bool = False) -> Table:
    """The rows of a task: all of them can be downloaded."""
    _, currency = ask._, ask.market.rulebook.system.currency
    names = [
        Column("installation", _("Installation"), href=lambda row: ask.here(f"/admin/installations/{row['installation']}")),
        Column("name", _("Name"), show=lambda value, row: value or _("rest of the system")),
        Column("operator_name", _("Operator"), hidden=True),
        Column("sector", _("Sector"), show=lambda value, row: law_words.sector(value, ask._) or ""),
        Column("country", _("Country"), hidden=True),
    ]
    per: dict[str, list[Column]] = {
        runs.UNITS: [
            Column("quantity", _("Given"), "quantity", _("units")),
            Column(
                "returned",
                _("Taken back"),
                "quantity",
                _("units"),
                hidden=not outcome.rows.height or "returned" not in outcome.rows.columns or not outcome.rows["returned"].sum(),
            ),
            Column("last_year", _("Year before"), "quantity", _("units")),
            Column("change", _("Difference"), "quantity", _("units")),
            Column("change_permille", _("Difference"), "number", "%", show=lambda value, row: None if value is None else f"{value / 10:+.1f}"),
        ],
        runs.FINES: [
            Column("shortfall", _("Missing"), "quantity", _("units")),
            Column("low_minor", _("Fine"), "money", currency),
            Column(
                "high_minor",
                _("at most"),
                "money",
                currency,
                hidden=bool((outcome.rows["low_minor"] == outcome.rows["high_minor"]).all()) if outcome.family == runs.FINES else True,
            ),
            Column("units", _("Units on top"), "quantity", _("units")),
            Column("released", _("No longer owed"), "quantity", _("units")),
            Column("last_year", _("Missing the year before"), "quantity", _("units")),
        ],
        runs.JUDGED: judged_columns(ask),
        runs.MISSING: [Column("last_year", _("Emissions the year before"), "quantity", "t")],
        runs.ACCOUNTS: [
            Column("account", _("Account")),
            Column("holder", _("Holder")),
            Column("unit", _("Unit")),
            Column("out", _("Out"), "quantity"),
            Column("in", _("In"), "quantity"),
        ],
    }
    columns = per[outcome.family] if outcome.family == runs.ACCOUNTS else names + per[outcome.family]
    totals = {
        runs.UNITS: ("quantity", "returned", "last_year", "change"),
        runs.FINES: ("shortfall", "low_minor", "high_minor", "units"),
        runs.JUDGED: ("owed", "surrendered", "missing"),
    }.get(outcome.family, ())
    filters = [] if outcome.family == runs.ACCOUNTS else [Filter("name", _("Name"))]
    if outcome.family != runs.ACCOUNTS:
        sectors = outcome.rows["sector"].drop_nulls().unique().sort().to_list()
        filters.append(Filter("sector", _("Sector"), "choice", law_words.sectors(sectors, ask._)))
    if outcome.family == runs.JUDGED:
        filters.append(Filter("letter", _("Judgement"), "choice", [(letter, f"{letter}: {_(text)}") for letter, text in LETTERS.items()]))
    captions = {
        runs.UNITS: _("By installation, beside the year before"),
        runs.FINES: _("Fines by installation"),
        runs.JUDGED: _("Judgement by installation"),
        runs.MISSING: _("Installations without a report"),
        runs.ACCOUNTS: _("By account"),
    }
    empty = _("Nobody: there is no row.") if outcome.family != runs.MISSING else _("Every installation that operates has reported.")
    return ask.table(
        f"{outcome.task}-{outcome.year}",
        captions[outcome.family],
        outcome.rows,
        columns,
        filters=filters if outcome.rows.height > 8 else (),
        totals=totals,
        empty=empty,
    )


def judged_columns(ask: Ask) -> list[Column]:
    _ = ask._
    return [
        Column("owed", _("Owed to date"), "quantity", _("units")),
        Column("surrendered", _("Surrendered"), "quantity", _("units")),
        Column("missing", _("Missing"), "quantity", _("units")),
        Column("letter", _("Judgement"), show=lambda value, row: letter_badge(ask, value)),
        Column("last_year", _("Before"), show=lambda value, row: None if value is None else f"{value}: {_(LETTERS.get(value, value))}"),
    ]


def letter_badge(ask: Ask, letter: str | None) -> Any:
    if letter is None:
        return None
    tone = {"A": "success", "B": "danger", "C": "warning", "D": "danger", "E": "info"}.get(letter, "neutral")
    return law_words.badge(f"{letter}: {ask._(LETTERS.get(letter, letter))}", tone)


def sector_chart(ask: Ask, outcome: runs.Outcome) -> Chart | None:
    """This run beside the year before, by sector."""
    named = outcome.rows.filter(pl.col("name").is_not_null())
    summed = named.group_by(pl.col("sector").fill_null("-")).agg(pl.col("quantity").sum() - pl.col("returned").sum(), pl.col("last_year").sum())
    summed = summed.sort("quantity", "sector", descending=[True, False]).head(SECTORS_SHOWN)
    if summed["last_year"].sum() == 0 or not summed.height:
        return None
    years = {"last_year": str(outcome.year - 1), "quantity": str(outcome.year)}
    rows = [
        {"sector": law_words.sector(row["sector"], ask._) or "-", "value": row[name], "what": year}
        for row in summed.iter_rows(named=True)
        for name, year in years.items()
    ]
    title = ask.say("Free allocation of %(year)s beside %(before)s, by sector", year=outcome.year, before=outcome.year - 1)
    theme = theme_of(ask)
    colours = {years["quantity"]: COLOURS[theme][0], years["last_year"]: COLOURS[theme][2]}
    return ask.chart(
        "sectors",
        title,
        lambda: (bars_spec(rows, theme, unit=ask._("units"), x="sector", order=list(years.values()), colours=colours), pl.DataFrame(rows)),
        subtitle=ask._("units"),
        summary=title,
        source=ask._("Registered installations; the rest of the system is left out."),
    )
