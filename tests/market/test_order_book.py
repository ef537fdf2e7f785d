"""The fast book alone: room, batches, views, snapshots, single calls; and the fast book against the plain one on seeded flows."""

from __future__ import annotations

import numpy as np
import order_workload as workload
import pytest

from tonne.market.order_book import OrderBook
from tonne.market.orders import (
    EXECUTION,
    INSTRUCTION,
    LARGEST_PRICE,
    MOST_TICKS,
    NUMBERS_AHEAD,
    Happening,
    Instruction,
    InstrumentRules,
    Matching,
    Phase,
    Reason,
    Side,
    Verb,
    executions_of,
    instructions,
    instructions_of,
)
from tonne.market.plain_book import PlainBook


def test_the_rows_are_whole_words():
    assert INSTRUCTION.itemsize == 80
    assert EXECUTION.itemsize == 72
    assert Instruction._fields == INSTRUCTION.names


# seeded flows


def test_seeded_flows_agree_and_see_everything():
    workload.SEEN.clear()
    for seed in range(20):
        fast, plain, load = OrderBook(workload.rules()), PlainBook(workload.rules()), workload.Workload(seed)
        limits: dict[int, tuple[int, int]] = {}
        for step in (1, 7, 92, 400, 1500):
            batch = load.batch(step)
            ours = fast.submit(batch)
            workload.note(ours)
            workload.same(f"seed {seed}, batch of {step}", ours, plain.submit(batch))
            workload.no_worse_than_its_limit(batch, ours, limits)
            workload.compare(fast, plain)
            workload.check_books(fast)
        assert OrderBook.from_bytes(plain.to_bytes()).to_bytes() == plain.to_bytes()
        assert PlainBook.from_bytes(fast.to_bytes()).to_bytes() == plain.to_bytes()
    assert workload.never_seen() == []


def test_batches_are_only_a_matter_of_speed():
    batch = workload.Workload(99).batch(1200)
    whole, singly = OrderBook(workload.rules()), OrderBook(workload.rules())
    rows = whole.submit(batch).copy()
    parts = [singly.submit(batch[n : n + 1]).copy() for n in range(len(batch))]
    assert np.concatenate(parts).tobytes() == rows.tobytes()
    assert whole.state_hash() == singly.state_hash()


def test_a_restored_book_goes_on_as_the_first():
    load = workload.Workload(5)
    first = OrderBook(workload.rules())
    first.submit(load.batch(1500))
    second = OrderBook.from_bytes(first.to_bytes())
    batch = load.batch(1500)
    workload.same("after the snapshot", second.submit(batch), first.submit(batch))
    assert first.to_bytes() == second.to_bytes()


def test_a_damaged_snapshot_is_refused():
    snapshot = bytearray(OrderBook(workload.rules()).to_bytes())
    snapshot[40] ^= 1
    with pytest.raises(ValueError, match="damaged"):
        OrderBook.from_bytes(bytes(snapshot))


# the case that a fast engine got wrong


@pytest.mark.parametrize("book", [OrderBook, PlainBook])
def test_no_fill_worse_than_the_limit(book):
    b = book([InstrumentRules()])
    b.limit(1, 1, Side.SELL, 6, 9980)
    b.limit(2, 2, Side.SELL, 5, 10001)
    rows = executions_of(b.limit(3, 3, Side.BUY, 8, 9995))
    assert [(r.happening, r.against, r.price, r.quantity, r.left) for r in rows[1:]] == [(Happening.TRADE, 1, 9980, 6, 2)]
    assert b.best() == (9995, 10001)
    assert b.order(3).left == 2


# room


def test_an_answer_longer_than_a_block_and_an_earlier_one_still_held():
    book = OrderBook([InstrumentRules()])
    n = 40_000
    batch = instructions(n)
    batch["order"], batch["price"], batch["quantity"], batch["account"] = np.arange(1, n + 1), 100, 1, 1
    accepted = book.submit(batch)
    before = accepted.copy()
    swept = book.submit(instructions_of([Instruction(order=n + 1, price=100, quantity=n, account=2, side=Side.SELL)]))
    assert len(swept) == n + 1
    assert (swept["against"][1:] == np.arange(1, n + 1)).all()
    assert accepted.tobytes() == before.tobytes()


def test_rows_handed_out_are_never_written_again():
    book = OrderBook([InstrumentRules()])
    kept = [book.limit(n, 1, Side.BUY, 1, 1 + n % 7) for n in range(1, 5000)]
    copies = [rows.copy() for rows in kept]
    for n in range(5000, 60_000):
        book.limit(n, 1, Side.BUY, 1, 5)
    assert all(a.tobytes() == b.tobytes() for a, b in zip(kept, copies, strict=True))


def test_prices_far_apart_widen_the_window():
    rules = InstrumentRules(lowest_price=LARGEST_PRICE - MOST_TICKS + 1, highest_price=LARGEST_PRICE)
    fast, plain = OrderBook([rules]), PlainBook([rules])
    prices = [LARGEST_PRICE, LARGEST_PRICE - MOST_TICKS + 1, LARGEST_PRICE - 5000, LARGEST_PRICE - 2**20, LARGEST_PRICE - MOST_TICKS]
    for n, price in enumerate(prices, 1):
        workload.same("rows", fast.limit(n, n, Side.BUY, n, price), plain.limit(n, n, Side.BUY, n, price))
    for number in (1, 3, 4):
        workload.same("rows", fast.cancel(number, number), plain.cancel(number, number))
        workload.compare(fast, plain)


def test_order_numbers_index_arrays_so_a_wild_one_is_refused():
    for book in (OrderBook([InstrumentRules()]), PlainBook([InstrumentRules()])):
        assert book.limit(NUMBERS_AHEAD + 1, 1, Side.BUY, 1, 5)["reason"][0] == Reason.BAD_INSTRUCTION
        assert book.limit(NUMBERS_AHEAD, 1, Side.BUY, 1, 5)["happening"][0] == Happening.ACCEPTED
        assert book.limit(2 * NUMBERS_AHEAD, 1, Side.BUY, 1, 5)["happening"][0] == Happening.ACCEPTED
        assert book.limit(0, 1, Side.BUY, 1, 5)["reason"][0] == Reason.BAD_INSTRUCTION
        assert book.limit(2**40, 1, Side.BUY, 1, 5)["reason"][0] == Reason.BAD_INSTRUCTION


def test_many_instruments_and_killed_accounts_far_apart():
    rules = [InstrumentRules(seed=n) for n in range(40)]
    fast, plain = OrderBook(rules[:3]), PlainBook(rules[:3])
    for n in range(3, 40):
        assert fast.add_instrument(rules[n]) == plain.add_instrument(rules[n]) == n
        for side in Side:
            number = 2 * n + side
            workload.same("rows", *(book.limit(number, 9, side, 5, 100 + 10 * side, instrument=n) for book in (fast, plain)))
    for account in (9, 70_000, 2**24 - 1, 2**24):
        workload.same("killed", fast.kill(account), plain.kill(account))
        assert fast.is_killed(account) == plain.is_killed(account) == (account < 2**24)
    workload.compare(fast, plain)
    assert OrderBook.from_bytes(fast.to_bytes()).is_killed(70_000)


def test_what_is_no_batch_is_a_type_error():
    book = OrderBook([InstrumentRules()])
    for wrong in (np.zeros(3), np.zeros((2, 2), dtype=INSTRUCTION)):
        with pytest.raises(TypeError, match="dtype INSTRUCTION"):
            book.submit(wrong)
    read_only = instructions_of([Instruction(order=1, price=5, quantity=1)])
    read_only.flags.writeable = False
    assert book.submit(read_only)["happening"][0] == Happening.ACCEPTED
    assert len(book.submit(instructions(0))) == 0
    with pytest.raises(IndexError, match="instruments are 0 to 0"):
        book.best(1)


def test_a_number_that_fits_no_column_overflows_in_both():
    for book in (OrderBook([InstrumentRules()]), PlainBook([InstrumentRules()])):
        with pytest.raises(OverflowError):
            book.limit(1, 2**31, Side.BUY, 1, 5)
        assert book.limit(1, -1, Side.BUY, 1, 5)["reason"][0] == Reason.BAD_INSTRUCTION
        assert book.count == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"lowest_price": 0}, {"lowest_price": 5, "highest_price": 4}, {"highest_price": MOST_TICKS + 1}, {"reference": 9, "highest_accepted": 8},
        {"reference": 1, "lowest_accepted": 2}, {"breaker": 1, "matching": Matching.TAKERS_CHOICE}, {"largest_order": 0}, {"take_levels": 0},
        {"seed": -1},
    ],
)  # fmt: skip
def test_rules_that_cannot_be(wrong):
    with pytest.raises(ValueError):
        InstrumentRules(**wrong)


def test_time_zero_is_the_time_before_and_time_never_falls():
    book = OrderBook([InstrumentRules()])
    book.limit(1, 1, Side.BUY, 1, 5, time=100)
    assert book.limit(2, 1, Side.BUY, 1, 5)["time"][0] == 100
    late = book.limit(3, 1, Side.BUY, 1, 5, time=99)
    assert (late["reason"][0], late["time"][0]) == (Reason.CLOCK_BACKWARDS, 99)
    assert book.limit(3, 1, Side.BUY, 1, 5, time=100)["happening"][0] == Happening.ACCEPTED


def test_phase_for_all_goes_on_after_a_cascade_that_needs_room():
    """The pass stops and goes on inside an instruction: many stops fall due in the first instrument, then the second opens."""
    rules = [InstrumentRules(phase=Phase.OPENING_CALL), InstrumentRules(phase=Phase.OPENING_CALL)]
    fast, plain = OrderBook(rules), PlainBook(rules)
    rows = [Instruction(order=1, price=100, quantity=5000, account=1), Instruction(order=2, price=100, quantity=1, account=2, side=Side.SELL)]
    rows += [Instruction(order=n, stop=100 + n % 2, quantity=1, account=3, side=Side.SELL, kind=2, lasting=1) for n in range(3, 400)]
    rows += [Instruction(instrument=-1, verb=Verb.PHASE, phase=Phase.CONTINUOUS)]
    batch = instructions_of(rows)
    fast._new_block(0)
    fast._row = fast._book[6] = len(fast._block) - 900
    workload.same("rows", fast.submit(batch), plain.submit(batch))
    workload.compare(fast, plain)
