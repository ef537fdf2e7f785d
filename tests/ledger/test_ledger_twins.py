"""The fast books and the auditor, side by side: seeded workloads, hypothesis, and planted bugs that both must find."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import ledger_workload as workload
import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tonne.ledger import Auditor, Books, Result, Transfer, TransferFlag, batch_of
from tonne.ledger import books as books_module

F = TransferFlag
FOLDER = Path(books_module.__file__).parent


# seeded workloads


def test_seeded_workloads_agree_and_see_every_result():
    workload.SEEN.clear()
    for seed in range(60):
        workload.run(Books(), seed, steps=150, every=5)
    never = [result.name for result in Result if workload.SEEN[result] == 0]
    assert not never, f"the workload sleeps on {never}"


def test_one_long_workload_in_large_batches():
    """More transfers than the first tables hold, so that growth and blocks are passed."""
    draw, books, auditor = workload.Workload(5), workload.begin(Books()), workload.begin(Auditor())
    for _ in range(4):
        batch = batch_of([t for _ in range(700) for t in draw._chain()[:-1] + [draw._plain(), draw._transfer()]])
        for k in range(len(batch)):
            batch["id"][k] += 0 if batch["id"][k] <= 0 else 10_000 * (k % 2)
        workload.same("results", books.apply(batch), auditor.apply(batch))
        draw.day += 1
        workload.same("expired", books.expire(draw.day), auditor.expire(draw.day))
    workload.compare(books, auditor, whole=True)
    assert len(books.transfers) > 1024


# hypothesis


accounts, small = st.integers(0, 6), st.integers(1, 30)
plain = st.builds(
    Transfer,
    id=st.integers(0, 40),
    reference=st.sampled_from([0] * 8 + [1, 2, 3]),
    quantity=small | st.sampled_from([0, -1, 2**62 - 1, 2**62]),
    from_account=accounts | st.sampled_from([0, 0, 7, -1]),
    to_account=accounts | st.sampled_from([7, -1]),
    unit=st.sampled_from([0, 0, 0, 1, 2]),
    day=st.just(-1),  # set by the machine to its day
    expires=st.just(0),
    kind=st.integers(0, 1),
    flags=st.sampled_from([0, 0, 0, 0, 1, 2, 2, 2, 3, 16, 18, 32, 33, 6, 64]),
)


class Twins(RuleBasedStateMachine):
    @initialize()
    def begin(self):
        self.books, self.auditor, self.day = workload.begin(Books()), workload.begin(Auditor()), 10

    def apply(self, rows, all_or_nothing=False):
        batch = batch_of(rows)
        ours, theirs = self.books.apply(batch, all_or_nothing=all_or_nothing), self.auditor.apply(batch, all_or_nothing=all_or_nothing)
        workload.same(f"results of {rows}", ours, theirs)

    @rule(rows=st.lists(plain, min_size=1, max_size=8), expires=st.sampled_from([0, 1, 2]), all_or_nothing=st.booleans())
    def transfers(self, rows, expires, all_or_nothing):
        for k, t in enumerate(rows):
            rows[k] = t._replace(day=self.day, expires=self.day + expires if t.flags & F.PENDING and expires else 0)
        self.apply(rows, all_or_nothing)

    @rule(giver=accounts, taker=accounts, quantity=small, id=st.integers(41, 400), pending=st.booleans(), unit=st.integers(0, 1))
    def good(self, giver, taker, quantity, id, pending, unit):
        expires = self.day + 2 if pending and id % 2 else 0
        self.apply([Transfer(id, 0, quantity, giver, taker, unit, self.day, expires, 0, F.PENDING if pending else 0)])

    @precondition(lambda self: len(self.auditor.transfers))
    @rule(which=st.integers(0, 1000), id=st.integers(1, 400), flag=st.sampled_from([F.POST, F.VOID]), part=st.integers(0, 31))
    def answer(self, which, id, flag, part):
        pendings = [t for t in self.auditor.transfers if t["flags"] & F.PENDING] or self.auditor.transfers
        named = Transfer.of(pendings[which % len(pendings)])
        self.apply([named._replace(id=id, reference=named.id, quantity=part, day=self.day, expires=0, kind=0, flags=int(flag))])

    @precondition(lambda self: len(self.auditor.transfers))
    @rule(which=st.integers(0, 1000), field=st.sampled_from(Transfer._fields[1:]), by=st.sampled_from([0, 0, 1, -1]))
    def repeat(self, which, field, by):
        old = Transfer.of(self.auditor.transfers[which % len(self.auditor.transfers)])
        self.apply([old._replace(**{field: getattr(old, field) + by})])

    @rule(account=accounts, flags=st.integers(0, 15))
    def set_flags(self, account, flags):
        for ledger in (self.books, self.auditor):
            ledger.set_flags([account], [flags])

    @rule(days=st.integers(0, 2))
    def expire(self, days):
        self.day += days
        workload.same("expired", self.books.expire(self.day), self.auditor.expire(self.day))

    @rule()
    def restart(self):
        self.books, self.auditor = Books.from_bytes(self.auditor.to_bytes()), Auditor.from_bytes(self.books.to_bytes())

    @invariant()
    def agree(self):
        if hasattr(self, "books"):
            workload.compare(self.books, self.auditor, whole=True)


TestTwins = Twins.TestCase
TestTwins.settings = settings(max_examples=60, stateful_step_count=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


# planted bugs: (what is wrong, file, the line as it is, the line as planted)


BUGS = [
    ("skips the overdraw check", "kernel", "balance - out < quantity", "balance - out < -quantity"),
    ("overdraw check forgets what is pending out", "kernel", "balance - out < quantity", "balance < quantity"),
    ("forgets to release pending out", "kernel", "slots[from_slot, PENDING_OUT] -= sign * whole", "pass"),
    ("partial post keeps the rest pending", "kernel", 'whole = rows[named]["quantity"]\n    return', "whole = quantity\n    return"),
    ("chain rollback leaves the first standing", "kernel", "_undo(chain_rows, rows", "_undo(chain_rows + 1, rows"),
    ("chain rollback forgets the last day", "kernel", "                counts[DAY] = chain_day\n", ""),
    ("undo leaves the id taken", "kernel", "        id_index[place] = 0\n", ""),
    ("undo leaves a pending posted", "kernel", "            states[named] = _OPEN\n", ""),
    ("exists ignores the quantity", "kernel", 'if quantity != old["quantity"]', "if False"),
    ("exists takes a post of 0 for another quantity", "kernel", 'if t["flags"] & (_POST | _VOID) and quantity == 0:', "if False:"),
    ("expires a day late", "kernel", 'if t["expires"] > day:', 'if t["expires"] >= day:'),
    ("posts on the day of expiry", "kernel", 'pending["expires"] <= t["day"])', 'pending["expires"] < t["day"])'),
    ("gives to closed accounts", "kernel", "if to_flags & _CLOSED:", "if False:"),
    ("everyone has authority", "kernel", "if flags & _AUTHORITY:", "if True:"),
    ("authority opens closed accounts", "kernel", "if from_flags & _CLOSED:", "if from_flags & _CLOSED and not flags & _AUTHORITY:"),
    ("posts twice", "kernel", "if state == _POSTED:", "if False:"),
    ("voids also move", "kernel", "    if not flags & _VOID:\n        slots", "    if True:\n        slots"),
    ("corrects a pending", "kernel", 'corrected["flags"] & (_PENDING | _VOID)', 'corrected["flags"] & _VOID'),
    ("an open chain is accepted", "kernel", "if linked and i == len(batch) - 1:", "if False:"),
    ("a broken chain does not break", "kernel", "        elif broken:", "        elif False:"),
    ("books may be written backwards", "kernel", 'if t["day"] < last_day:', 'if t["day"] < last_day - 1:'),
    ("overflow is off by one", "kernel", "to_balance + quantity > _LARGEST:", "to_balance + quantity > _LARGEST + 1:"),
    ("pending overflow is off by one", "kernel", "to_in + quantity > _LARGEST:", "to_in + quantity > _LARGEST + 1:"),
    ("giver's overflow is not asked", "kernel", "balance - quantity < -_LARGEST or ", ""),
    ("all or nothing undoes nothing", "kernel", "if all_or_nothing and failed:", "if False:"),
    ("expiry forgets a pending that was undone", "kernel", "            counts[EXPIRING] -= 1\n", "            pass\n"),
    ("growth loses pending states", "books", "(self._rows, self._states, self._expiring))", "(self._rows, self._states * 0, self._expiring))"),
]


def mutant(monkeypatch, file: str = "", line: str = "", planted: str = "") -> type:
    """Books from source with one line changed, its kernel run as plain Python."""
    made = {}
    for name in ("kernel", "books"):
        source = (FOLDER / f"{name}.py").read_text(encoding="utf-8")
        if name == file:
            assert source.count(line) == 1, f"{line!r} stands {source.count(line)} times in {name}.py"
            source = source.replace(line, planted)
        source = source.replace("from numba import njit\n", "def njit(**_): return lambda function: function\n")
        source = source.replace("from tonne.ledger.kernel import", "from planted_kernel import")
        module = types.ModuleType(f"planted_{name}")
        monkeypatch.setitem(sys.modules, module.__name__, module)
        exec(compile(source, f"planted_{name}.py", "exec"), module.__dict__)
        made[name] = module
    return made["books"].Books


def many_pendings(ledger) -> None:
    """Enough at once to make the tables grow, with open pendings on both sides of the growth."""
    for first in (1, 1001):
        rows = [Transfer(first + k, 0, 1, 0, 1, 0, 100, flags=F.PENDING if k % 10 == 0 else 0) for k in range(1000)]
        ledger.apply(batch_of(rows))


def edges(ledger) -> list[int]:
    """At the largest quantity and one beyond, for a balance and for a pending sum, on the giver's and on the taker's side."""
    largest, rows = 2**62 - 1, []
    for first, flags in ((9001, 0), (9101, F.PENDING)):
        moves = [(0, 6, largest - 1), (0, 6, 2), (0, 1, 2), (2, 6, 2), (0, 1, 1), (6, 2, 5) if flags else (6, 2, largest - 1), (0, 2, 1)]
        rows += [Transfer(first + k, 0, quantity, giver, taker, 1, 200, flags=flags) for k, (giver, taker, quantity) in enumerate(moves)]
    ledger.set_flags([2], [0])
    return ledger.apply(batch_of(rows)).tolist()


def find_difference(books_class: type) -> None:
    with np.errstate(over="ignore"):  # the mixing of keys means to overflow
        for seed in range(12):
            workload.run(books_class(), seed, steps=120, every=10)
        books, auditor = workload.begin(books_class()), workload.begin(Auditor())
        for ledger in (books, auditor):
            many_pendings(ledger)
        workload.same("edges", edges(books), edges(auditor))
        workload.compare(books, auditor, whole=True)


def test_without_a_bug_there_is_no_difference(monkeypatch):
    find_difference(mutant(monkeypatch))


@pytest.mark.parametrize(("bug", "file", "line", "planted"), BUGS, ids=[bug[0] for bug in BUGS])
def test_planted_bugs_are_found(monkeypatch, bug, file, line, planted):
    """A difference from the auditor, or books that fail their own check or fall over: anything but silence."""
    books_class = mutant(monkeypatch, file, line, planted)
    with pytest.raises((AssertionError, IndexError, ValueError, KeyError)):
        find_difference(books_class)
