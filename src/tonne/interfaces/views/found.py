"""Looking things up by the ids that pages carry: found, or not found with the nearest names."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from datetime import date
from typing import Any

from tonne.administration.commands import Command
from tonne.administration.permissions import LAW
from tonne.administration.state import State

#: Names looked at closely for one that was meant: comparing letter by letter is slow.
CLOSELY = 60


class NotFound(KeyError):
    """There is none. what: participant, installation, account, ...; name: as asked; near: up to five names that may be meant."""

    def __init__(self, what: str, name: str, near: Iterable[str] = ()) -> None:
        self.what, self.name, self.near = what, name, tuple(near)
        super().__init__(f"no {what} {name!r}")

    def __str__(self) -> str:
        return str(self.args[0])


def nearest(name: str, names: Iterable[str], most: int = 5) -> list[str]:
    """The names that may be meant, nearest first; one pass over the names and a close look at few of them."""
    asked = name.casefold()
    if not asked:
        return []
    known = list(names)
    inside = [one for one in known if asked in one.casefold() or one.casefold() in asked]
    begin = [one for one in known if one[:2].casefold() == asked[:2]] if len(known) > 4 * CLOSELY else known
    pool = {one.casefold(): one for one in [*inside[: 2 * CLOSELY], *begin[: 4 * CLOSELY]]}
    close = difflib.get_close_matches(asked, pool, n=most, cutoff=0.5)
    return list(dict.fromkeys([*(pool[one] for one in close), *inside]))[:most]


def installation_of(state: State, name: str) -> dict[str, Any]:
    """The register's row of an installation. Raises NotFound."""
    if name not in state.installations:
        raise NotFound("installation", name, nearest(name, state.installations.frame["installation"].to_list()))
    return state.installations.lookup(name)


def account_number(state: State, name: str, among: Iterable[str] | None = None) -> int:
    """The ledger number of an account id. Raises NotFound, with the nearest of `among` (the asker's own accounts; none, where left out)."""
    number = state.accounts.find(name)
    if number < 0:
        raise NotFound("account", name, nearest(name, among or ()))
    return number


def participant_name(state: State, name: str) -> str:
    """What a participant is called: as registered; whoever only holds accounts is called by the holder's name. Raises NotFound."""
    if name in state.participants:
        return state.participants[name].name
    if not state.accounts.of_holder(name):
        raise NotFound("participant", name, nearest(name, dict.fromkeys([*state.participants, *state.accounts.holders])))
    return name


def holder_name(state: State, holder: str) -> str:
    return state.participants[holder].name if holder in state.participants else holder


def asking(day: date, by: str = LAW, verb: str = "view", **body: Any) -> Command:
    """A command that is never sent: what handlers are asked with, so that a view says what they would say."""
    return Command(f"view:{verb}", verb, by, day, body)


def sequence_of(transfer: int) -> int | None:
    """The log entry that made a transfer; None for one that brought its id from another registry."""
    from tonne.administration.decision import IMPORTED_IDS, ROWS_PER_COMMAND

    return None if transfer >= IMPORTED_IDS else transfer // ROWS_PER_COMMAND
