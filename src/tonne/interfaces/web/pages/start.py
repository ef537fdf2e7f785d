"""The first page: what this server runs, how to come in, what was published last; and the search over everything public."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi.responses import Response

from tonne.administration.state import State
from tonne.interfaces.views import agenda_view, market_view
from tonne.interfaces.web import law_words as lw
from tonne.interfaces.web import shelf
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.guard import PUBLIC, pages
from tonne.interfaces.web.pages.common import cache_of
from tonne.interfaces.web.place import Hall
from tonne.interfaces.web.words import named

router = pages()
NOTICES_SHOWN = 8
#: Of one kind; else daily auctions would push everything else out.
EACH = 2


@dataclass(frozen=True, slots=True)
class Running:
    """A market on the first page. price: of the first thing listed for immediate delivery."""

    system: str
    names: Any
    status: str
    cap: tuple[int, int] | None
    unit: str
    measure: str
    price: Any
    change: Any
    currency: str
    settled_on: date | None
    phase: str
    deadline: Any
    notices: tuple[dict[str, Any], ...]


def _running(hall: Hall, day: date) -> Running:
    def made(state: State) -> Running:
        from tonne.interfaces.overview import overview

        system = state.rulebook.system
        traded = next(iter(market_view.instruments(state)), None)
        deadline = agenda_view.next_deadlines(state, day, most=1, cache=cache_of(hall))
        seen = overview(state.rulebook, day)
        return Running(
            system.id,
            system.name,
            system.status,
            seen.cap,
            system.unit_code,
            system.measure,
            (traded.last or traded.settlement) if traded else None,
            traded.change if traded else None,
            traded.currency if traded else system.currency,
            traded.settled_on if traded else None,
            traded.phase if traded else "",
            deadline[0] if deadline else None,
            latest_notices(state),
        )

    found: Running = hall.cached(("start", day), made)
    return found


def latest_notices(state: State, most: int = NOTICES_SHOWN) -> tuple[dict[str, Any], ...]:
    """What was published last, newest first: what, year, day, quantity, price, with the system."""
    rows: list[dict[str, Any]] = []
    counts: Counter[str] = Counter()
    for one in reversed(state.notices[-2_000:]):
        if one["what"] not in lw.QUIET_NOTICES and one.get("day") and counts[one["what"]] < EACH:
            counts[one["what"]] += 1
            rows.append(one)
    return tuple(
        {"system": state.rulebook.system.id, "currency": state.rulebook.system.currency, "quantity": None, "price": None, "year": None, **one}
        for one in rows[:most]
    )


@router.get("/", allow=PUBLIC)
def start(ask: Asked) -> Response:
    """What this place runs, with a way in for everybody."""
    markets = [_running(hall, hall.today) for _, hall in sorted(ask.place.halls.items())]
    notices = sorted((one for market in markets for one in market.notices), key=lambda one: str(one["day"]), reverse=True)[:NOTICES_SHOWN]
    lines = shelf.lines(ask.place.clock.now().date())
    counts = [(code, ask._(words), sum(one.book.system.status == code for one in lines)) for code, (words, *_rest) in lw.STATUSES.items()]
    soon = sorted((one for one in lines if one.next is not None), key=lambda one: (one.next.day, one.id))[:5]  # type: ignore[union-attr]
    personas = ask.place.demo.logins if ask.place.demo is not None and not ask.visitor.signed_in else ()
    return ask.page(
        "start.html",
        markets=markets,
        notices=[(one, lw.said(lw.NOTICES, one["what"], ask._), _name(markets, one["system"], ask)) for one in notices],
        personas=personas,
        counts=[one for one in counts if one[2]],
        systems=len(lines),
        soon=[(one, lw.said(lw.TASKS, one.next.name, ask._)) for one in soon if one.next is not None],
        task_words={code: ask._(words) for code, words in lw.TASKS.items()},
        measure_words={code: ask._(words) for code, words in lw.MEASURES.items()},
    )


def _name(markets: list[Running], system: str, ask: Ask) -> str:
    return next((named(market.names, ask.language) for market in markets if market.system == system), system)
