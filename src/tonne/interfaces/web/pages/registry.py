"""The public register: who takes part, who complied, what moved. What the law does not publish yet is not in any answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
from fastapi.responses import Response

from tonne.administration.state import State
from tonne.interfaces.views import compliance as compliance_view
from tonne.interfaces.views import participants as register_view
from tonne.interfaces.web import law_words as lw
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.charts import COLOURS, Chart
from tonne.interfaces.web.guard import PUBLIC, pages
from tonne.interfaces.web.pages.common import bars_spec, cache_of, looked_up, theme_of
from tonne.interfaces.web.render import money
from tonne.interfaces.web.tables import Column, Filter
from tonne.interfaces.web.words import N_

router = pages()
#: status letter -> (words, tone, picture)
LETTERS: dict[str, tuple[str, str, str]] = {
    "A": (N_("complied"), "success", "circle-check"),
    "B": (N_("short"), "danger", "alert-triangle"),
    "C": (N_("no verified emissions"), "danger", "alert-triangle"),
    "D": (N_("corrected late, short"), "danger", "alert-triangle"),
    "E": (N_("corrected late, complied"), "warning", "clock"),
    "X": (N_("entry was impossible"), "neutral", "ban"),
    "-": (N_("nothing was due"), "neutral", "minus"),
}
ROLES = {
    "operator": N_("operator"),
    "trader": N_("trader"),
    "verifier": N_("verifier"),
    "administrator": N_("administrator"),
    "venue": N_("venue"),
    "auctioneer": N_("auctioneer"),
    "bank": N_("bank"),
    "ccp": N_("clearing house"),
}


def letter_badge(letter: str | None, ask: Ask) -> Any:
    if letter is None:
        return None
    words, tone, picture = LETTERS.get(letter, (letter, "neutral", ""))
    return lw.badge(ask._(words), tone, picture)


# -- participants


@router.get("/{system}/participants", allow=PUBLIC)
def participants(ask: Asked, system: str) -> Response:
    """Installations with their operators, and the last year that is public; participants without installations as a second table."""
    hall = ask.market
    cache = cache_of(hall)

    def made(state: State) -> tuple[pl.DataFrame, pl.DataFrame, int | None]:
        frame = register_view.register(state, cache)
        judged = compliance_view.judged_years(state)
        year = judged[0] if judged else None
        last = register_view.public_years(state, cache).filter(pl.col("year") == (year or 0))
        frame = frame.join(
            last.select("installation", "allocated", "verified", "surrendered", "letter"), on="installation", how="left", maintain_order="left"
        )
        others = register_view.participants(state, cache=cache).filter(pl.col("installations") == 0)
        return frame, others, year

    frame, others, year = hall.cached(("participants", "page"), made)
    _ = ask._
    unit = lw.said(lw.MEASURES, hall.rulebook.system.measure, _)
    columns = [
        Column("name", _("Installation"), href=lambda row: ask.here(f"/installations/{row['installation']}")),
        Column("operator_name", _("Operator"), href=lambda row: ask.here(f"/participants/{row['operator']}") if row["operator"] else ""),
        Column("sector", _("Sector"), show=lambda value, row: lw.sector(value, _)),
        Column("country", _("Place")),
        Column("permit", _("Permit")),
        Column("status", _("Status"), "state"),
        Column("allocated", ask.say("Allocated %(year)s", year=year or ""), "quantity", hall.rulebook.system.unit_code),
        Column("verified", ask.say("Verified %(year)s", year=year or ""), "quantity", unit),
        Column("letter", ask.say("State %(year)s", year=year or ""), show=lambda value, row: letter_badge(value, ask)),
        Column("installation", _("Number"), hidden=True),
        Column("operator", _("Operator's number"), hidden=True),
        *(
            Column(name, name, hidden=True)
            for name in ("activity", "nace", "registry", "registry_account", "latitude", "longitude", "opened", "closed")
        ),
    ]
    if year is None:
        columns = [one for one in columns if one.name not in ("allocated", "verified", "letter")]
    filters = [
        Filter("name", _("Name")),
        Filter("operator_name", _("Operator")),
        Filter("sector", _("Sector"), "choice", lw.sectors(frame["sector"], _)),
        Filter("country", _("Place"), "choice", choices(frame, "country")),
        *(
            [
                Filter(
                    "letter",
                    _("State"),
                    "choice",
                    [(code, _(words)) for code, (words, *_r) in LETTERS.items() if code in set(frame["letter"].to_list())],
                )
            ]
            if year
            else []
        ),
    ]
    table = ask.table("participants", _("Installations"), frame, columns, filters=filters, empty=_("No installation is registered yet."))
    whole = [
        Column("name", _("Participant"), href=lambda row: ask.here(f"/participants/{row['participant']}")),
        Column("role", _("Role"), show=lambda value, row: lw.said(ROLES, value, _)),
        Column("country", _("Place")),
    ]
    second = ask.table("others", _("Without an installation"), others, whole, prefix="o_") if others.height else None
    return ask.page("participants.html", table=table, others=second, year=year)


def choices(frame: pl.DataFrame, name: str) -> list[tuple[str, str]]:
    return [(one, one.replace("_", " ")) for one in sorted({value for value in frame[name].to_list() if value})]


@router.get("/{system}/participants/{participant}", allow=PUBLIC)
def participant(ask: Asked, system: str, participant: str) -> Response:
    """One participant: its installations, and its years as far as they are public."""
    hall = ask.market
    found = looked_up(ask, lambda state: register_view.participant(state, participant, cache=cache_of(hall)), f"{system}/participants/{{}}")
    _ = ask._
    columns = [
        Column("name", _("Installation"), href=lambda row: ask.here(f"/installations/{row['installation']}")),
        Column("sector", _("Sector"), show=lambda value, row: lw.sector(value, _)),
        Column("country", _("Place")),
        Column("permit", _("Permit")),
        Column("status", _("Status"), "state"),
    ]
    installations = ask.table("installations", _("Installations"), found.installations, columns, prefix="i_") if found.installations.height else None
    years = _years_table(ask, found.years, f"{found.participant}-years", letters="letters")
    return ask.page(
        "participant.html",
        name=found.name,
        number=found.participant,
        kind=lw.said(ROLES, found.role, _),
        facts_shown=[
            (_("Role"), lw.said(ROLES, found.role, _)),
            (_("Place"), found.country or None),
            (_("Number"), found.participant),
            (_("Accounts"), found.accounts),
        ],
        installations=installations,
        table=years,
        chart=_years_chart(ask, found.years, found.name),
        back=(ask.here("/participants"), _("All participants")),
    )


@router.get("/{system}/installations/{installation}", allow=PUBLIC)
def installation(ask: Asked, system: str, installation: str) -> Response:
    """One installation: what the register has of it, and its years as far as they are public."""
    hall = ask.market
    found = looked_up(ask, lambda state: register_view.installation(state, installation, cache=cache_of(hall)), f"{system}/installations/{{}}")
    _ = ask._
    row = found.register
    labels = {
        "operator_name": _("Operator"),
        "sector": _("Sector"),
        "activity": _("Activity"),
        "nace": _("Branch (NACE)"),
        "country": _("Place"),
        "permit": _("Permit"),
        "registry": _("Registry"),
        "registry_account": _("Account in that registry"),
        "opened": _("Since"),
        "closed": _("Until"),
        "status": _("Status"),
    }
    states = {"open": _("open"), "closed": _("closed")}

    def said(key: str, value: Any) -> Any:
        return lw.sector(value, _) if key == "sector" else states.get(value, value) if key == "status" else value

    shown: list[tuple[str, Any]] = [(label, said(key, row[key])) for key, label in labels.items() if row.get(key) not in (None, "")]
    if row.get("operator"):
        from markupsafe import Markup

        address = ask.here(f"/participants/{row['operator']}")
        shown[0] = (labels["operator_name"], Markup('<a href="{}">{}</a>').format(address, row.get("operator_name") or row["operator"]))
    shown.append((_("Number"), found.installation))
    return ask.page(
        "participant.html",
        name=row.get("name") or found.installation,
        number=found.installation,
        kind=_("installation"),
        facts_shown=shown,
        installations=None,
        table=_years_table(ask, found.years, f"{found.installation}-years", letters="letter"),
        chart=_years_chart(ask, found.years, row.get("name") or found.installation),
        back=(ask.here("/participants"), _("All participants")),
    )


def _years_table(ask: Ask, frame: pl.DataFrame, name: str, letters: str) -> Any:
    _ = ask._
    system = ask.market.rulebook.system
    unit, tonnes = system.unit_code, lw.said(lw.MEASURES, system.measure, _)

    def letter(value: Any, row: Mapping[str, Any]) -> Any:
        from markupsafe import Markup

        return Markup(" ").join(letter_badge(one, ask) for one in value) if value else None

    def fine(value: Any, row: Mapping[str, Any]) -> Any:
        if value is None:
            return None
        low, high = row["fine_low_minor"], row["fine_high_minor"]
        return money(low, system.currency) if low == high else f"{money(low, system.currency)} - {money(high, system.currency)}"

    columns = [
        Column("year", _("Year"), "text"),
        Column("allocated", _("Allocated"), "quantity", unit),
        Column("limit", _("Limit"), "quantity", tonnes),
        Column("verified", _("Verified"), "quantity", tonnes),
        Column("surrendered", _("Surrendered"), "quantity", unit),
        Column("owed_to_date", _("Owed to date"), "quantity", unit),
        Column("surrendered_to_date", _("Surrendered to date"), "quantity", unit),
        Column(letters, _("State"), show=letter, sortable=False),
        Column("fine_low_minor", _("Penalty"), "text", show=fine, sortable=False),
        Column("fine_high_minor", _("Penalty, at most"), hidden=True),
    ]
    kept = [one for one in columns if one.name in frame.columns and (one.name in ("year", letters) or frame[one.name].is_not_null().any())]
    return ask.table(name, _("Year by year"), frame.sort("year", descending=True), kept, empty=_("No obligation yet."))


def _years_chart(ask: Ask, frame: pl.DataFrame, name: str) -> Chart | None:
    _ = ask._
    words = {"allocated": _("Allocated"), "verified": _("Verified"), "limit": _("Limit")}
    rows = [
        {"year": row["year"], "value": row[column], "what": words[column]}
        for row in frame.sort("year").iter_rows(named=True)
        for column in ("allocated", "limit", "verified")
        if row.get(column) is not None and (column != "limit" or row["allocated"] is None)
    ]
    if not any(row["what"] == words["verified"] for row in rows):
        return None
    unit = lw.said(lw.MEASURES, ask.market.rulebook.system.measure, _)
    title = ask.say("Did %(name)s get as much as it emitted?", name=name)

    def made() -> Any:
        theme = theme_of(ask)
        colours = {words["verified"]: COLOURS[theme][1], words["allocated"]: COLOURS[theme][2], words["limit"]: COLOURS[theme][3]}
        return bars_spec(rows, theme, unit=unit, colours=colours), pl.DataFrame(rows)

    return ask.chart(
        "years", title, made, subtitle=unit, summary=title, source=_("The register of this market; emissions once their year is judged.")
    )
