"""Surrendering: the quantity that is owed is there already, the units are picked oldest first and shown; then review and a second person."""

from __future__ import annotations

from fastapi.responses import Response

from tonne.interfaces.views.obligation import Period
from tonne.interfaces.views.surrendering import SurrenderPreview, surrender_preview
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.forms import Field, Form
from tonne.interfaces.web.guard import OPERATOR, pages
from tonne.interfaces.web.pages import proposals
from tonne.interfaces.web.pages.common import cache_of
from tonne.interfaces.web.pages.owing import next_step, own_proposals, parts
from tonne.interfaces.web.pages.standing import Standing, standing_of
from tonne.interfaces.web.problems import Problem, not_found
from tonne.interfaces.web.render import quantity

router = pages()


@router.get("/{system}/surrender", allow=OPERATOR)
def form_page(ask: Asked, system: str) -> Response:
    """What will be surrendered, if nothing is changed."""
    standing = standing_of(ask)
    chosen = _chosen(ask, standing, ask.query.get("installation", ""))
    return _page(ask, standing, chosen, _form(ask, standing, chosen))


@router.post("/{system}/surrender", allow=OPERATOR.with_right("initiate"))
def reviewed(ask: Asked, system: str) -> Response:
    """On to the review; what stands in its way stands beside the field."""
    standing = standing_of(ask)
    given = str(ask.form.get("period", ""))
    chosen = next((one for one in (*standing.arrears, *standing.now) if _key(one) == given), None)
    if chosen is None:
        raise not_found(given.partition(" ")[0])
    form = _form(ask, standing, chosen)
    if not form.check():
        return _page(ask, standing, chosen, form, 422)
    units = form.values["quantity"]
    preview = _preview(ask, chosen, units)
    if preview.refused:
        form.fault("quantity", _refusal(ask, preview))
        return _page(ask, standing, chosen, form, 422)
    over = units - chosen.expected_missing
    if over > 0 and not form.values["more"]:
        said = ask.say(
            "This is %(over)s %(unit)s more than is owed. Surrendered units do not come back: lower it, or tick below.",
            over=quantity(over),
            unit=standing.owes.unit,
        )
        form.fault("quantity", said)
        return _page(ask, standing, chosen, form, 422)
    body, rows = {"year": chosen.year}, [{"installation": chosen.installation, "quantity": units}]
    try:
        return proposals.review(ask, "surrender", body, {"surrenders": rows}, back=ask.here("/surrender", installation=chosen.installation))
    except Problem as problem:
        form.fault("quantity", f"{problem.detail} ({problem.name})")
        return _page(ask, standing, chosen, form, problem.status)


def _key(one: Period) -> str:
    return f"{one.installation} {one.year}"


def _chosen(ask: Ask, standing: Standing, installation: str) -> Period | None:
    """The period that a surrender is for: what is in arrears first, then what lacks most. Raises Problem 404 for somebody else's installation."""
    rows = [one for one in (*standing.arrears, *standing.now) if not installation or one.installation == installation]
    if installation and not rows:
        raise not_found(installation)
    return max(rows, key=lambda one: (one.closed and one.missing > 0, one.expected_missing), default=None)


def _form(ask: Ask, standing: Standing, chosen: Period | None) -> Form:
    unit = standing.owes.unit
    rows = (*standing.arrears, *standing.now)
    choices = [(_key(one), ask.say("%(name)s, %(year)s", name=one.name, year=one.year)) for one in rows]
    most = min(chosen.expected_missing, chosen.admissible) if chosen is not None else 0
    fields = [
        Field("period", ask._("For"), "choice", choices=choices) if len(rows) > 1 else Field("period", kind="hidden"),
        Field("quantity", ask._("Quantity"), "number", unit=unit, hint=ask._("What is owed and held. You may change it."), value=most or ""),
        Field("more", ask._("Surrender more than is owed"), "checkbox", required=False),
    ]
    form = Form(ask, fields, action=ask.here("/surrender"), verb=ask._("Review"))
    if chosen is not None and not form["period"].value:
        form["period"].value = _key(chosen)
    return form


def _preview(ask: Ask, chosen: Period, units: int) -> SurrenderPreview:
    market = ask.market
    with market.read() as state:
        return surrender_preview(state, chosen.installation, chosen.year, units, market.today, by=ask.visitor.participant, cache=cache_of(market))


def _refusal(ask: Ask, preview: SurrenderPreview) -> str:
    if preview.refused == "insufficient_balance":
        there = sum(pick.available for pick in preview.picks)
        return ask.say(
            "Account %(account)s has %(there)s units that can be surrendered: %(short)s are lacking.",
            account=preview.account,
            there=quantity(there),
            short=quantity(preview.short),
        )
    return f"{preview.reason} ({preview.refused})"


def _page(ask: Ask, standing: Standing, chosen: Period | None, form: Form, status: int = 200) -> Response:
    ask.record("view", "surrender", "shown")
    return ask.page(
        "operator_surrender.html",
        status,
        standing=standing,
        owes=standing.owes,
        chosen=chosen,
        form=form,
        parts=parts(ask, (chosen,)) if chosen is not None else [],
        step=next_step(ask, standing, own_proposals(ask)),
        begun=[one for one in own_proposals(ask) if one["verb"] == "surrender"],
        changed=bool(ask.form),
    )
