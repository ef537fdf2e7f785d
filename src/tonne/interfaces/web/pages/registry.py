"""The public register: who takes part, who complied, what moved. What the law does not publish yet is not in any answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
from fastapi.responses import Response

from tonne.administration.state import State
from tonne.interfaces.views import compliance as compliance_view
from tonne.interfaces.views import participants as register_view
from tonne.interfaces.views import transactions as moved
from tonne.interfaces.web import law_words as lw
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.charts import COLOURS, INK, Chart
from tonne.interfaces.web.guard import PUBLIC, pages
from tonne.interfaces.web.pages.common import bars_spec, cache_of, looked_up, theme_of
from tonne.interfaces.web.problems import Problem, not_found
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
KINDS = {
    "issue": N_("issued"),
    "allocate": N_("allocated free"),
    "return_allocation": N_("allocation returned"),
    "offer": N_("offered for sale"),
    "sell": N_("sold at auction"),
    "pay": N_("paid"),
    "transfer": N_("transferred"),
    "surrender": N_("surrendered"),
    "cancel": N_("cancelled"),
    "withhold": N_("withheld into a reserve"),
    "release": N_("released from a reserve"),
    "invalidate": N_("lost validity"),
    "carry_over": N_("carried over"),
    "opening": N_("opening balance"),
    "convert": N_("converted"),
    "retire": N_("retired"),
    "replace": N_("replaced"),
    "correct": N_("corrected"),
    "deduct": N_("deducted as a penalty"),
    "set_aside": N_("set aside"),
    "deposit": N_("deposited"),
    "withdraw": N_("withdrawn"),
    "deliver": N_("delivered for a trade"),
    "default": N_("moved after a default"),
    "scheduled": N_("transferred after its delay"),
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
        Column("sector", _("Sector"), show=_sector),
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
        Filter("sector", _("Sector"), "choice", _choices(frame, "sector")),
        Filter("country", _("Place"), "choice", _choices(frame, "country")),
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


def _sector(value: str | None, row: Mapping[str, Any]) -> str | None:
    return value.replace("_", " ") if value else None


def _choices(frame: pl.DataFrame, name: str) -> list[tuple[str, str]]:
    return [(one, one.replace("_", " ")) for one in sorted({value for value in frame[name].to_list() if value})]


@router.get("/{system}/participants/{participant}", allow=PUBLIC)
def participant(ask: Asked, system: str, participant: str) -> Response:
    """One participant: its installations, and its years as far as they are public."""
    hall = ask.market
    found = looked_up(ask, lambda state: register_view.participant(state, participant, cache=cache_of(hall)), f"{system}/participants/{{}}")
    _ = ask._
    columns = [
        Column("name", _("Installation"), href=lambda row: ask.here(f"/installations/{row['installation']}")),
        Column("sector", _("Sector"), show=_sector),
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
    shown: list[tuple[str, Any]] = [
        (label, _sector(row[key], row) if key == "sector" else row[key]) for key, label in labels.items() if row.get(key) not in (None, "")
    ]
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


# -- compliance


@router.get("/{system}/compliance", allow=PUBLIC)
def compliance_newest(ask: Asked, system: str) -> Response:
    """To the newest year that is public, or else to the one that comes next."""
    hall = ask.market
    with hall.read() as state:
        judged = compliance_view.judged_years(state)
    return ask.see(f"/{system}/compliance/{judged[0] if judged else hall.today.year - 1}")


@router.get("/{system}/compliance/{year}", allow=PUBLIC)
def compliance(ask: Asked, system: str, year: str) -> Response:
    """Who complied for a year: late and short first."""
    if not year.isascii() or not year.isdigit() or len(year) != 4:
        raise not_found(year)
    hall, number = ask.market, int(year)
    cache = cache_of(hall)
    with hall.read() as state:
        found = compliance_view.compliance(state, number, cache=cache)
        judged = compliance_view.judged_years(state)
        gaps = compliance_view.gaps(state, number, cache=cache) if found.published else None
        sectors = compliance_view.by_sector(state, cache=cache) if found.published else None
    if found.published is None and found.expected is None and number not in judged:
        raise not_found(year, [f"{system}/compliance/{one}" for one in judged[:3]])
    others = [(one, ask.here(f"/compliance/{one}")) for one in judged if one != number]
    if found.published is None:
        if ask.suffix:
            raise Problem(404, "not_found", ask.say("Compliance of %(year)s is not published yet.", year=number))
        return ask.page("compliance_before.html", year=number, expected=found.expected, today_here=hall.today, others=others)
    return ask.page(
        "compliance.html",
        found=found,
        table=_compliance_table(ask, found),
        charts=[one for one in (_gap_chart(ask, gaps, number), _sector_chart(ask, sectors)) if one is not None],
        letters=[(letter_badge(letter, ask), count) for letter, count in found.letters.items()],
        others=others,
        currency=hall.rulebook.system.currency,
        unit=hall.rulebook.system.unit_code,
        measure=lw.said(lw.MEASURES, hall.rulebook.system.measure, ask._),
    )


def _compliance_table(ask: Ask, found: compliance_view.Compliance) -> Any:
    _ = ask._
    system = ask.market.rulebook.system
    unit, tonnes = system.unit_code, lw.said(lw.MEASURES, system.measure, _)
    columns = [
        Column("name", _("Installation"), href=lambda row: ask.here(f"/installations/{row['installation']}")),
        Column("operator_name", _("Operator"), href=lambda row: ask.here(f"/participants/{row['operator']}") if row["operator"] else ""),
        Column("sector", _("Sector"), show=_sector),
        Column("letter", _("State"), show=lambda value, row: letter_badge(value, ask)),
        Column("missing", _("Missing"), "quantity", unit),
        Column("owed", _("Owed to date"), "quantity", unit),
        Column("surrendered", _("Surrendered to date"), "quantity", unit),
        Column("verified", _("Verified"), "quantity", tonnes),
        Column("allocated", _("Allocated"), "quantity", unit),
        Column("fine_low_minor", _("Penalty"), "money", system.currency),
        Column("fine_high_minor", _("Penalty, at most"), "money", system.currency, hidden=True),
        *(Column(name, name, hidden=True) for name in ("installation", "operator", "country")),
    ]
    choices = [(code, _(words)) for code, (words, *_rest) in LETTERS.items() if code in found.letters]
    filters = [
        Filter("name", _("Name")),
        Filter("letter", _("State"), "choice", choices),
        Filter("sector", _("Sector"), "choice", _choices(found.rows, "sector")),
    ]
    sums = ["missing", "owed", "surrendered", "verified", "allocated"]
    return ask.table(f"compliance-{found.year}", _("Late and short first"), found.rows, columns, filters=filters, totals=sums)


def _gap_chart(ask: Ask, gaps: pl.DataFrame | None, year: int) -> Chart | None:
    if gaps is None or not gaps["installations"].sum():
        return None
    _ = ask._

    def band(row: Mapping[str, Any]) -> str:
        low, high = row["from_permille"], row["to_permille"]
        if low is None:
            return f"< {high / 10:+g} %"
        return f"> {low / 10:+g} %" if high is None else f"{low / 10:+g} %"

    short, long = _("got less than it emitted"), _("got as much or more")
    rows = [
        {"band": band(row), "value": row["installations"], "what": short if row["to_permille"] is not None and row["to_permille"] <= 0 else long}
        for row in gaps.iter_rows(named=True)
    ]
    while rows and not rows[0]["value"]:
        rows.pop(0)
    while rows and not rows[-1]["value"]:
        rows.pop()
    title = _("Who got more than it emitted?")
    said = sum(row["value"] for row in rows if row["what"] == long)
    text = ask.say("%(count)s of %(all)s installations got as much or more than they emitted.", count=said, all=sum(row["value"] for row in rows))

    def made() -> Any:
        theme = theme_of(ask)
        return bars_spec(
            rows,
            theme,
            unit=_("installations"),
            x="band",
            stacked=True,
            order=[short, long],
            colours={short: COLOURS[theme][1], long: COLOURS[theme][0]},
        ), gaps

    return ask.chart(
        "gaps",
        title,
        made,
        subtitle=_("Installations by free allocation less emissions, % of emissions"),
        summary=f"{title} {text}",
        source=f"{text} {year}.",
    )


def _sector_chart(ask: Ask, sectors: pl.DataFrame | None) -> Chart | None:
    """Small charts beside each other: allocation against emissions by sector."""
    if sectors is None or not sectors.height:
        return None
    _ = ask._
    largest = sectors.group_by("sector").agg(pl.col("verified").sum()).sort("verified", descending=True).head(6)["sector"].to_list()
    words = {"allocated": _("Allocated"), "verified": _("Verified")}
    rows = [
        {"year": row["year"], "sector": (row["sector"] or "-").replace("_", " "), "value": row[name], "what": words[name]}
        for row in sectors.filter(pl.col("sector").is_in(largest)).sort("year").iter_rows(named=True)
        for name in ("allocated", "verified")
        if row[name] is not None
    ]
    unit = lw.said(lw.MEASURES, ask.market.rulebook.system.measure, _)
    title = _("Which sectors are short?")

    def made() -> Any:
        theme = theme_of(ask)
        scale = {"domain": list(words.values()), "range": [COLOURS[theme][2], COLOURS[theme][1]]}
        encoding = {
            "x": {"field": "year", "type": "ordinal", "axis": {"title": None, "labelAngle": 0, "labelOverlap": True}},
            "y": {"field": "value", "type": "quantitative", "axis": {"title": None, "format": "~s", "tickCount": 3}},
            "xOffset": {"field": "what", "type": "nominal", "sort": list(words.values())},
            "color": {"field": "what", "type": "nominal", "scale": scale, "legend": {"orient": "top", "title": None}},
        }
        spec = {
            "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
            "data": {"values": rows},
            "facet": {
                "field": "sector",
                "type": "nominal",
                "sort": [str(one).replace("_", " ") for one in largest],
                "header": {"title": None, "labelAnchor": "start", "labelLimit": 160, "labelColor": INK[theme][0]},
            },
            "columns": 3,
            "spec": {"width": 150, "height": 90, "mark": {"type": "bar"}, "encoding": encoding},
            "resolve": {"scale": {"y": "independent"}},
        }
        return spec, sectors

    return ask.chart(
        "sectors",
        title,
        made,
        subtitle=unit,
        summary=f"{title} {', '.join(str(one) for one in largest)}",
        source=_("The six sectors that emit most, each on a scale of its own."),
    )


# -- transactions


@router.get("/{system}/transactions", allow=PUBLIC)
def transactions(ask: Asked, system: str) -> Response:
    """What moved, once the law's delay is over; before that only sums by month."""
    hall = ask.market
    cache, otherwise, today = cache_of(hall), ask.place.settings.publication_delay_years, hall.today
    with hall.read() as state:
        delay = moved.delay(state, today, otherwise)
        frame = moved.transactions(state, today, otherwise_years=otherwise, account=ask.query.get("account") or None, cache=cache)
        months = moved.months(state, today, cache=cache)
    _ = ask._
    columns = [
        Column("day", _("Day"), "day"),
        Column("kind", _("Kind"), show=lambda value, row: lw.said(KINDS, value, _)),
        Column("from_holder", _("From")),
        Column("to_holder", _("To")),
        Column("unit", _("Unit")),
        Column("quantity", _("Quantity"), "quantity", _("units")),
        Column("from", _("From account")),
        Column("to", _("To account")),
        Column("sequence", _("Log entry"), "number"),
        Column("id", _("Number"), hidden=True),
    ]
    kinds = [(one, lw.said(KINDS, one, _)) for one in sorted(set(frame["kind"].to_list()))]
    filters = [
        Filter("from_day", _("From day"), "from", column="day"),
        Filter("to_day", _("To day"), "to", column="day"),
        Filter("kind", _("Kind"), "choice", kinds),
        Filter("from_holder", _("From")),
        Filter("to_holder", _("To")),
    ]
    empty = _("Nothing that moved is public yet.") if not frame.height else _("No transaction is like that. Take a filter away.")
    shown = frame.sort("day", descending=True, maintain_order=True)
    table = ask.table("transactions", _("Transactions"), shown, columns, filters=filters if frame.height else [], empty=empty)
    sums = [
        Column("month", _("Month"), "text", show=lambda value, row: f"{value:%Y-%m}"),
        Column("kind", _("Kind"), show=lambda value, row: lw.said(KINDS, value, _)),
        Column(
            "units",
            _("Of"),
            show=lambda value, row: {"allowance": _("allowances"), "credit": _("credits"), "payment": _("payments in place of units")}.get(
                value, value
            ),
        ),
        Column("transfers", _("Transfers"), "quantity"),
        Column("quantity", _("Quantity"), "quantity", _("units")),
    ]
    hidden = int(months["hidden"].sum()) if months.height else 0
    monthly = ask.table(
        "months",
        _("By month"),
        months.drop("hidden").sort("month", "kind", descending=[True, False]),
        sums,
        prefix="m_",
        empty=_("No whole month has passed yet."),
    )
    return ask.page(
        "transactions.html",
        delay=delay,
        table=table,
        monthly=monthly,
        chart=_months_chart(ask, months),
        hidden=hidden,
        rule=ask.here("/law/registry/transactions_public_after") if delay.by_law else "",
    )


def _months_chart(ask: Ask, months: pl.DataFrame) -> Chart | None:
    known = months.filter(pl.col("quantity").is_not_null(), pl.col("kind") != "offer")  # what is offered is counted once more when it is sold
    if known["month"].n_unique() < 2:
        return None
    _ = ask._
    last = known["month"].unique().sort().tail(36).to_list()
    recent = known.filter(pl.col("month").is_in(last)).group_by("month", "kind").agg(pl.col("quantity").sum()).sort("month")
    order = recent.group_by("kind").agg(pl.col("quantity").sum()).sort("quantity", descending=True)["kind"].to_list()[:6]
    rows = [
        {"month": f"{row['month']:%Y-%m}", "value": row["quantity"] / 1e6, "what": lw.said(KINDS, row["kind"], _)}
        for row in recent.filter(pl.col("kind").is_in(order)).iter_rows(named=True)
    ]
    title = _("What moves, and when?")
    names = [lw.said(KINDS, one, _) for one in order]

    def made() -> Any:
        return bars_spec(rows, theme_of(ask), unit=_("million units"), x="month", stacked=True, order=names), recent

    return ask.chart(
        "months",
        title,
        made,
        subtitle=_("Million units by month and kind"),
        summary=f"{title} {', '.join(names)}",
        source=_("Whole months that are over; a sum behind which one or two participants stand is left out."),
    )
