"""A seeded workload (valid, invalid, repeated, late, linked, ...) for two ledgers side by side, and the comparison of all they say.

The commands depend on the seed alone, never on an answer, so every ledger gets the same ones.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import numpy as np

from tonne.ledger import LARGEST_QUANTITY, AccountFlag, Auditor, Result, Transfer, TransferFlag, UnitType, batch_of

F = TransferFlag
SEEN: Counter[Result] = Counter()
UNITS = [UnitType("A", "test", "allowance", 2020, "tonne"), UnitType("C", "test", "currency", None, "EUR cent", ("restricted",))]


class Difference(AssertionError):
    """The two ledgers do not say the same."""


class Workload:
    """Draws commands; remembers what it sent, not what became of it."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.n_accounts, self.day, self.next_id = 7, 100, 1
        self.sent: list[Transfer] = []
        self.pendings: list[Transfer] = []

    def command(self) -> tuple[Any, ...]:
        draw = self.random.random()
        if draw < 0.05:
            self.day += self.random.choice([0, 1, 1, 3])
            return ("expire", self.day)
        if draw < 0.10:
            account, flags = self.random.randrange(1, self.n_accounts), self.random.choice([0, 1, 1, 1, 1, 3, 5, 9, 8])
            return ("set_flags", account, flags)
        batch: list[Transfer] = []
        for _ in range(self.random.choice([1, 1, 2, 3, 6, 12])):
            batch += self._chain() if self.random.random() < 0.25 else [self._transfer()]
        return ("apply", batch, self.random.random() < 0.15)

    def _chain(self) -> list[Transfer]:
        chain = [self._transfer() for _ in range(self.random.choice([2, 2, 3, 4]))]
        last = 0 if self.random.random() < 0.9 else F.LINKED
        return [t._replace(flags=int(t.flags | F.LINKED)) for t in chain[:-1]] + [chain[-1]._replace(flags=int(chain[-1].flags | last))]

    def _transfer(self) -> Transfer:
        draw, r = self.random.random(), self.random
        if draw < 0.12 and self.sent:
            t = r.choice(self.sent[-60:])
            return self._changed(t) if r.random() < 0.6 else t
        t = self._answer(r.choice(self.pendings[-12:])) if draw < 0.34 and self.pendings else self._plain()
        if r.random() < 0.15:
            t = self._changed(t)
        self.next_id += 1
        self.sent.append(t)
        if t.flags & F.PENDING:
            self.pendings.append(t)
        return t

    def _plain(self) -> Transfer:
        r = self.random
        giver, taker = r.sample(range(self.n_accounts), 2)
        if r.random() < 0.25:
            giver = 0
        unit, quantity, flags, expires, reference = r.randrange(2), r.randint(1, 40), 0, 0, 0
        if unit == 1 and r.random() < 0.06:
            quantity = r.choice([LARGEST_QUANTITY, LARGEST_QUANTITY - 20, LARGEST_QUANTITY + 1, 2**63 - 1])
        if r.random() < 0.30:
            flags |= F.PENDING
            expires = r.choice([0, self.day + 1, self.day + 2, self.day + 4])
        if r.random() < 0.10:
            flags |= F.BY_AUTHORITY
        if r.random() < 0.12 and self.sent:
            named = r.choice(self.sent[-30:])
            flags, reference, unit = flags | F.CORRECTS, named.id, named.unit
        return Transfer(self.next_id, reference, quantity, giver, taker, unit, self.day, expires, r.randrange(3), int(flags))

    def _answer(self, pending: Transfer) -> Transfer:
        r = self.random
        quantity = r.choice([0, 0, pending.quantity, max(1, pending.quantity - 5)])
        flags = r.choice([F.POST, F.POST, F.VOID]) | (F.BY_AUTHORITY if r.random() < 0.1 else 0)
        return Transfer(self.next_id, pending.id, quantity, pending.from_account, pending.to_account, pending.unit, self.day, 0, 0, int(flags))

    def _changed(self, t: Transfer) -> Transfer:
        """One field made other; often enough to something impossible."""
        r = self.random
        field = r.choice(Transfer._fields[1:])
        choices: dict[str, list[int]] = {
            "reference": [0, 999_999, -1, max(1, t.id - 1), max(1, t.id - 3)],
            "quantity": [0, -1, t.quantity + 1, max(0, t.quantity - 1), 1],
            "from_account": [-1, self.n_accounts, t.to_account, r.randrange(self.n_accounts)],
            "to_account": [-1, self.n_accounts, t.from_account, r.randrange(self.n_accounts)],
            "unit": [-1, 2, 1 - t.unit],
            "day": [self.day - 1, 1, self.day + 1],
            "expires": [0, t.day, self.day - 1, self.day + 2],
            "kind": [t.kind + 1],
            "flags": [64, -1, 6, 12, 10, 36, 40, 14, t.flags ^ 16, t.flags ^ 2, t.flags ^ 4, t.flags ^ 32],
        }
        t = t._replace(**{field: r.choice(choices[field])})
        self.day = max(self.day, min(t.day, self.day + 1))  # a transfer sent ahead of its day may move the books; follow
        return t._replace(id=r.choice([0, -5])) if r.random() < 0.03 else t


def begin(ledger: Any) -> Any:
    ledger.open_accounts([0, 1, 1, AccountFlag.MUST_NOT_OVERDRAW, AccountFlag.ONE_WAY | 1, AccountFlag.BLOCKED | 1, 0])
    for unit in UNITS:
        ledger.add_unit_type(unit)
    return ledger


def send(ledger: Any, command: tuple[Any, ...]) -> list[int]:
    """One command to one ledger; what it answered, in plain ints."""
    if command[0] == "expire":
        try:
            return [int(id) for id in ledger.expire(command[1])]
        except ValueError:
            return [-1]
    if command[0] == "set_flags":
        ledger.set_flags([command[1]], [command[2]])
        return []
    return [int(result) for result in ledger.apply(batch_of(command[1]), all_or_nothing=command[2])]


def same(name: str, ours: Any, theirs: Any) -> None:
    if not np.array_equal(ours, theirs):
        raise Difference(f"{name}: {ours} and {theirs}")


def compare(books: Any, auditor: Any, whole: bool = False) -> None:
    """Everything the two say about their state."""
    for name, ours, theirs in zip(books.holdings()._fields, books.holdings(), auditor.holdings(), strict=True):
        same(name, ours, theirs)
    same("last_day", books.last_day, auditor.last_day)
    same("flags", books.flags(), auditor.flags())
    same("unit_totals", books.unit_totals(), auditor.unit_totals())
    same("pending_states", books.pending_states, auditor.pending_states)
    same("transfers", books.transfers, auditor.transfers)
    books.check()
    if whole:
        auditor.check()
        same("state_hash", books.state_hash(), auditor.state_hash())
        accounts = np.arange(books.n_accounts)
        for unit in range(len(books.unit_types)):
            same("balances", books.balances(accounts, unit), auditor.balances(accounts, unit))
            same("availables", books.availables(accounts, unit), auditor.availables(accounts, unit))


def run(books: Any, seed: int, steps: int, every: int = 1) -> Any:
    """Both ledgers through one seeded workload; raises Difference at the first word they do not share."""
    auditor, workload = begin(Auditor()), Workload(seed)
    begin(books)
    for step in range(steps):
        command = workload.command()
        answer = send(auditor, command)
        same(f"step {step} {command}", send(books, command), answer)
        if command[0] == "apply":
            SEEN.update(Result(result) for result in answer)
        if step % every == 0:
            compare(books, auditor)
    compare(books, auditor, whole=True)
    return auditor
