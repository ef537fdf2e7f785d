"""Serial numbers: what the docstring says, and for any workload: disjoint ranges whose lengths are the balances."""

from __future__ import annotations

from itertools import pairwise

import ledger_workload as workload
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tonne.ledger import LARGEST_QUANTITY, Books, Transfer, TransferFlag, UnitType, batch_of
from tonne.ledger.serials import ranges_of_transfer, replay, serial_ranges, where

F = TransferFlag
ISSUANCE, ANN, BEN, RETIRED = range(4)


def books_of(*rows: tuple[int, int, int]) -> Books:
    """One unit type, transfers (quantity, from, to) with ids 1, 2, 3, ..."""
    books = Books()
    books.open_accounts([0, 1, 1, 1])
    books.add_unit_type(UnitType("A", "test", "credit", 2020, "tonne"))
    assert not books.apply(batch_of([Transfer(k, 0, q, giver, taker) for k, (q, giver, taker) in enumerate(rows, 1)])).any()
    return books


def test_first_in_first_out():
    log = books_of((100, ISSUANCE, ANN), (50, ISSUANCE, BEN), (30, BEN, ANN), (110, ANN, RETIRED)).transfers
    assert serial_ranges(log, 0, [ISSUANCE]) == {ANN: [(111, 130)], BEN: [(131, 150)], RETIRED: [(1, 110)]}
    assert ranges_of_transfer(log, 0, [ISSUANCE], 3) == [(101, 130)]
    assert ranges_of_transfer(log, 0, [ISSUANCE], 4) == [(1, 110)], "neighbouring ranges became one"
    assert [where(log, 0, [ISSUANCE], serial) for serial in (1, 110, 111, 150)] == [RETIRED, RETIRED, ANN, BEN]
    assert replay(log, 0, [ISSUANCE]).path(105) == [2, 3, 4]
    with pytest.raises(ValueError, match="never issued; 150 were"):
        where(log, 0, [ISSUANCE], 151)
    with pytest.raises(ValueError, match="moved no serial"):
        ranges_of_transfer(log, 0, [ISSUANCE], 99)


def test_what_returns_to_issuance_has_ended_and_is_not_issued_again():
    log = books_of((10, ISSUANCE, ANN), (4, ANN, ISSUANCE), (5, ISSUANCE, BEN)).transfers
    serials = replay(log, 0, [ISSUANCE])
    assert (serials.held, serials.ended, serials.issued) == ({ANN: [(5, 10)], BEN: [(11, 15)]}, {ISSUANCE: [(1, 4)]}, 15)
    assert serials.where(3) == ISSUANCE


def test_a_pending_moves_serials_when_it_is_posted():
    books = books_of((10, ISSUANCE, ANN))
    books.apply(batch_of([Transfer(2, 0, 4, ANN, BEN, flags=F.PENDING), Transfer(3, 0, 1, ANN, RETIRED)]))
    assert serial_ranges(books.transfers, 0, [ISSUANCE]) == {ANN: [(2, 10)], RETIRED: [(1, 1)]}
    books.apply(batch_of([Transfer(4, 2, 3, ANN, BEN, flags=F.POST)]))
    assert serial_ranges(books.transfers, 0, [ISSUANCE]) == {ANN: [(5, 10)], BEN: [(2, 4)], RETIRED: [(1, 1)]}


def test_an_account_that_overdraws_is_an_issuing_account_or_an_error():
    log = books_of((10, ISSUANCE, ANN)).transfers
    with pytest.raises(ValueError, match="is it an issuing account"):
        serial_ranges(log, 0, [])


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), unit=st.integers(0, 1))
def test_ranges_are_disjoint_and_as_long_as_the_balances(seed, unit):
    books = Books()
    workload.run(books, seed, steps=60, every=1000)
    overdrawn = {0, 6} | {a for a in range(7) if books.balance(a, unit) < 0} | _ever_below_zero(books.transfers, unit)
    serials = replay(books.transfers, unit, overdrawn)
    ranges = sorted(r for held in (serials.held, serials.ended) for place in held.values() for r in place)
    assert all(first <= last for first, last in ranges)
    assert all(before[1] < after[0] for before, after in pairwise(ranges))
    assert sum(last - first + 1 for first, last in ranges) == serials.issued <= LARGEST_QUANTITY * len(books.transfers)
    for account in set(range(7)) - overdrawn:
        assert sum(last - first + 1 for first, last in serials.held.get(account, [])) == books.balance(account, unit)


def _ever_below_zero(log, unit):
    """Accounts that were below zero at any time: these issued."""
    balance, below = dict.fromkeys(range(7), 0), set()
    for t in (Transfer.of(row) for row in log):
        if t.unit == unit and not t.flags & (F.PENDING | F.VOID):
            balance[t.from_account] -= t.quantity
            balance[t.to_account] += t.quantity
            below |= {t.from_account} if balance[t.from_account] < 0 else set()
    return below
