"""Who logs in and how they prove it: persons, memberships, passwords, factors, sessions, keys, the trail of who saw and did what.

Personal data lives here and never in the log of a market, which holds person ids only. Nothing here knows HTTP, a clock or a page:
the time comes in as `now` (aware, UTC), and what is refused is PeopleRefused with a name from errors.REFUSALS.
"""

from tonne.people.errors import REFUSALS, PeopleRefused, PeopleUnavailable
from tonne.people.limits import Limits, Rate
from tonne.people.people import People, open_people
from tonne.people.settings import PeopleSettings
from tonne.people.who import COMMAND, Key, Membership, Person, Session, Who

__all__ = [
    "COMMAND",
    "REFUSALS",
    "Key",
    "Limits",
    "Membership",
    "People",
    "PeopleRefused",
    "PeopleSettings",
    "PeopleUnavailable",
    "Person",
    "Rate",
    "Session",
    "Who",
    "open_people",
]
