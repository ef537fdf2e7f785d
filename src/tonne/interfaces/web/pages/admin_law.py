"""Amending the law of this market: a dated value with its source, what it would change, then two persons. What was decided before stays decided."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import polars as pl
from fastapi.responses import Response

from tonne.interfaces.views import law_view
from tonne.interfaces.views.amendment import Effects, effects
from tonne.interfaces.views.found import NotFound
from tonne.interfaces.web import law_words
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.forms import Field, Form
from tonne.interfaces.web.guard import ADMIN, AUDIT, pages
from tonne.interfaces.web.pages import admin_act as act
from tonne.interfaces.web.pages import admin_common as own
from tonne.interfaces.web.problems import Problem, not_found, title
from tonne.interfaces.web.render import decimal_text
from tonne.interfaces.web.tables import Column, Filter
from tonne.interfaces.web.words import named
from tonne.law import Parameter, vocabulary

router = pages()
SHOWN_LETTERS = 80
_WHOLE, _DECIMAL = re.compile(r"[-+]?\d+"), re.compile(r"[-+]?\d+\.\d+")


@router.get("/{system}/admin/law", allow=AUDIT)
def figures(ask: Asked, system: str) -> Response:
    """Every figure of the law as it stands here, and the amendments made."""
    market = ask.market
    with market.read() as state:
        book, made = state.rulebook, list(state.amendments)
    today = max(market.today, book.system.begins)
    rows = []
    for topic in law_view.law_view(book, today).topics:
        for one in topic.parameters:
            rows.append(
                {
                    "path": one.path,
                    "label": named(one.labels, ask.language) or one.name.replace("_", " "),
                    "topic": topic.topic,
                    "value": _short(one.value),
                    "unit": law_words.unit_words(one.unit),
                    "since": one.since,
                    "coming": one.coming,
                }
            )
    schema = {"path": pl.String, "label": pl.String, "topic": pl.String, "value": pl.String, "unit": pl.String, "since": pl.Date, "coming": pl.Date}
    columns = [
        Column("label", ask._("Figure"), href=lambda row: ask.here("/admin/law/" + row["path"].replace(".", "/", 1))),
        Column("topic", ask._("Topic"), show=lambda value, row: law_words.said(law_words.TOPICS, value, ask._)),
        Column("value", ask._("Now"), sortable=False),
        Column("unit", ask._("Unit")),
        Column("since", ask._("Since"), "day"),
        Column("coming", ask._("Changes next"), "day"),
        Column("path", ask._("Path"), hidden=True),
    ]
    topics = list(dict.fromkeys(str(row["topic"]) for row in rows))
    filters = [
        Filter("label", ask._("Figure")),
        Filter("topic", ask._("Topic"), "choice", [(one, law_words.said(law_words.TOPICS, one, ask._)) for one in topics]),
    ]
    table = ask.table("law", ask._("Figures of the law"), pl.DataFrame(rows, schema=schema), columns, filters=filters)
    labels = {row["path"]: row["label"] for row in rows}
    ask.record("view", "the law and its amendments", "shown")
    return ask.page(
        "admin_law.html",
        table=table,
        made=[
            {
                **one,
                "label": labels.get(one["parameter"], one["parameter"]),
                "shown": _short(one.get("value")) if one.get("grows") is None else ask._("a growing table"),
            }
            for one in reversed(made)
        ],
        admin_tabs=own.tabs(ask),
    )


def _short(value: Any) -> str:
    if value is None:
        return "\u2013"
    if isinstance(value, Mapping):
        text = ", ".join(f"{key}: {item}" for key, item in list(value.items())[-3:])
        text = f"\u2026 {text}" if len(value) > 3 else text
    else:
        text = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    return text if len(text) <= SHOWN_LETTERS else f"{text[:SHOWN_LETTERS]}\u2026"


def _parameter(ask: Ask, path: str) -> tuple[Parameter, law_view.ParameterView]:
    with ask.market.read() as state:
        book = state.rulebook
    try:
        view = law_view.parameter(book, path, max(ask.market.today, book.system.begins))
    except NotFound as error:
        raise not_found(path, [f"{ask.market.system}/admin/law/{one.replace('.', '/', 1)}" for one in error.near]) from None
    return book.parameters[path], view


def _form(ask: Ask, one: Parameter) -> Form:
    table = one.by is not None
    hint = (
        ask.say("Row by row, like `%(example)s`. Only the rows that change.", example=f"{'2027' if one.by == 'year' else 'name'}: 0.25")
        if table
        else ""
    )
    fields = [
        Field(
            "from", ask._("In force from"), "date", hint=ask._("The day from which it counts. It is known from today on: that is its other clock.")
        ),
        Field(
            "value",
            ask._("Value"),
            "textarea" if table else "text",
            required=False,
            unit="" if table else law_words.unit_words(one.unit),
            hint=hint,
            rows=6,
        ),
        Field("repeal", ask._("It is repealed: from that day there is no value"), "checkbox", required=False),
        Field("source", ask._("Source"), hint=ask._("The act and its paragraph, so that anybody finds it.")),
        Field("note", ask._("Note"), required=False),
    ]
    return Form(ask, fields, action=ask.here("/admin/law/" + one.path.replace(".", "/", 1)), verb=ask._("Look at the effects"))


def value_of(text: str, one: Parameter) -> Any:
    """What was typed, as the log holds values: whole numbers as numbers, other numbers and days as text, tables as mappings. Raises ValueError."""
    text = text.strip()
    if text.startswith(("{", "[")):
        return json.loads(text)
    if one.by is None:
        return _scalar(text, one.unit)
    found = {}
    for number, line in enumerate(filter(None, (line.strip() for line in text.splitlines())), 1):
        key, colon, value = line.partition(":")
        if not colon or not key.strip():
            raise ValueError(f"row {number}: {line[:40]!r} is no `key: value`")
        if key.strip() in found:
            raise ValueError(f"row {number}: {key.strip()!r} stands twice")
        found[key.strip()] = None if value.strip() in ("", "-") else _scalar(value.strip(), one.unit)
    return found


def _scalar(text: str, unit: str) -> Any:
    if unit == "boolean":
        if text.lower() not in ("true", "false"):
            raise ValueError("write true or false")
        return text.lower() == "true"
    if unit in vocabulary.WORDS or unit in ("date", "month_day", "calendar_rule", "time_zone", "rounding"):
        return text
    plain = text.replace("\u202f", "").replace(" ", "")
    if _WHOLE.fullmatch(plain):
        return int(plain)
    return plain if _DECIMAL.fullmatch(plain) else text


def _answer(value: Any) -> str:
    """An answer of the law, its thousands parted."""
    return decimal_text(Decimal(str(value))) if isinstance(value, (int, Decimal)) and not isinstance(value, bool) else _short(value)


@router.get("/{system}/admin/law/{topic}/{parameter}", allow=AUDIT)
def parameter(ask: Asked, system: str, topic: str, parameter: str) -> Response:
    """One figure, and a form for its next value."""
    one, view = _parameter(ask, f"{topic}.{parameter}")
    return _shown(ask, view, _form(ask, one))


def _shown(
    ask: Ask, view: law_view.ParameterView, form: Form, status: int = 200, found: Effects | None = None, body: Mapping[str, Any] | None = None
) -> Response:
    ask.record("view", f"amendment of {view.path}", "shown")
    answers = []
    for one in found.answers if found is not None else ():
        asked = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in one.inputs.items())
        unit = ask.market.rulebook.system.currency if one.unit == "money" else law_words.unit_words(one.unit)
        answers.append((one.says, asked, _answer(one.before), _answer(one.after), unit))
    return ask.page(
        "admin_amend.html",
        status,
        view=view,
        heading=named(view.labels, ask.language) or view.name.replace("_", " "),
        topic=law_words.said(law_words.TOPICS, view.topic, ask._),
        value=_short(view.value),
        rows=list(view.value.items())[-60:] if isinstance(view.value, Mapping) else [],
        unit=law_words.unit_words(view.unit),
        form=form,
        found=found,
        body=json.dumps(dict(body), ensure_ascii=False) if body is not None else "",
        answers=answers,
        moved=[(law_words.said(law_words.TASKS, one.task, ask._), one) for one in found.moved] if found is not None else [],
        before=_short(found.change.before) if found is not None and found.change is not None else "",
        after=_short(found.change.after) if found is not None and found.change is not None else "",
        admin_tabs=own.tabs(ask),
        two=own.two_persons(ask),
        may_act=own.may(ask, "initiate"),
        past=found is not None and found.starts is not None and found.starts < ask.market.today,
    )


@router.post("/{system}/admin/law/{topic}/{parameter}", allow=ADMIN.with_right("initiate"))
def preview(ask: Asked, system: str, topic: str, parameter: str) -> Response:
    """What the new value would change. Nothing is changed by looking."""
    one, view = _parameter(ask, f"{topic}.{parameter}")
    form = _form(ask, one)
    if not form.check():
        return _shown(ask, view, form, 422)
    values = form.values
    if bool(values["value"]) == values["repeal"]:
        form.fault("value", ask._("Write the new value, or tick that it is repealed."))
        return _shown(ask, view, form, 422)
    try:
        value = None if values["repeal"] else value_of(values["value"], one)
    except ValueError as error:
        form.fault("value", str(error))
        return _shown(ask, view, form, 422)
    body = {"parameter": one.path, "from": values["from"].isoformat(), "value": value, "source": values["source"]} | (
        {"note": values["note"]} if values["note"] else {}
    )
    with ask.market.read() as state:
        found = effects(state, body, ask.market.today)
    if found.refused:
        form.fault("value", plain_reason(ask, found))
        return _shown(ask, view, form, 422)
    return _shown(ask, view, form, 200, found, body)


def plain_reason(ask: Ask, found: Effects) -> str:
    return found.reason or title(found.refused, ask._)


@router.post("/{system}/admin/law/{topic}/{parameter}/propose", allow=ADMIN.with_right("initiate"))
def propose(ask: Asked, system: str, topic: str, parameter: str) -> Response:
    """On to the review of two persons."""
    one, _view = _parameter(ask, f"{topic}.{parameter}")
    try:
        body = json.loads(str(ask.form.get("body", "")))
    except ValueError:
        body = None
    if not isinstance(body, dict) or body.get("parameter") != one.path:
        raise Problem(422, "malformed", ask._("What was reviewed did not arrive whole; begin again."))
    return act.review_or_propose(ask, "amend", body, back=ask.here(f"/admin/law/{topic}/{parameter}"), reason=str(body.get("note", "")))
