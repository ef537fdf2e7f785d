"""What the law of each system says: on a day, as known on a day, a figure through time, questions to its rules, systems beside each other."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any

import polars as pl
from fastapi import Query, Response
from pydantic import Field, JsonValue

from tonne.administration.asks import UnknownAsk, answer, path_of
from tonne.administration.asks import asks as all_asks
from tonne.administration.cases import plain as plain_answer
from tonne.interfaces.overview import facts, proposed
from tonne.interfaces.views import law_view, system
from tonne.interfaces.views.found import NotFound, nearest
from tonne.interfaces.views.plain import plain
from tonne.interfaces.web.api.reading import Given, Paged, Read, Text, as_json, gives, kept, lists, page_of
from tonne.interfaces.web.api.shared import Body, Word, routes
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.guard import PUBLIC
from tonne.interfaces.web.problems import Problem, not_found
from tonne.law import LawError, Rulebook
from tonne.law import systems as shipped

router = routes("", "law")
SYSTEMS = dict.fromkeys(("id", "name", "status", "design", "unit", "unit_code", "measure", "currency", "jurisdiction", "level"), pl.String) | {
    "begins": pl.Date,
    "market": pl.Boolean,
}
INPUTS_MOST, TEXT_MOST = 30, 20_000


@lru_cache(maxsize=64)
def _shipped(name: str) -> Rulebook:
    from tonne.interfaces.api import rulebook

    return rulebook(name)


def book_of(ask: Ask, name: str) -> Rulebook:
    """The rulebook of a system: of a market here with what was amended. Raises Problem 404 with the nearest names."""
    hall = ask.place.halls.get(name)
    if hall is not None:
        with hall.read() as state:
            return state.rulebook
    if name not in shipped():
        raise not_found(name, nearest(name, [*shipped(), *ask.place.halls]))
    return _shipped(name)


def names(ask: Ask) -> list[str]:
    return list(dict.fromkeys([*ask.place.halls, *shipped()]))


class OnDay(Given):
    """A day of law."""

    on: date | None = Field(None, description="the day on which the law is asked; today where left out")
    known_on: date | None = Field(None, description="as far as it had been published by this day")


def _day(ask: Ask, name: str, given: OnDay) -> date:
    hall = ask.place.halls.get(name)
    return given.on or (hall.today if hall is not None else ask.place.clock.now().date())


def _lawful(make: Any) -> Any:
    try:
        return make()
    except NotFound as missing:
        raise not_found(str(missing), missing.near) from None
    except (LawError, ValueError) as error:
        raise Problem(409, "not_in_force", str(error)) from None


@router.get("/systems", allow=PUBLIC, **lists(SYSTEMS))
def systems(ask: Read, given: Paged) -> Response:
    """Every system whose law is known here; `market`: this server runs a market of it."""
    rows = [{**facts(book_of(ask, name)), "market": name in ask.place.halls} for name in names(ask)]
    frame = pl.DataFrame([{name: row[name] for name in SYSTEMS} for row in rows], schema=SYSTEMS)
    return page_of(ask, "systems", frame, given)


@router.get("/systems/{name}", allow=PUBLIC, **gives(system.SystemView))
def one_system(ask: Read, name: Word) -> Response:
    """One system: who it is, its five figures, its years. From the market's books where one runs here, else from published statistics."""
    hall = ask.place.halls.get(name)
    if hall is None:
        return as_json(system.of_rulebook(book_of(ask, name), ask.place.clock.now().date()))
    cache = kept(hall)
    with hall.read() as state:
        return as_json(system.of_market(state, hall.today, cache=cache))


class LawQuery(OnDay):
    topic: Text | None = Field(None, description="only this topic")


@router.get("/systems/{name}/law", allow=PUBLIC, **gives(law_view.LawView))
def law(ask: Read, name: Word, given: Annotated[LawQuery, Query()]) -> Response:
    """The law on a day, as known on a day: topics, their rules, every figure with its source."""
    book = book_of(ask, name)
    return as_json(_lawful(lambda: law_view.law_view(book, _day(ask, name, given), known_on=given.known_on, topic=given.topic or "")))


class BetweenQuery(Given):
    first: date
    second: date
    known_first: date | None = None
    known_second: date | None = None


@router.get("/systems/{name}/law/changes", allow=PUBLIC, **gives(tuple[law_view.Change, ...]))
def changes(ask: Read, name: Word, given: Annotated[BetweenQuery, Query()]) -> Response:
    """What differs between the law of two days, figure by figure."""
    book = book_of(ask, name)
    known = {"known_first": given.known_first, "known_second": given.known_second}
    return as_json(_lawful(lambda: law_view.differences(book, given.first, given.second, **known)))


@router.get("/systems/{name}/law/{path}", allow=PUBLIC, **gives(law_view.ParameterView))
def parameter(ask: Read, name: Word, path: Word, given: Annotated[OnDay, Query()]) -> Response:
    """One figure of the law (topic.name) with all its history and sources."""
    book = book_of(ask, name)
    return as_json(_lawful(lambda: law_view.parameter(book, path, _day(ask, name, given), known_on=given.known_on)))


class AskBody(Body):
    """A question to a rule of the law: one of `GET /systems/{name}/asks`."""

    question: Word = Field(examples=["cap"])
    given: dict[Word, JsonValue] = Field(
        default_factory=dict, max_length=INPUTS_MOST, description="inputs by name; decimals as text", examples=[{"year": 2025}]
    )
    on: date | None = None
    known_on: date | None = None


ASKS = {"type": "object", "properties": {"system": {"type": "string"}, "asks": {"type": "array", "items": {"type": "object"}}}}


@router.get("/systems/{name}/asks", allow=PUBLIC, **gives(dict[str, Any]))
def asks(ask: Read, name: Word) -> Response:
    """What may be asked of a system's law: inputs with their units, the answer's unit, the mechanism and topic it comes from."""
    found = [
        {
            "ask": one,
            "given": dict(rule.given),
            "required": list(rule.required),
            "unit": rule.unit,
            "mechanism": rule.mechanism,
            "topic": topic,
            "summary": rule.summary,
        }
        for one, (rule, topic) in all_asks(book_of(ask, name)).items()
    ]
    return as_json({"system": name, "asks": found})


@router.post("/systems/{name}/ask", allow=PUBLIC, **gives(dict[str, Any]))
def question(ask: Read, name: Word, body: AskBody) -> Response:
    """Ask the law one question, and see which of its figures the answer stands on. Changes nothing."""
    book = book_of(ask, name)
    inputs = {key: _exact(value) for key, value in body.given.items()}
    rule, topic = all_asks(book).get(body.question, (None, ""))
    try:
        found = law_view.law_on(book, _day(ask, name, OnDay(on=body.on)), body.known_on)
        result = plain_answer(answer(found, body.question, (), inputs))
    except UnknownAsk as error:
        raise Problem(404 if rule is None else 422, "not_found" if rule is None else "malformed", str(error)) from None
    except (LawError, KeyError, TypeError, ValueError, ArithmeticError, AttributeError, IndexError) as error:
        # Rules are written for inputs of the right kind: what else breaks them is the asker's, and is told, not a fault of the server.
        raise Problem(
            422,
            "malformed",
            f"{body.question} cannot be answered with what was given: {str(error).splitlines()[0] if str(error) else type(error).__name__}"[:1_000],
        ) from None
    assert rule is not None
    read = [plain(law_view.parameter(book, path, found.day)) for path in (path_of(one, topic) for one in rule.parameters) if path in book.parameters]
    return as_json(
        {
            "system": name,
            "on": found.day,
            "ask": body.question,
            "given": plain(inputs),
            "answer": plain(result),
            "unit": rule.unit,
            "parameters": read,
        }
    )


def _exact(value: Any) -> Any:
    """JSON's numbers with a point are read as text would be: exactly as they were written is not known any more, so they are refused."""
    if isinstance(value, float):
        raise Problem(422, "malformed", f'write decimals as text, "{value}", so that they stay exact')
    if isinstance(value, list):
        return [_exact(one) for one in value[:10_000]]
    if isinstance(value, str) and len(value) < 40 and value[:1].isascii() and (value[:1].isdigit() or value[:1] in "-."):
        try:
            number = Decimal(value)
        except ArithmeticError:
            return value
        return number if number.is_finite() else value
    return value


class CompareQuery(Given):
    s: Annotated[str, Field(min_length=1, max_length=500)] = Field(description="systems, with commas between them", examples=["first,second"])
    topic: Text | None = None
    on: date | None = None


@router.get("/compare", allow=PUBLIC, **gives(dict[str, Any]))
def compare(ask: Read, given: Annotated[CompareQuery, Query()]) -> Response:
    """Two systems or more side by side: who they are, the figures that two or more have, the questions they answer."""
    chosen = list(dict.fromkeys(given.s.split(",")))
    if not 2 <= len(chosen) <= 10:
        raise Problem(422, "malformed", "s names 2 to 10 systems, with commas between them")
    books = [proposed(book_of(ask, name)) for name in chosen]
    topics = {path.partition(".")[0] for book in books for path in book.parameters}
    if given.topic and given.topic not in topics:
        raise not_found(given.topic, nearest(given.topic, topics))
    paths = dict.fromkeys(path for book in books for path in book.parameters if not given.topic or path.startswith(f"{given.topic}."))
    wanted = [path for path in sorted(paths) if given.topic or sum(path in book.parameters for book in books) >= 2]
    days = {name: given.on or ask.place.clock.now().date() for name in chosen}

    def value(name: str, book: Rulebook, path: str) -> Any:
        return _lawful(lambda: law_view.parameter(book, path, days[name])) if path in book.parameters else None

    pairs = list(zip(chosen, books, strict=True))
    return as_json(
        {
            "systems": [facts(book) for book in books],
            "on": days,
            "parameters": {path: {name: value(name, book, path) for name, book in pairs} for path in wanted},
            "asks": {name: sorted(all_asks(book)) for name, book in pairs},
        }
    )
