"""What the books offer beside results: accounts, units, pendings, chains, snapshots, the hash. Asked of the auditor too where it costs nothing."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import tonne.ledger
from tonne.ledger import (
    TRANSFER,
    AccountFlag,
    Auditor,
    Books,
    PendingState,
    Result,
    Transfer,
    TransferFlag,
    UnitType,
    batch_of,
    posts,
    transfers,
    voids,
)

F = TransferFlag
MUST = AccountFlag.MUST_NOT_OVERDRAW
ALLOWANCE = UnitType("A20", "test", "allowance", 2020, "tonne", ("aviation",))
MONEY = UnitType("EUR", "test", "currency", None, "EUR cent")
ISSUANCE, SELLER, BUYER, BANK = range(4)


@pytest.fixture(params=[Books, Auditor])
def ledger(request):
    """100 allowances with the seller, 1,000 euro cents with the buyer, on day 1."""
    ledger = request.param()
    assert ledger.open_accounts([0, MUST, MUST, 0]).tolist() == [0, 1, 2, 3]
    assert (ledger.add_unit_type(ALLOWANCE), ledger.add_unit_type(MONEY), ledger.add_unit_type(ALLOWANCE)) == (0, 1, 0)
    assert not ledger.apply(batch_of([Transfer(1, 0, 100, ISSUANCE, SELLER, 0, 1), Transfer(2, 0, 1000, BANK, BUYER, 1, 1)])).any()
    return ledger


def names(results):
    return [Result(int(result)).name for result in results]


def test_balances_and_supply(ledger):
    assert (ledger.balance(SELLER, 0), ledger.balance(ISSUANCE, 0), ledger.balance(BUYER, 0)) == (100, -100, 0)
    assert ledger.balances([0, 1, 2, 3], [0, 0, 1, 1]).tolist() == [-100, 100, 1000, -1000]
    assert ledger.unit_totals().tolist() == [0, 0]
    assert ledger.unit_types == (ALLOWANCE, MONEY)
    assert [column.tolist() for column in ledger.holdings()][:3] == [[0, 1, 2, 3], [0, 0, 1, 1], [-100, 100, 1000, -1000]]


def test_pending_reserves_and_a_part_post_releases_the_rest(ledger):
    pending = Transfer(3, 0, 60, SELLER, BUYER, 0, 2, expires=9, flags=F.PENDING)
    assert names(ledger.apply(batch_of([pending]))) == ["POSTED"]
    assert (ledger.balance(SELLER, 0), ledger.available(SELLER, 0), ledger.available(BUYER, 0)) == (100, 40, 0)
    assert [column.tolist() for column in ledger.holdings()][3:] == [[0, 60, 0, 0, 0], [0, 0, 60, 0, 0]]
    answer = posts(ledger.transfers[2:3], [4], 3)
    answer["quantity"] = 25
    assert names(ledger.apply(answer)) == ["POSTED"]
    assert (ledger.balance(SELLER, 0), ledger.available(SELLER, 0), ledger.balance(BUYER, 0)) == (75, 75, 25)
    assert ledger.pending_states.tolist() == [0, 0, PendingState.POSTED, 0]
    assert ledger.pending_state(3) == PendingState.POSTED
    assert names(ledger.apply(voids(ledger.transfers[2:3], 5, 4))) == ["PENDING_ALREADY_POSTED"]


def test_a_post_or_void_of_zero_is_written_with_the_quantity_meant(ledger):
    ledger.apply(batch_of([Transfer(k, 0, 10, SELLER, BUYER, 0, 2, flags=F.PENDING) for k in (3, 4)]))
    assert names(ledger.apply(posts(ledger.transfers[2:3], 5, 2))) == ["POSTED"]
    assert names(ledger.apply(voids(ledger.transfers[3:4], 6, 2))) == ["POSTED"]
    assert [ledger.transfer(k).quantity for k in (5, 6)] == [10, 10]
    assert ledger.available(SELLER, 0) == ledger.balance(SELLER, 0) == 90


def test_expiry_releases_on_the_day_and_only_once(ledger):
    ledger.apply(batch_of([Transfer(k, 0, 10, SELLER, BUYER, 0, 2, expires=e, flags=F.PENDING) for k, e in ((3, 5), (4, 6), (5, 0), (6, 5))]))
    assert ledger.expire(4).tolist() == []
    assert ledger.expire(5).tolist() == [3, 6]
    assert ledger.expire(5).tolist() == []
    assert ledger.available(SELLER, 0) == 80
    assert ledger.expire(1_000_000).tolist() == [4]
    with pytest.raises(ValueError, match="before the last day"):
        ledger.expire(5)


def test_delivery_versus_payment_is_both_or_neither(ledger):
    delivery, payment = Transfer(3, 0, 10, SELLER, BUYER, 0, 2, flags=F.LINKED), Transfer(4, 0, 1001, BUYER, SELLER, 1, 2)
    before = ledger.state_hash()
    assert names(ledger.apply(batch_of([delivery, payment]))) == ["LINKED_TRANSFER_FAILED", "INSUFFICIENT_BALANCE"]
    assert ledger.state_hash() == before
    assert names(ledger.apply(batch_of([delivery, payment._replace(quantity=1000)]))) == ["POSTED", "POSTED"]
    assert names(ledger.apply(batch_of([delivery, payment._replace(quantity=1000)]))) == ["EXISTS", "LINKED_TRANSFER_FAILED"]
    assert (ledger.balance(BUYER, 0), ledger.balance(SELLER, 1)) == (10, 1000)


def test_a_chain_may_post_its_own_pending_and_undo_it(ledger):
    chain = [
        Transfer(3, 0, 10, SELLER, BUYER, 0, 2, expires=8, flags=F.PENDING | F.LINKED),
        Transfer(4, 3, 0, SELLER, BUYER, 0, 2, flags=F.POST | F.LINKED),
        Transfer(5, 0, 11, BUYER, SELLER, 0, 7),
    ]
    before = ledger.state_hash()
    assert names(ledger.apply(batch_of(chain))) == ["LINKED_TRANSFER_FAILED"] * 2 + ["INSUFFICIENT_BALANCE"]
    assert ledger.state_hash() == before
    assert ledger.expire(8).tolist() == []
    chain = [t._replace(day=9, expires=9 * bool(t.expires) + bool(t.expires)) for t in chain]
    assert names(ledger.apply(batch_of([*chain[:2], chain[2]._replace(quantity=10)]))) == ["POSTED"] * 3


def test_all_or_nothing_tells_each_reason_and_changes_nothing(ledger):
    batch = batch_of([Transfer(3, 0, 90, SELLER, BUYER, 0, 2), Transfer(4, 0, 20, SELLER, BUYER, 0, 2), Transfer(5, 0, 1, SELLER, SELLER, 0, 2)])
    before = ledger.state_hash()
    assert names(ledger.apply(batch, all_or_nothing=True)) == ["LINKED_TRANSFER_FAILED", "INSUFFICIENT_BALANCE", "SAME_ACCOUNT"]
    assert ledger.state_hash() == before and ledger.last_day == 1
    assert names(ledger.apply(batch[:1], all_or_nothing=True)) == ["POSTED"]
    assert names(ledger.apply(batch[:1], all_or_nothing=True)) == ["EXISTS"]


def test_a_correction_stays_beside_the_mistake(ledger):
    assert names(ledger.apply(batch_of([Transfer(3, 1, 100, SELLER, ISSUANCE, 0, 2, kind=4, flags=F.CORRECTS)]))) == ["POSTED"]
    assert ledger.transfer(1) == Transfer(1, 0, 100, ISSUANCE, SELLER, 0, 1)
    assert ledger.transfer(3).reference == 1 and ledger.balance(SELLER, 0) == 0
    assert ledger.transfer(99) is None and ledger.pending_state(99) is None


def test_flags_change_and_what_was_accepted_stays(ledger):
    ledger.apply(batch_of([Transfer(3, 0, 60, SELLER, BUYER, 0, 2, flags=F.PENDING)]))
    ledger.set_flags([SELLER, BUYER], AccountFlag.CLOSED)
    assert names(ledger.apply(posts(ledger.transfers[2:3], 4, 2))) == ["FROM_ACCOUNT_CLOSED"]
    assert names(ledger.apply(voids(ledger.transfers[2:3], 5, 2))) == ["POSTED"]
    assert ledger.flags().tolist() == [0, 8, 8, 0]


def test_programming_errors_raise(ledger):
    with pytest.raises(TypeError):
        ledger.apply(np.zeros(3, dtype=np.int64))
    with pytest.raises(ValueError):
        ledger.balance(4, 0)
    with pytest.raises(ValueError):
        ledger.balance(0, 2)
    with pytest.raises(ValueError):
        ledger.set_flags([9], [0])
    with pytest.raises(ValueError):
        ledger.open_accounts([16])
    with pytest.raises(OverflowError):
        batch_of([Transfer(2**63)])


def test_snapshot_round_trip(ledger):
    ledger.apply(batch_of([Transfer(k, 0, 10, SELLER, BUYER, 0, 2, expires=e, flags=F.PENDING) for k, e in ((3, 5), (4, 6), (5, 0))]))
    ledger.apply(voids(ledger.transfers[4:5], 6, 2))
    snapshot = ledger.to_bytes()
    for kind in (Books, Auditor):  # either reads what the other wrote
        again = kind.from_bytes(snapshot)
        again.check()
        assert again.to_bytes() == snapshot and again.state_hash() == ledger.state_hash()
        assert again.unit_types == ledger.unit_types
        assert names(again.apply(ledger.transfers[:1])) == ["EXISTS"]
        assert again.expire(6).tolist() == [3, 4]
        assert again.available(SELLER, 0) == 100
        with pytest.raises(ValueError, match="damaged"):
            kind.from_bytes(snapshot[:100] + bytes([snapshot[100] ^ 1]) + snapshot[101:])
        with pytest.raises(ValueError, match="damaged"):
            kind.from_bytes(b"something else")


def many(n):
    """n transfers over 60 accounts and both unit types, some of which are refused."""
    random, batch = np.random.default_rng(3), transfers(n)
    batch["id"] = random.permutation(np.arange(1, n + 1))
    batch["from_account"] = random.integers(0, 60, n)
    batch["to_account"] = random.integers(0, 60, n)
    batch["unit"] = random.integers(0, 2, n)
    batch["quantity"] = random.integers(1, 50, n)
    batch["day"] = np.sort(random.integers(10, 90, n))
    batch["flags"] = random.choice([0, 0, 0, int(F.PENDING)], n)
    return batch


def opened(**options):
    books = Books(**options)
    books.open_accounts(np.where(np.arange(60) % 3 == 0, 0, MUST))
    books.add_unit_type(ALLOWANCE)
    books.add_unit_type(MONEY)
    return books


def test_the_hash_knows_nothing_of_batches_capacity_or_refusals():
    batch, hashes = many(5000), set()
    for size, capacity in ((5000, 0), (1, 0), (7, 100_000), (640, 0)):
        books = opened(capacity=capacity)
        results = np.concatenate([books.apply(batch[k : k + size]) for k in range(0, len(batch), size)])
        assert (results == Result.POSTED).sum() == len(books.transfers) > 1000
        books.check()
        hashes.add(books.state_hash())
        hashes.add(Books.from_bytes(books.to_bytes()).state_hash())
    accepted = opened()
    assert not accepted.apply(batch[results == Result.POSTED]).any()
    hashes.add(accepted.state_hash())
    assert len(hashes) == 1


def test_the_hash_knows_not_in_which_order_accounts_were_first_used():
    """The same books written through snapshots at other moments lay out their tables differently."""
    batch = many(300)
    books, other = opened(), opened()
    books.apply(batch)
    for k in range(0, 300, 50):
        other.apply(batch[k : k + 50])
        other = Books.from_bytes(other.to_bytes())
    assert books.state_hash() == other.state_hash()
    other.apply(batch_of([Transfer(10_001, 0, 1, 0, 3, 0, 90)]))
    assert books.state_hash() != other.state_hash()


def test_the_hash_is_the_same_in_another_process():
    program = (
        "from tonne.ledger import *\n"
        "b = Auditor(); b.open_accounts([0, 1]); b.add_unit_type(UnitType('A', 's', 'k', None, 'tonne', ('x', 'y')))\n"
        "b.apply(batch_of([Transfer(1, 0, 5, 0, 1, 0, 3)])); print(b.state_hash().hex())"
    )
    hashes = set()
    for seed in ("1", "2"):
        environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)}
        hashes.add(subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True).stdout.strip())
    books = Books()
    books.open_accounts([0, 1])
    books.add_unit_type(UnitType("A", "s", "k", None, "tonne", ("x", "y")))
    books.apply(batch_of([Transfer(1, 0, 5, 0, 1, 0, 3)]))
    assert hashes == {books.state_hash().hex()}


def test_what_is_handed_out_cannot_change_the_books():
    books = opened()
    books.apply(many(100))
    with pytest.raises(ValueError):
        books.transfers["quantity"][0] = 1
    with pytest.raises(ValueError):
        books.pending_states[0] = 1
    books.flags()[0] = 9
    books.holdings().balance[:] = 0
    books.check()
    assert books.flags()[0] == 0 and books.holdings().balance.any()
    held = books.transfers.copy()
    view = books.transfers
    books.apply(many(5000)[100:])
    assert np.array_equal(view, held), "a view keeps what it showed when the tables grow"


def test_batches_of_any_memory_layout_and_none():
    books, other = opened(), opened()
    batch = many(200)
    books.apply(batch[::2])
    frozen = batch[::2].copy()
    frozen.flags.writeable = False
    other.apply(frozen)
    assert books.state_hash() == other.state_hash()
    assert len(books.apply(transfers(0))) == 0


def test_ids_and_accounts_that_lie_badly():
    """Keys far apart, all multiples of a power of two: the tables must stay quick and right."""
    books = Books()
    books.open_accounts(np.zeros(4000, dtype=int))
    unit = books.add_unit_type(ALLOWANCE)
    batch = transfers(20_000)
    batch["id"] = (np.arange(20_000, dtype=np.int64) + 1) << 40
    batch["from_account"] = (np.arange(20_000) * 1024) % 4000
    batch["to_account"] = (batch["from_account"] + 1) % 4000
    batch["quantity"], batch["unit"] = 1, unit
    assert not books.apply(batch).any()
    assert (books.apply(batch) == Result.EXISTS).all()
    assert books.transfer(5 << 40).quantity == 1 and books.transfer(5) is None
    books.check()


def test_the_words_are_public_and_light():
    assert TRANSFER.itemsize == 48
    assert sorted(tonne.ledger.__all__) == sorted(set(tonne.ledger.__all__)) and all(hasattr(tonne.ledger, name) for name in tonne.ledger.__all__)
    with pytest.raises(AttributeError):
        _ = tonne.ledger.nothing
    program = "import sys, tonne.ledger; sys.exit(any(m in sys.modules for m in ('numba', 'polars')))"
    assert subprocess.run([sys.executable, "-c", program], env={"PYTHONPATH": ":".join(sys.path)}).returncode == 0
