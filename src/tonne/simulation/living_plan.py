"""The plan of a living market: the years it has behind it, the day that is shown, who acts for whom. All of it follows from the law and a seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

from tonne.administration.agenda import day_of
from tonne.administration.asks import answer, asks, offers
from tonne.administration.permissions import ADMINISTRATOR
from tonne.administration.state import State
from tonne.dates import zone
from tonne.law import LawError, Rulebook, load, systems
from tonne.market.expiry import Calendar
from tonne.simulation.inputs import allocates_by_rule
from tonne.simulation.living_exchange import PARTS, Board, board_of
from tonne.simulation.living_history import VERIFIERS, verifier_of
from tonne.simulation.living_people import Society, society
from tonne.simulation.population import generate
from tonne.simulation.profile import profile_of
from tonne.simulation.run import published
from tonne.simulation.trading_floor import floor_of

SEED, TRADERS = 1, 8
#: Open days between the day that is shown and the report's deadline; others are tried until one has an auction by the law.
AHEAD = (12, 11, 13, 10, 14)
#: The emissions years that are looked at, back from the newest.
LOOKED_AT = 6
VENUE, BANK, AUCTIONEER = "venue", "settlement-bank", "auctioneer"
#: Tasks without which there is no year to show.
NEEDED = ("issue", "report", "surrender")


@dataclass(frozen=True, slots=True)
class Persona:
    """For whom somebody acts: the participant, its role in the market, its accounts (ids), and the installation it reports for, if any."""

    participant: str
    name: str
    role: str
    accounts: tuple[str, ...] = ()
    installation: str = ""


@dataclass(frozen=True)
class LivingPlan:
    """What a living market is, before anybody builds it.

    first_year      the emissions year that it has behind it; year: the one that is to be reported
    founded, day    the first day of its books, and the day on which it is shown; opens: the moment (UTC) from which it goes on
    reports_until, surrenders_until    deadlines of `year`
    people          persona -> for whom it acts: operator, verifier, trader, second_trader, administrator, auditor, auctioneer, venue, bank
    auctions        two auctions by the law, the one that is open and the next: their days
    """

    book: Rulebook
    seed: int
    two_persons: bool
    first_year: int
    year: int
    founded: date
    day: date
    opens: datetime
    reports_until: date
    surrenders_until: date
    society: Society
    board: Board
    auctions: tuple[date, date]
    people: Mapping[str, Persona]

    @property
    def system(self) -> str:
        return self.book.system.id

    @property
    def label(self) -> str:
        """That nobody in it is real, and what is the market's own; print it wherever the figures go."""
        return f"{self.society.inputs.synthetic} {self.board.note}".strip()

    @property
    def shown(self) -> Persona:
        """The operator that somebody acts for."""
        return self.people["operator"]

    @cached_property
    def traders(self) -> tuple[str, ...]:
        """Participants that trade; each has an account of its own name."""
        return tuple(f"trader-{number}" for number in range(1, TRADERS + 1))

    def verifier_of(self, installation: str) -> str:
        """Who signs an installation's report: of three, the persona's for the shown operator."""
        return verifier_of(installation, {self.shown.installation: self.people["verifier"].participant})

    def local(self, moment: datetime) -> datetime:
        """A moment on the market's clock."""
        return moment.astimezone(zone(self.board.floor.session.timezone))

    def is_trading(self, moment: datetime) -> bool:
        """Whether the exchange trades at a moment: on an open day, in its hours."""
        here = self.local(moment)
        minute = here.hour * 60 + here.minute
        return self.board.calendar.is_open(here.date()) and any(opens <= minute < closes for opens, closes in self.board.floor.session.spans)


def plan_of(book: Rulebook, seed: int = SEED, two_persons: bool = False) -> LivingPlan:
    """The plan of a system's living market. Raises ValueError where its law is not complete enough for one."""
    year = _year_of(book)
    desk = State(book, book.system.begins)
    until, surrenders = day_of(desk, "report", year), day_of(desk, "surrender", year)
    assert until is not None and surrenders is not None
    floor = floor_of(book, until.year)
    day, auctions = _shown_on(book, Calendar(floor.future.contract.holidays), until)
    code = replace(desk, today=day).allowance_code(year)
    board, people = board_of(floor, code, until.year), society(book, (year - 1, year), seed)
    opens = floor.session.time(day, floor.session.minute(floor.session.length // PARTS))
    return LivingPlan(
        book=book,
        seed=seed,
        two_persons=two_persons,
        first_year=year - 1,
        year=year,
        founded=max(book.system.begins, date(year - 2, 1, 1)),
        day=day,
        opens=datetime.fromisoformat("1970-01-01T00:00:00+00:00") + timedelta(microseconds=opens),
        reports_until=until,
        surrenders_until=surrenders,
        society=people,
        board=board,
        auctions=auctions,
        people=_people(people),
    )


def living_system() -> str:
    """The system that is shown when nobody names one: of those whose law is complete enough, the one whose last emissions were published for most
    years. Raises ValueError where there is none."""
    found = {name: len(published(load(name, answer), "verified_emissions", date.max.year)) for name in systems()}
    for name in sorted(found, key=lambda name: (-found[name], name)):
        try:
            _year_of(load(name, answer))
        except (ValueError, LawError):
            continue
        return name
    raise ValueError("no shipped rulebook is complete enough to show a living market")


def _people(people: Society) -> dict[str, Persona]:
    shown = people.shown
    installation = shown.installations[0]
    return {
        "operator": Persona(shown.participant, shown.name, "operator", (f"operator:{installation}",), installation),
        "verifier": Persona(VERIFIERS[0], "Clearwater Verification (SYNTHETIC)", "verifier"),
        "trader": Persona("trader-1", trader_name(1), "trader", trader_accounts(1)),
        "second_trader": Persona("trader-2", trader_name(2), "trader", trader_accounts(2)),
        "administrator": Persona(ADMINISTRATOR, "Administrator", "administrator"),
        "auditor": Persona(ADMINISTRATOR, "Administrator", "administrator"),
        "auctioneer": Persona(AUCTIONEER, "Auctioneer (SYNTHETIC)", "auctioneer"),
        "venue": Persona(VENUE, "Exchange (SYNTHETIC)", "venue"),
        "bank": Persona(BANK, "Settlement bank (SYNTHETIC)", "bank"),
    }


def trader_name(number: int) -> str:
    words = ("Anchor", "Beacon", "Compass", "Driftwood", "Evergreen", "Foxglove", "Gable", "Harbour")
    return f"{words[number - 1]} Trading (SYNTHETIC)"


def trader_accounts(number: int) -> tuple[str, ...]:
    """The trading account, and those of the clearing house for it."""
    return tuple(f"{kind}trader-{number}" for kind in ("", "position:", "collateral:", "default_fund:"))


def _year_of(book: Rulebook) -> int:
    """The last emissions year whose law is complete enough: the first without published emissions, or one before it."""
    if "auction_format" not in asks(book):
        raise ValueError(f"{book.system.id}: its rulebook does not say how bids are cleared, so its auctions cannot be shown")
    known = published(book, "verified_emissions", date.max.year) or published(book, "covered_emissions", date.max.year)
    if not known:
        raise ValueError(f"{book.system.id}: no emissions are published that a population could be scaled to")
    desk = State(book, book.system.begins)
    for year in range(max(known) + 1, max(known) + 1 - LOOKED_AT, -1):
        if _complete(book, desk, year):
            return year
    raise ValueError(
        f"{book.system.id}: no emissions year up to {max(known) + 1} stands alone and has all of issue, report, surrender and auctions in its law"
    )


def _complete(book: Rulebook, desk: Any, year: int) -> bool:
    """Whether a year and the one before can be played, and the year can be reported while the next one's auctions are held."""
    days = [day_of(desk, task, one) for one in (year - 1, year) for task in NEEDED]
    last = day_of(desk, "surrender", year - 1)
    if not all(days) or last is None:
        return False
    until, issued = day_of(desk, "report", year), day_of(desk, "issue", year + 1)
    assert until is not None
    law = book.at(until)
    ends = law.value("calendar.period_end") if law.has("calendar.period_end") else {}
    if any(ends.get(one, one) != one for one in (year - 1, year)):  # in a longer period a year's own units are not due by themselves
        return False
    if last >= until or issued is None or issued >= until:  # the year before is not over yet, or nothing of the next is auctioned
        return False
    try:
        _shown_on(book, Calendar(None), until)
        return all(_issues(book, desk, one) for one in (year - 1, year, year + 1)) and all(_allocates(book, desk, one) for one in (year - 1, year))
    except (LawError, ValueError, KeyError):
        return False


def _issues(book: Rulebook, desk: Any, year: int) -> bool:
    """Whether the law of the day of issue says how many units are issued. Raises what the law raises."""
    day = day_of(desk, "issue", year)
    return day is not None and (not offers(book.at(day), "cap") or answer(book.at(day), "cap", (year,)) is not None)


def _allocates(book: Rulebook, desk: Any, year: int) -> bool:
    """Whether the law of the day of allocation has what its own rule needs, or gives nothing."""

    day = day_of(desk, "allocate", year)
    if day is None:
        return True
    drawn = generate(size=60, seed=SEED, years=[year], totals={year: 10**7}, sectors=profile_of(book, year))
    return offers(book.at(day), "allocation") and allocates_by_rule(book, year, year, drawn.activity.frame)


def _shown_on(book: Rulebook, calendar: Calendar, until: date) -> tuple[date, tuple[date, date]]:
    """The day on which the market is shown, some open days before the reports are due, and the days of the auctions then open and next."""
    law = book.at(until)
    held = sorted(answer(law, "auction_dates", (until.year,))) if offers(law, "auction_dates") else []
    ends = calendar.on_or_before(until)
    days = [calendar.add(ends, -ahead) for ahead in AHEAD]
    day = next((one for one in days if one in held), days[0])
    coming = [one for one in held if one >= day]
    if len(coming) < 2:
        raise ValueError(f"{book.system.id}: no two auctions lie ahead of {day} by its law")
    return day, (coming[0], coming[1])
