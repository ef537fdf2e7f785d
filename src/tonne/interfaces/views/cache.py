"""What is worked out once: values that hold as long as what they were made from is the same, and the books' transfers by account."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from datetime import date
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from tonne.administration.state import State
from tonne.ledger import Books, TransferFlag

T = TypeVar("T")
#: Accounts of people; units that leave or reach any other have been acted upon by the law.
PEOPLES = frozenset({"operator", "trading", "remainder"})
_PLAIN = (int, str, date, tuple, type(None))


class Cache:
    """Kept values of one market, by name. Safe to use from several threads; the caller keeps one a market, `most` values at a time."""

    def __init__(self, most: int = 512) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, tuple[tuple[Any, ...], Any]] = OrderedDict()
        self._lock = threading.Lock()
        self._moves: Moves | None = None

    def get(self, name: Hashable, depends: tuple[Any, ...], make: Callable[[], T]) -> T:
        """The value of a name, made anew when anything it depends on has changed: whole numbers, texts and days by value, the rest by identity."""
        with self._lock:
            found = self._kept.get(name)
            if found is not None and _same(found[0], depends):
                self._kept.move_to_end(name)
                return found[1]  # type: ignore[no-any-return]
        value = make()
        with self._lock:
            self._kept[name] = (depends, value)
            self._kept.move_to_end(name)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return value

    def moves(self, state: State) -> Moves:
        """The transfers of the state's books by account, up to date."""
        with self._lock:
            if self._moves is None or self._moves.books is not state.books:
                self._moves = Moves(state.books)
            self._moves.catch_up(state)
            return self._moves


def _same(old: tuple[Any, ...], new: tuple[Any, ...]) -> bool:
    return len(old) == len(new) and all(a is b or (type(a) is type(b) and isinstance(a, _PLAIN) and a == b) for a, b in zip(old, new, strict=True))


class Moves:
    """Rows of `books.transfers` that moved units, by account. Rows that were looked at once are not looked at again.

    acts     how many of them took units from, or gave units to, an account that is nobody's own: issued, allocated, sold by the public, surrendered,
             cancelled. Figures of the whole system change only with them, and not with what people trade.
    ordered  whether the days of the books rise: an import may bring older ones
    """

    def __init__(self, books: Books) -> None:
        self.books = books
        self.acts = 0
        self.ordered = True
        self._seen = 0
        self._own = np.zeros(0, dtype=bool)
        self._parts: list[tuple[NDArray[np.int32], NDArray[np.int32]]] = []  # accounts, sorted, and row numbers; longest first

    def catch_up(self, state: State) -> None:
        """Take in what is new. Parts are merged so that there are never many: each row is sorted a few times in its life."""
        rows = self.books.transfers[self._seen :]
        if not len(rows):
            return
        days = self.books.transfers["day"][max(self._seen - 1, 0) :]
        self.ordered = self.ordered and bool((days[1:] >= days[:-1]).all())
        kinds = state.accounts.kinds
        if len(kinds) > len(self._own):
            self._own = np.concatenate([self._own, np.array([kind in PEOPLES for kind in kinds[len(self._own) :]], dtype=bool)])
        places = np.flatnonzero(rows["flags"] & (TransferFlag.PENDING | TransferFlag.VOID) == 0)
        moved = rows[places]
        lots = np.array([unit.kind in ("allowance", "credit", "payment") for unit in self.books.unit_types], dtype=bool)
        self.acts += int((lots[moved["unit"]] & ~(self._own[moved["from_account"]] & self._own[moved["to_account"]])).sum())
        numbers = np.repeat((places + self._seen).astype(np.int32), 2)
        accounts = np.stack([moved["from_account"], moved["to_account"]], axis=1).reshape(-1).astype(np.int32)
        self._seen += len(rows)
        self._parts.append(_sorted(accounts, numbers))
        while len(self._parts) > 1 and len(self._parts[-2][0]) <= 2 * len(self._parts[-1][0]):
            late, early = self._parts.pop(), self._parts.pop()
            self._parts.append(_sorted(*(np.concatenate(pair) for pair in zip(early, late, strict=True))))

    def of(self, account: int) -> NDArray[np.int64]:
        """Row numbers of what moved from or to an account, in the order of the books."""
        found = []
        for accounts, numbers in tuple(self._parts):
            first, last = np.searchsorted(accounts, account, side="left"), np.searchsorted(accounts, account, side="right")
            found.append(numbers[first:last])
        return np.unique(np.concatenate(found)).astype(np.int64) if found else np.zeros(0, dtype=np.int64)


def _sorted(accounts: NDArray[np.int32], numbers: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    order = np.argsort(accounts, kind="stable")
    return accounts[order], numbers[order]
