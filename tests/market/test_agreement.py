"""The fast book and the plain book on random flow of every kind, and the rules that hold whoever is right.

Six flows of 10,000 rows always; TONNE_BIG_AGREEMENT=1 runs a hundred of 100,000 (as `python -m benchmarks.agreement` does, which prints a table).
"""

from __future__ import annotations

import os
from collections import Counter

import numpy as np
import pytest
from benchmarks.agreement import SHAPES, Difference, check_invariants, compare, dense_flow, flow_of, run, same, smallest
from benchmarks.book_peers import PEERS, installed

from tonne.market.order_book import OrderBook
from tonne.market.orders import Happening, Instruction, InstrumentRules, Reason, Side
from tonne.market.plain_book import PlainBook
from tonne.simulation.benchmark_flow import CONTROL_SUMS, drawn_events
from tonne.simulation.order_flow import benchmark_flow, benchmark_rules

ROWS = 10_000
SEEN: dict[int, np.ndarray] = {}


@pytest.mark.parametrize("seed", range(6))
def test_the_two_books_agree_and_both_keep_the_rules(seed):
    """Every execution and the state, in batches cut anywhere, with a restart from a snapshot in the middle."""
    SEEN[seed] = compare(seed, ROWS, check=True)["executions"]


@pytest.mark.parametrize("first", range(0, 200, 50))
def test_the_two_books_agree_where_everything_meets_everything(first):
    """Fifty dense flows each: few accounts, few ticks, short days, every third row a cancel or an amendment, halts and calls all the time."""

    def wrong(rules, rows):
        fast, plain = OrderBook(rules), PlainBook(rules)
        ours, theirs = fast.submit(rows), plain.submit(rows)
        return len(ours) != len(theirs) or (ours != theirs).any() or fast.to_bytes() != plain.to_bytes()

    for seed in range(first, first + 50):
        rules, flow = dense_flow(seed)
        if wrong(rules, flow):
            few = smallest(rules, flow, wrong)
            raise AssertionError(f"dense flow {seed}: {rules}\n" + "\n".join(str(Instruction(*row.item())) for row in few))
        book = PlainBook(rules)
        check_invariants(rules, flow, book.submit(flow), book)


def test_the_comparison_does_not_sleep():
    """Each happening, each reason and each way of matching occurred in what was compared."""
    if len(SEEN) < 6:
        pytest.skip("the six flows were not all compared in this process")
    rows = np.concatenate(list(SEEN.values()))
    happened, reasons = Counter(rows["happening"].tolist()), Counter(rows["reason"].tolist())
    assert [word.name for word in Happening if not happened[word]] == [] and [word.name for word in Reason if not reasons[word]] == []
    for seed, executions in SEEN.items():
        rules, _ = flow_of(seed, ROWS)
        deals = executions[executions["happening"] == int(Happening.TRADE)]
        assert len(deals) > 1_000 and {rules[k].matching for k in np.unique(deals["instrument"])} == {rule.matching for rule in rules}
    assert {SHAPES[seed % len(SHAPES)] for seed in SEEN} == set(SHAPES)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_other_batches_the_same_again_and_either_book_from_the_others_snapshot(seed):
    rules, flow = flow_of(seed, 4_000)
    whole = OrderBook(rules)
    executions = whole.submit(flow).copy()
    one_by_one = OrderBook(rules)
    rows = np.concatenate([one_by_one.submit(flow[k : k + 1]).copy() for k in range(len(flow))])
    same(rows, executions, "one by one")
    assert one_by_one.state_hash() == whole.state_hash()
    half = len(flow) // 2
    fast, plain = OrderBook(rules), PlainBook(rules)
    fast.submit(flow[:half])
    plain.submit(flow[:half])
    assert fast.to_bytes() == plain.to_bytes()
    fast, plain = OrderBook.from_bytes(plain.to_bytes()), PlainBook.from_bytes(fast.to_bytes())
    ours, theirs = fast.submit(flow[half:]), plain.submit(flow[half:])
    same(ours, theirs, "each from the other's snapshot")
    assert fast.state_hash() == plain.state_hash() == whole.state_hash()


def test_no_fill_beyond_the_limit_where_another_engine_did():
    """Seen in an engine of others: 2 lots at 10,001, above the buyer's limit of 9,995."""
    for book in (OrderBook([InstrumentRules()]), PlainBook([InstrumentRules()])):
        book.limit(1, 1, Side.SELL, 6, 9_980)
        book.limit(2, 2, Side.SELL, 5, 10_001)
        rows = book.limit(3, 3, Side.BUY, 8, 9_995)
        deals = rows[rows["happening"] == int(Happening.TRADE)]
        assert deals[["price", "quantity"]].tolist() == [(9_980, 6)] and tuple(book.best()) == (9_995, 10_001)
        assert int(book.depth().buy[0][1]) == 2


@pytest.mark.parametrize("n", list(CONTROL_SUMS))
def test_the_benchmark_flow_makes_the_published_trades(n):
    book, trades, volume = OrderBook(benchmark_rules(), n), 0, 0
    flow = benchmark_flow(n)
    for first in range(0, n, 50_000):
        rows = book.submit(flow[first : first + 50_000])
        deals = rows["happening"] == int(Happening.TRADE)
        trades, volume = trades + int(deals.sum()), volume + int(rows["quantity"][deals].sum())
    assert (trades, volume) == CONTROL_SUMS[n]
    if n == 1_000_000:
        assert len(book.open_orders()) == 1_818


@pytest.mark.parametrize("name", installed()[0])
def test_other_peoples_books_make_the_same_trades(name):
    """What the benchmark times; each engine is driven by its own public calls."""
    events = [(cancel, order + 1, side, price, quantity) for cancel, order, side, price, quantity in drawn_events(2_000, 42).tolist()]
    assert PEERS[name][1](events) == CONTROL_SUMS[2_000]


# do the rules bite?


@pytest.fixture(scope="module")
def sound():
    rules, flow = flow_of(0, 3_000)
    book = PlainBook(rules)
    return rules, flow, book.submit(flow), book


def _spoilt(rows, kind, column, change):
    rows = rows.copy()
    place = np.flatnonzero(rows["happening"] == int(kind))[40]
    rows[column][place] += change
    return rows


@pytest.mark.parametrize(
    ("happening", "column", "change", "words"),
    [
        (Happening.TRADE, "price", 200, "limit|price|lots"),
        (Happening.TRADE, "quantity", 1, "had|rest|so many lots"),
        (Happening.TRADE, "left", 1, "another rest"),
        (Happening.TRADE, "other", 1, "wrong orders"),
        (Happening.CANCELLED, "quantity", 1, "not there"),
        (Happening.ACCEPTED, "left", 1, "accepted|crossed|not those|had|rest"),
    ],
)
def test_a_planted_fault_breaks_a_rule(sound, happening, column, change, words):
    rules, flow, rows, book = sound
    check_invariants(rules, flow, rows, book)
    with pytest.raises(Difference, match=words):
        check_invariants(rules, flow, _spoilt(rows, happening, column, change), book)


def test_a_lost_row_is_found(sound):
    rules, flow, rows, book = sound
    at = np.flatnonzero(rows["happening"] == int(Happening.TRADE))[-1]
    with pytest.raises((Difference, KeyError)):
        check_invariants(rules, flow, np.delete(rows, at), book)


def test_who_is_passed_over_is_found():
    book = PlainBook([InstrumentRules()])
    said = [book.limit(k, k, Side.SELL, 5, 100) for k in (1, 2)] + [book.limit(3, 3, Side.BUY, 5, 100)]
    rows = np.concatenate(said)
    flow = flow_of(5, 300)[1][:3].copy()
    flow["kind"], flow["self_trade"], flow["lasting"] = 0, 0, 0
    check_invariants((InstrumentRules(),), flow, rows, book)
    rows["against"][-1] = rows["other"][-1] = 2
    with pytest.raises(Difference, match="another order stood before it"):
        check_invariants((InstrumentRules(),), flow, rows, book)


def test_a_difference_is_named_and_made_small():
    """A book that lets everything trade at any price is told from a right one, and the case shrinks to two orders."""

    class Careless(PlainBook):
        def submit(self, instructions):
            rows = instructions.copy()
            rows["price"] = np.where(rows["side"] == 0, 20_000, 1)
            return super().submit(rows)

    def wrong(rules, rows):
        return sum(OrderBook(rules).submit(rows)["happening"] == 1) != sum(Careless(rules).submit(rows)["happening"] == 1)

    rules, flow = benchmark_rules(), benchmark_flow(300)
    with pytest.raises(Difference, match=r"execution 0: the fast book says \[Execution"):
        same(OrderBook(rules).submit(flow), Careless(rules).submit(flow), "careless")
    few = smallest(rules, flow, wrong)
    assert len(few) == 2 and wrong(rules, few)


@pytest.mark.skipif(not os.environ.get("TONNE_BIG_AGREEMENT"), reason="takes minutes; set TONNE_BIG_AGREEMENT=1")
def test_a_hundred_flows_of_a_hundred_thousand():
    assert "never seen: none" in run(100, 100_000, first=1_000)
