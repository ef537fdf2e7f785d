"""The rulebooks that ship, and what they say of each system on a day: read once, worked out once a day, the same for every reader."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any

from tonne.administration.agenda import Task, tasks
from tonne.administration.state import State
from tonne.interfaces import overview as overviews
from tonne.interfaces.web.law_words import DEADLINES
from tonne.interfaces.web.problems import not_found
from tonne.law import Rulebook

#: Years before and after today whose tasks are looked at.
AROUND = 2


@cache
def books() -> Mapping[str, Rulebook]:
    """Every rulebook that ships, by id."""
    from tonne.interfaces.api import rulebook, systems

    return {name: rulebook(name) for name in systems()}


def book_of(ask: Any, system: str) -> Rulebook:
    """The rulebook of an address: of the market that is open here, as amended; else the one that ships. Raises Problem 404 with near names."""
    if ask.hall is not None:
        book: Rulebook = ask.hall.desk.administration.state.rulebook
        return book
    found = books().get(system)
    if found is None:
        raise not_found(system, near(system, {*books(), *ask.place.halls}))
    return found


def near(word: str, known: Iterable[str], most: int = 3) -> list[str]:
    """Names that may be meant."""
    names = sorted(known)
    alike = difflib.get_close_matches(word.lower(), names, most, 0.6)
    return [*alike, *(name for name in names if len(word) > 2 and word.lower() in name.lower() and name not in alike)][:most]


@dataclass(frozen=True, slots=True)
class Line:
    """One system in the table of all. Shares are per cent; `price` is money per unit of `price_unit`, of the year (or lot) `price_of`.

    usd: dollars per tonne as a published list has them. free: per cent of the cap that is not sold. chapters: of overview.CHAPTERS, how many it has.
    """

    book: Rulebook
    overview: overviews.Overview
    price: Decimal | int | None
    price_of: Any
    price_unit: str
    usd: Decimal | int | None
    free: Decimal | int | None
    next: Task | None

    @property
    def id(self) -> str:
        return self.book.system.id


@lru_cache(maxsize=4)
def lines(day: date) -> tuple[Line, ...]:
    """All systems that ship, by id."""
    return tuple(_line(book, day) for book in books().values())


@lru_cache(maxsize=128)
def line(system: str, day: date) -> Line:
    """One of them. Raises KeyError."""
    return _line(books()[system], day)


def _line(book: Rulebook, day: date) -> Line:
    from tonne.reports.worlddata import statistics

    one = overviews.overview(book, day)
    of, price, unit = _price(book, day) or (None, None, "")
    usd = statistics()["price_usd"].of(book.system.id)
    sold = one.auction_share
    return Line(
        book,
        one,
        price,
        of,
        unit,
        usd.value if usd is not None else None,
        None if sold is None else 100 - sold,
        next_deadline(book, day),  # type: ignore[arg-type]
    )


def _price(book: Rulebook, day: date) -> tuple[Any, Decimal | int, str] | None:
    """(year or number of the auction, price, unit) of the newest published price that is not of a year to come."""
    for name in ("mean_price", "price", "auction_price"):
        parameter = book.parameters.get(f"statistics.{name}")
        if parameter is None or "_per_" not in parameter.unit or not parameter.visible(date.max):
            continue
        content = parameter.at(date.max)
        if not isinstance(content, Mapping):
            continue
        rows = {
            key: value
            for key, value in content.items()
            if isinstance(value, (int, Decimal)) and not isinstance(value, bool) and not (isinstance(key, int) and key > day.year)
        }
        if rows:
            key = max(rows, key=lambda k: (isinstance(k, int), str(k).zfill(8)))
            return key, rows[key], parameter.unit
    return None


# -- the calendar of a law without a market


def bare_state(book: Rulebook, day: date) -> State | None:
    """A state with nothing in it but the law, for what only asks the law; None where there is no law yet."""
    return State(book, max(day, book.system.begins)) if book.system.has_law else None


@lru_cache(maxsize=512)
def _tasks(book_id: int, system: str, first: int, last: int) -> tuple[Task, ...]:
    book = _BOOKS[book_id]
    state = bare_state(book, date(first, 1, 1))
    return () if state is None else tuple(tasks(state, first, last))


#: Rulebooks by identity, so that what is worked out of one is kept as long as it is the same one.
_BOOKS: dict[int, Rulebook] = {}


def tasks_of(book: Rulebook, first: int, last: int) -> tuple[Task, ...]:
    """What the calendar orders for the emissions years first to last, by day."""
    _BOOKS[id(book)] = book
    return _tasks(id(book), book.system.id, first, last)


def next_deadline(book: Rulebook, day: date) -> Task | None:
    """The next day by which somebody has to have reported, verified or surrendered."""
    found = tasks_of(book, day.year - AROUND, day.year + 1)
    return next((task for task in found if task.day >= day and task.name in DEADLINES), None)


# -- figures by year


@lru_cache(maxsize=256)
def _caps(book_id: int) -> Mapping[int, int]:
    from tonne.interfaces.systempage import caps_of

    return caps_of(_BOOKS[book_id])


def caps(book: Rulebook) -> Mapping[int, int]:
    """Year -> units, wherever the law as it stands now names a cap."""
    _BOOKS[id(book)] = book
    return _caps(id(book))


@lru_cache(maxsize=256)
def _prices(book_id: int) -> Mapping[str, Mapping[int, float]]:
    from tonne.interfaces.systempage import prices_of

    return prices_of(overviews.proposed(_BOOKS[book_id]))


def prices(book: Rulebook) -> Mapping[str, Mapping[int, float]]:
    """Label -> year -> money per unit: what the law names, and the market's mean."""
    _BOOKS[id(book)] = book
    return _prices(id(book))


def warm(day: date) -> None:
    """Read and work out beforehand what the first readers would wait for."""
    lines(day)
