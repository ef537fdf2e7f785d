"""Which years make a whole compliance period."""

from __future__ import annotations

from datetime import date

from tonne.administration.agenda import day_of
from tonne.administration.asks import answer, asks
from tonne.administration.state import State
from tonne.law import LawError, Rulebook, scenarios


def whole_period(book: Rulebook, today: date) -> tuple[int, int]:
    """First and last emissions year of the last compliance period that is over by a day; of the first one that is to come, where none is over yet.

    A period is over on its surrender deadline. Periods for which the law cannot name the cap are passed over. Raises ValueError where the law knows
    no deadline at all.
    """
    state = State(book, book.system.begins)
    first_year = book.system.begins.year
    ended: tuple[int, int] | None = None
    for year in range(first_year, max(today.year, first_year) + 12):
        end = _period_end(book, year)
        if year != end:
            continue
        due = day_of(state, "surrender", end)
        period = (min(y for y in range(max(first_year, end - 12), end + 1) if _period_end(book, y) == end), end)
        if due is None or not _has_caps(book, period):
            continue
        if due > today:
            return ended or period
        ended = period
    if ended is None:
        others = "" if book.scenario or not scenarios(book) else f"; --scenario {', '.join(scenarios(book))} may have what is lacking"
        raise ValueError(f"the law of {book.system.id} has no surrender deadline to run to; it lacks calendar.agenda, or what its rules need{others}")
    return ended


def _period_end(book: Rulebook, year: int) -> int:
    """By the law of the year itself."""
    law = book.at(max(date(year, 12, 31), book.system.begins))
    ends = law.value("calendar.period_end") if law.has("calendar.period_end") else {}
    return int(ends.get(year) or year)


def _has_caps(book: Rulebook, period: tuple[int, int]) -> bool:
    for year in range(period[0], period[1] + 1):
        law = book.at(max(date(year, 12, 31), book.system.begins))
        try:
            if "cap" in asks(book):
                answer(law, "cap", (year,))  # None: the year's total is not known ahead, and units come into being at allocation
        except (LawError, ValueError, KeyError):  # the law tables none for that year
            return False
    return True
