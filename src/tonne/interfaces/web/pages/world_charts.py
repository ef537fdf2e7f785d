"""The world's carbon markets in six charts, each with its rows, its sources and what we checked it against."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import polars as pl
from fastapi.responses import Response

from tonne.interfaces import world
from tonne.interfaces.web import shelf
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.charts import Chart
from tonne.interfaces.web.guard import PUBLIC, pages
from tonne.interfaces.web.pages.common import recoloured, theme_of
from tonne.interfaces.web.problems import not_found
from tonne.interfaces.web.tables import Column
from tonne.interfaces.web.words import N_, named

router = pages()
#: name -> (the question, the unit and how to read it)
ABOUT: dict[str, tuple[str, str]] = {
    "coverage": (
        N_("How much of the world's emissions is covered?"),
        N_("Above: % of world emissions. Below: Gt CO2e a year under our rulebooks' caps or reports. Diamonds: what status reports print."),
    ),
    "prices": (
        N_("What does a tonne cost, and how many tonnes is that?"),
        N_("Height: USD per tonne on 2024-04-01. Width: covered emissions, Mt CO2e. Paler bars: the width is an estimate."),
    ),
    "revenue": (N_("What have allowances brought in?"), N_("Billion USD by year of payment. Dashed: a year of which only the sum is known.")),
    "sectors": (N_("Which sectors are in which system?"), N_("Filled: in force. Hollow: adopted, proposed or planned.")),
    "credits": (
        N_("How many credits could be used?"),
        N_("Mt CO2e a year, logarithmic: the limit in our rulebook times its base, and what the status report prints."),
    ),
    "status": (
        N_("Which systems are in force, and which are coming?"),
        N_("Systems by status and level of government; in brackets the published count."),
    ),
}
#: Groups of published figures whose documents a chart rests on.
MARK = re.compile(r"\s*\(seed \d+\)")


@lru_cache(maxsize=2)
def gathered(day: Any) -> world.Gathered:
    """Everything the charts are made of, on a day."""
    return world.gather(day)


def _today(ask: Ask) -> Any:
    return ask.place.clock.now().date()


def _names(ask: Ask) -> dict[str, str]:
    return {system: named(book.system.name, ask.language) for system, book in shelf.books().items()}


def rows_of(found: world.Gathered, name: str) -> pl.DataFrame:
    """The rows that a chart is drawn from."""
    makers: dict[str, Callable[[], list[dict[str, Any]]]] = {
        "coverage": lambda: [
            *(
                {"system": row["system"], "year": row["year"], "value": row["value"], "unit": "% of world emissions", "kind": "published"}
                for row in world.share_rows(found)
            ),
            *(
                {"system": row["system"], "year": row["year"], "value": row["value"], "unit": "Gt CO2e", "kind": row["kind"]}
                for row in world.volume_rows(found)
            ),
        ],
        "prices": lambda: sorted(world.price_rows(found), key=lambda row: -row["price"]),
        "revenue": lambda: sorted(world.revenue_rows(found), key=lambda row: (-row["year"], -row["value"])),
        "sectors": lambda: world.sector_rows(found)[0],
        "credits": lambda: [
            {key: row[key] for key in ("system", "limit", "ours", "printed", "year", "base", "same")} for row in world.credit_rows(found)
        ],
        "status": lambda: world.status_rows(found),
    }
    return pl.DataFrame(makers[name](), infer_schema_length=None)


#: column -> (label, kind, unit)
LABELS: dict[str, tuple[str, str, str]] = {
    "system": (N_("System"), "text", ""),
    "name": (N_("Name"), "text", ""),
    "year": (N_("Year"), "text", ""),
    "value": (N_("Value"), "number", ""),
    "unit": (N_("Unit"), "text", ""),
    "kind": (N_("Kind"), "text", ""),
    "price": (N_("Price"), "number", "USD/t"),
    "mt": (N_("Covered"), "number", "Mt CO2e"),
    "estimated": (N_("Estimated"), "text", ""),
    "basis": (N_("Basis"), "text", ""),
    "source": (N_("Source"), "text", ""),
    "group": (N_("Group"), "text", ""),
    "sector": (N_("Sector"), "text", ""),
    "when": (N_("When"), "text", ""),
    "words": (N_("In the rulebook's words"), "text", ""),
    "share": (N_("Share covered"), "text", ""),
    "limit": (N_("Limit"), "text", ""),
    "ours": (N_("Limit times base"), "number", "Mt"),
    "printed": (N_("Printed"), "number", "Mt"),
    "base": (N_("Base"), "number", "Mt"),
    "same": (N_("Base from the report itself"), "text", ""),
    "status": (N_("Status"), "text", ""),
    "level": (N_("Level of government"), "text", ""),
    "differs": (N_("Where the report differs"), "text", ""),
}


def _tally(ask: Ask, checks: Sequence[world.Check], verdicts: Mapping[str, str]) -> str:
    """How often each verdict was given: `agrees 3; differs 2`."""
    counts = Counter(check.verdict for check in checks)
    return ask._("; ").join(f"{words} {counts[verdict]}" for verdict, words in verdicts.items() if counts[verdict])


def _columns(ask: Ask, frame: pl.DataFrame, names: dict[str, str]) -> list[Column]:
    def column(name: str) -> Column:
        label, kind, unit = LABELS[name]
        show: Any = None
        href: Any = None
        if name == "system":
            show = lambda value, row: names.get(value, value)  # noqa: E731
            href = lambda row: ask.url(f"/{row['system']}")  # noqa: E731
        elif kind == "number":
            show = lambda value, row: None if value is None else f"{value:,.6g}"  # noqa: E731
        elif frame.schema[name] == pl.Boolean:
            show = lambda value, row: ask._("yes") if value else ask._("no")  # noqa: E731
        elif name == "source":
            show = lambda value, row: MARK.sub("", value)  # noqa: E731
        return Column(name, ask._(label), kind, unit, show=show, href=href)

    return [column(name) for name in frame.columns if name != "name"]


def _chart(ask: Ask, found: world.Gathered, name: str, table_href: str, sourced: bool = True) -> Chart:
    title, subtitle = (ask._(text) for text in ABOUT[name])
    documents = sorted({MARK.sub("", figure.document) for group in world.GROUPS[name] for figure in found.data[group]})
    return ask.chart(
        name,
        title,
        lambda: (recoloured(world.drawings(found)[name](), theme_of(ask)), rows_of(found, name)),
        subtitle=subtitle,
        summary=f"{title} {subtitle}",
        source="" if not sourced else ask.say("Our rulebooks on %(day)s, and: %(documents)s", day=found.day, documents="; ".join(documents)),
        table_href=table_href,
    )


@router.get("/charts", allow=PUBLIC)
def charts(ask: Asked) -> Response:
    """All charts, each with the way to its page."""
    found = gathered(_today(ask))
    return ask.page("charts.html", charts=[(name, _chart(ask, found, name, ask.url(f"/charts/{name}"), False)) for name in ABOUT])


@router.get("/charts/{name}", allow=PUBLIC)
def chart(ask: Asked, name: str) -> Response:
    """One chart with all its rows, and how our figures stand beside the published ones."""
    if name not in ABOUT:
        raise not_found(name, [f"charts/{one}" for one in shelf.near(name, ABOUT)])
    found, names = gathered(_today(ask)), _names(ask)
    picture = _chart(ask, found, name, "#table-rows")
    frame = rows_of(found, name)
    table = ask.table("rows", ask._("Rows of the chart"), frame, _columns(ask, frame, names), as_of=str(found.day))
    checks = [check for check in found.checks if check.chart == name]
    compared = pl.DataFrame(
        [(one.what, one.published, one.ours, one.verdict, one.remark) for one in checks],
        schema=["figure", "published", "ours", "verdict", "remark"],
        orient="row",
        schema_overrides=dict.fromkeys(("figure", "published", "ours", "verdict", "remark"), pl.String),
    )
    _ = ask._
    verdicts = {
        world.AGREES: _("agrees"),
        world.COPY: _("copied from the same source"),
        world.DIFFERS: _("differs"),
        world.NOTHING: _("no figure of ours"),
    }
    labels = {"figure": _("Figure"), "published": _("Published"), "ours": _("Ours"), "verdict": _("Verdict"), "remark": _("Remark")}
    shown = [Column(key, label, show=(lambda value, row: verdicts.get(value, value)) if key == "verdict" else None) for key, label in labels.items()]
    checked = (
        ask.table("checks", ask.say("Published against ours: %(tally)s", tally=_tally(ask, checks, verdicts)), compared, shown, prefix="check_")
        if checks
        else None
    )
    notes = [found.data[group].note for group in world.GROUPS[name] if found.data[group].note]
    return ask.page(
        "chart.html",
        chart=picture,
        table=table,
        checked=checked,
        notes=notes,
        name=name,
        others=[(one, _(ABOUT[one][0])) for one in ABOUT if one != name],
    )
