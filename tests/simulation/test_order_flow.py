"""Generated order flow: the same from a seed, clustered, heavy-tailed, with everything in it; and the benchmark's flow with its published sums."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from tonne.market.orders import Happening, Lasting, Matching, OrderFlag, OrderKind, Phase, Reason, SelfTrade, Verb
from tonne.market.plain_book import PlainBook
from tonne.simulation.benchmark_flow import CONTROL_SUMS
from tonne.simulation.order_flow import FlowPlan, benchmark_flow, benchmark_rules, flow_rules, order_flow

WRONG = {
    Reason.BAD_INSTRUCTION, Reason.CLOCK_BACKWARDS, Reason.UNKNOWN_INSTRUMENT, Reason.DUPLICATE_ORDER, Reason.BAD_QUANTITY, Reason.BAD_PRICE,
}  # fmt: skip


def test_the_same_seed_gives_the_same_bytes_and_another_one_others():
    assert order_flow(3_000, 5).tobytes() == order_flow(3_000, 5).tobytes()
    assert order_flow(3_000, 5).tobytes() != order_flow(3_000, 6).tobytes()
    assert order_flow(3_000, 5, plan=FlowPlan(accounts=41)).tobytes() != order_flow(3_000, 5).tobytes()


def test_a_shorter_flow_is_the_beginning_of_a_longer_one():
    longer = order_flow(70_000, 2)  # more than are drawn at once
    assert (order_flow(66_000, 2) == longer[:66_000]).all() and (order_flow(10, 2) == longer[:10]).all() and len(order_flow(0, 2)) == 0


def test_everything_that_may_be_sent_is_sent():
    rows = order_flow(60_000, 1, flow_rules(5), FlowPlan(rows_a_day=4_000))
    sent = rows[rows["verb"] == int(Verb.NEW)]
    assert set(Verb) <= set(rows["verb"].tolist()) and set(OrderKind) <= set(sent["kind"].tolist()) and set(Lasting) <= set(sent["lasting"].tolist())
    assert set(SelfTrade) <= set(sent["self_trade"].tolist()) and (sent["flags"] & int(OrderFlag.POST_ONLY)).any() and (sent["display"] > 0).any()
    assert set(Phase) <= set(rows["phase"][rows["verb"] == int(Verb.PHASE)].tolist()) and set(range(5)) <= set(rows["instrument"].tolist())
    assert len(np.unique(rows["expires"][rows["verb"] == int(Verb.EXPIRE)])) == 15  # fifteen days end


def test_a_book_answers_it_with_every_happening_and_every_reason():
    """Else the comparison of two books sleeps on some of their words."""
    happened: Counter[int] = Counter()
    reasons: Counter[int] = Counter()
    for seed in range(8):
        rules = flow_rules(5, seed)
        rows = PlainBook(rules).submit(order_flow(5_000, seed, rules, FlowPlan(rows_a_day=1_500)))
        happened.update(rows["happening"].tolist())
        reasons.update(rows["reason"].tolist())
    assert [word.name for word in Happening if not happened[word]] == []
    assert [word.name for word in Reason if not reasons[word]] == []
    accepted, traded = happened[Happening.ACCEPTED], happened[Happening.TRADE]
    assert accepted > 0.4 * 8 * 5_000 and traded > 0.3 * accepted, "a book in which little happens tests little"


def test_without_a_share_of_wrong_rows_none_is_wrong():
    rules = flow_rules(4)
    refused = PlainBook(rules).submit(order_flow(8_000, 3, rules, FlowPlan(invalid=0, rows_a_day=2_000)))
    reasons = set(refused["reason"][refused["happening"] == int(Happening.REFUSED)].tolist())
    assert not reasons & WRONG and reasons  # what is left is what senders cannot know: gone orders, calls, price limits


def test_arrivals_come_in_clusters_and_the_clock_runs_forward():
    rows = order_flow(40_000, 4, plan=FlowPlan(invalid=0, rows_a_day=40_000))
    gaps = np.diff(rows["time"])
    assert gaps.min() >= 0
    counts = np.histogram(rows["time"], bins=2_000)[0]
    assert counts.var() > 1.5 * counts.mean()  # evenly drawn arrivals would have a ratio of one


def test_sizes_have_a_heavy_tail_and_few_accounts_send_most():
    rows = order_flow(40_000, 4, plan=FlowPlan(invalid=0))
    sent = rows[(rows["verb"] == int(Verb.NEW)) & (rows["display"] == 0)]
    sizes = np.sort(sent["quantity"])
    assert np.median(sizes) <= 2 and sizes[-len(sizes) // 1000 :].min() > 50
    counts = np.sort(np.bincount(sent["account"]))[::-1]
    assert counts[:10].sum() > 0.4 * len(sent) and len(counts) == 40


def test_prices_stay_near_a_middle_that_moves():
    rules = flow_rules(1)
    rows = order_flow(40_000, 9, rules, FlowPlan(invalid=0))
    limits = rows["price"][(rows["verb"] == int(Verb.NEW)) & (rows["kind"] == int(OrderKind.LIMIT))]
    first, last = np.median(limits[:1_000]), np.median(limits[-1_000:])
    assert abs(first - rules[0].reference) < 20 and first != last and np.abs(limits - rules[0].reference).max() < 600


@pytest.mark.parametrize(
    "wrong", [{"accounts": 0}, {"rows_a_day": 10}, {"first_day": 0}, {"invalid": -0.1}, {"invalid": 1.5}, {"cancels": 0.7, "amends": 0.5}]
)
def test_a_plan_that_cannot_be(wrong):
    with pytest.raises(ValueError, match="FlowPlan"):
        FlowPlan(**wrong)


def test_days_too_short_for_the_instruments_are_refused():
    for n in (0, 51):
        with pytest.raises(ValueError, match=f"{n} instruments in days of 100 rows"):
            order_flow(10, 1, flow_rules(n), FlowPlan(rows_a_day=100))


def test_instruments_take_the_ways_of_matching_in_turn():
    assert [rule.matching for rule in flow_rules(5)] == [*Matching, Matching.PRICE_TIME]


# the benchmark flow


@pytest.mark.parametrize("n", [2_000, 20_000, 50_000])
def test_the_benchmark_flow_makes_the_published_trades(n):
    """Sums that eight engines agreed on, of the same flow drawn by other code."""
    executions = PlainBook(benchmark_rules()).submit(benchmark_flow(n))
    deals = executions[executions["happening"] == int(Happening.TRADE)]
    assert (len(deals), int(deals["quantity"].sum())) == CONTROL_SUMS[n]


def test_the_benchmark_flow_has_the_published_parts():
    rows = benchmark_flow(1_000_000)
    cancels = int((rows["verb"] == int(Verb.CANCEL)).sum())
    takers = int((rows["quantity"] > 10).sum())
    assert cancels == 349_749 and len(rows) - cancels == 650_251 == rows["order"].max()
    assert 0.4 < takers / 99_685 < 0.55  # nine of the nineteen sizes of a taker are above ten
    assert (benchmark_flow(20_000) == rows[:20_000]).all() and not (benchmark_flow(2_000, seed=43) == rows[:2_000]).all()
