"""What everybody may know of a market: its figures, who takes part and complied, what moved (after the law's delay), its calendar and notices."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any

import polars as pl
from fastapi import Query, Response
from pydantic import Field

from tonne.interfaces.views import agenda_view, compliance, participants, search, transactions
from tonne.interfaces.views import system as system_view
from tonne.interfaces.views.plain import plain
from tonne.interfaces.web.api.reading import (
    Days,
    Given,
    Paged,
    Paging,
    Read,
    Text,
    YearOf,
    between,
    gives,
    holding,
    lists,
    page_of,
    same,
    seen,
    shown,
)
from tonne.interfaces.web.api.shared import COMMON, Word, routes
from tonne.interfaces.web.guard import PUBLIC
from tonne.interfaces.web.problems import Problem

router = routes("/{system}", "public")
PARTICIPANTS = dict.fromkeys(("participant", "name", "role", "country"), pl.String) | {"installations": pl.Int64}
TASKS = {"task": pl.String, "year": pl.Int64, "day": pl.Date, "name": pl.String, "state": pl.String, "done_on": pl.Date}
TASKS |= {"days_left": pl.Int64, "working_days_left": pl.Int64, "deadline": pl.Boolean}
NOTICES = {"number": pl.Int64, "what": pl.String, "year": pl.Int64, "day": pl.Date, "notice": pl.String}
HEADS = {"day": pl.Date, "sequence": pl.Int64, "hash": pl.String}
HEADS_MOST = 10_000
#: Notices whose publication the law itself delays: a year's compliance is read where its own rules apply.
QUIET = frozenset({"first_year"})


@router.get("/figures", allow=PUBLIC, **gives(system_view.SystemView))
def figures(ask: Read, system: Word) -> Response:
    """The market at a glance: cap, verified, allocated, auctioned, in circulation, and its years."""
    return shown(ask, lambda state, cache: system_view.of_market(state, ask.market.today, cache=cache))


class ParticipantsQuery(Paging):
    role: Text | None = None
    country: Text | None = None
    q: Text | None = Field(None, description="part of the id or name")


@router.get("/participants", allow=PUBLIC, **lists(PARTICIPANTS))
def all_participants(ask: Read, system: Word, given: Annotated[ParticipantsQuery, Query()]) -> Response:
    """Everybody registered, and every holder of an installation's account. Nothing about persons."""
    frame = seen(ask, lambda state, cache: participants.participants(state, cache=cache))
    return page_of(ask, "participants", frame, given, [*same(given, "role", "country"), *holding(given.q, "participant", "name")])


@router.get("/participants/{participant}", allow=PUBLIC, **gives(participants.Participant))
def one_participant(ask: Read, system: Word, participant: Word) -> Response:
    """One participant with its installations and years; without what nobody may see yet."""
    return shown(ask, lambda state, cache: participants.participant(state, participant, public=True, cache=cache))


class InstallationsQuery(Paging):
    operator: Text | None = None
    sector: Text | None = None
    country: Text | None = None
    status: Text | None = None
    q: Text | None = Field(None, description="part of the id, name or permit")


@router.get("/installations", allow=PUBLIC, **lists(participants.REGISTER))
def installations(ask: Read, system: Word, given: Annotated[InstallationsQuery, Query()]) -> Response:
    """The public register of installations."""
    frame = seen(ask, lambda state, cache: participants.register(state, cache))
    filters = [*same(given, "operator", "sector", "country", "status"), *holding(given.q, "installation", "name", "permit")]
    return page_of(ask, "installations", frame, given, filters)


class YearsQuery(Paging):
    installation: Text | None = None
    year: YearOf | None = None  # type: ignore[valid-type]


@router.get("/years", allow=PUBLIC, **lists(participants.YEARS))
def years(ask: Read, system: Word, given: Annotated[YearsQuery, Query()]) -> Response:
    """Every installation and year: allocated, verified, surrendered, how it was judged. Emissions from the day on which compliance is public."""
    frame = seen(ask, lambda state, cache: participants.public_years(state, cache))
    return page_of(ask, "years", frame, given, same(given, "installation", "year"))


class ComplianceQuery(Paging):
    letter: Text | None = None
    sector: Text | None = None
    operator: Text | None = None


@router.get("/compliance/{year}", allow=PUBLIC, **lists(compliance.COMPLIANCE))
def complied(ask: Read, system: Word, year: YearOf, given: Annotated[ComplianceQuery, Query()]) -> Response:  # type: ignore[valid-type]
    """Who complied for a year, late and short first; nothing before the day from which it is public."""
    found = seen(ask, lambda state, cache: compliance.compliance(state, year, cache=cache))
    if found.published is None:
        raise Problem(404, "not_found", f"compliance for {year} is not public yet")
    return page_of(ask, f"compliance-{year}", found.rows, given, same(given, "letter", "sector", "operator"))


class TransactionsQuery(Days):
    account: Text | None = None
    kind: Text | None = None
    unit: Text | None = None


@router.get("/transactions", allow=PUBLIC, **lists(transactions.TRANSACTIONS))
def moved(ask: Read, system: Word, given: Annotated[TransactionsQuery, Query()]) -> Response:
    """Completed transfers of units one by one, up to the last day that is public by the law's delay."""
    chosen = {name: getattr(given, name) for name in ("account", "kind", "unit", "first", "last")}
    years = ask.place.settings.publication_delay_years
    frame = seen(ask, lambda state, cache: transactions.transactions(state, ask.market.today, otherwise_years=years, cache=cache, **chosen))
    return page_of(ask, "transactions", frame, given)


@router.get("/transactions/delay", allow=PUBLIC, **gives(transactions.Delay))
def delay(ask: Read, system: Word) -> Response:
    """Until which day transactions are public, and why."""
    return shown(ask, lambda state, cache: transactions.delay(state, ask.market.today, ask.place.settings.publication_delay_years))


@router.get("/transactions/months", allow=PUBLIC, **lists(transactions.MONTHS))
def months(ask: Read, system: Word, given: Paged) -> Response:
    """Sums of whole months, also inside the delay; a sum behind which one or two participants stand is hidden."""
    frame = seen(ask, lambda state, cache: transactions.months(state, ask.market.today, cache=cache))
    return page_of(ask, "transactions-months", frame, given)


class CalendarQuery(Days):
    state: Text | None = Field(None, description="done, due or coming")


@router.get("/calendar", allow=PUBLIC, **lists(TASKS))
def calendar(ask: Read, system: Word, given: Annotated[CalendarQuery, Query()]) -> Response:
    """What the law does and when, from two years back to two years ahead where no days are given."""
    rows = seen(ask, lambda state, cache: agenda_view.calendar(state, ask.market.today, first=given.first, last=given.last, cache=cache))
    return page_of(ask, "calendar", frame_of_tasks(rows), given, same(given, "state"))


def frame_of_tasks(rows: Any) -> pl.DataFrame:
    return pl.DataFrame([[getattr(row, name) for name in TASKS] for row in rows], schema=TASKS, orient="row")


ICS = {200: {"description": "found", "content": {"text/calendar": {"schema": {"type": "string"}}}}}


@router.get("/calendar.ics", allow=PUBLIC, responses={**COMMON, **ICS}, response_class=Response)
def icalendar(ask: Read, system: Word) -> Response:
    """The same for a calendar program."""
    rows = seen(ask, lambda state, cache: agenda_view.calendar(state, ask.market.today, cache=cache))
    text = agenda_view.icalendar(rows, ask.market.system, datetime.now(UTC), name=ask.market.system)
    return ask.attachment(text.encode(), f"{ask.market.system}.ics", "text/calendar; charset=utf-8")


class NoticesQuery(Days):
    what: Text | None = None
    year: YearOf | None = None  # type: ignore[valid-type]


@router.get("/notices", allow=PUBLIC, **lists(NOTICES))
def notices(ask: Read, system: Word, given: Annotated[NoticesQuery, Query()]) -> Response:
    """What was published, newest first: numbers of the year, results of auctions, changes of the law."""
    with ask.market.read() as state:
        found = list(enumerate(state.notices, 1))
    rows = [
        {"number": number, "what": one["what"], "year": one.get("year"), "day": date.fromisoformat(one["day"]), "notice": ask_text(one)}
        for number, one in reversed(found)
        if one["what"] not in QUIET
    ]
    frame = pl.DataFrame(rows, schema=NOTICES)
    return page_of(ask, "notices", frame, given, [*same(given, "what", "year"), *between(given)])


def ask_text(notice: Any) -> str:
    """A notice's own figures as JSON text: each kind has its own."""
    from tonne.interfaces.web.ask import json_text

    return json_text({name: plain(value) for name, value in notice.items() if name not in ("what", "year", "day")})


@router.get("/log/heads", allow=PUBLIC, **lists(HEADS))
def heads(ask: Read, system: Word, given: Annotated[Days, Query()]) -> Response:
    """The last entry of each closed day of the log and its hash: whoever keeps them can prove later that nothing before was changed."""
    closed = [one for one in ask.market.desk.log.daily_heads(HEADS_MOST) if one.day < ask.market.today]
    rows = [(one.day, one.sequence, one.hash.hex()) for one in closed]
    return page_of(ask, "log-heads", pl.DataFrame(rows, schema=HEADS, orient="row"), given, between(given))


class SearchQuery(Given):
    q: Annotated[str, Field(max_length=200)] = Field(description="what is looked for")


@router.get("/search", allow=PUBLIC, **gives(search.Hits))
def find(ask: Read, system: Word, given: Annotated[SearchQuery, Query()]) -> Response:
    """Participants, installations, public accounts and law of this market by name, permit or number."""
    return shown(ask, lambda state, cache: search.search(given.q, ask.market.today, state=state, cache=cache))
