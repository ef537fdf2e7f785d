"""Order flow: the instructions that a market's accounts and its venue send in some days, drawn from a seed.

Arrivals come in clusters, prices lie around a middle that wanders, sizes have a heavy tail, a few accounts send most. Every verb and every kind of
order occurs: limit, market, immediate-or-cancel, fill-or-kill, good till cancelled or a date, post-only, iceberg, stop, stop-limit; cancels of
open, filled and unknown orders, amendments, takes, mass cancels, kills, halts, calls, new price limits, the end of days; and some rows have one
thing wrong, as senders get it wrong. The flow depends on the plan and the seed alone, never on what a book made of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tonne.market.orders import Instructions, InstrumentRules, Matching, SelfTrade, Verb, instructions
from tonne.simulation.randomness import generator

__all__ = ["FlowPlan", "benchmark_flow", "benchmark_rules", "flow_rules", "order_flow"]

_AT_ONCE = 1 << 16  # rows drawn at once


@dataclass(frozen=True, slots=True)
class FlowPlan:
    """What a flow is like. Shares are of all rows: `invalid` have something wrong, `rare` are mass cancels, kills, halts, new limits.

    `rows_a_day`: instructions from one day's first reference to its close, at least 100. `self_trades`: whether some senders allow trades with
    themselves (one account standing for many clients). Days are counted from 1970.
    """

    accounts: int = 40
    rows_a_day: int = 20_000
    first_day: int = 20_000
    invalid: float = 0.03
    cancels: float = 0.22
    amends: float = 0.08
    rare: float = 0.004
    self_trades: bool = True

    def __post_init__(self) -> None:
        if self.accounts < 1 or self.rows_a_day < 100 or self.first_day < 1:
            raise ValueError(f"{self}: one account, 100 rows a day and day 1 are the least")
        shares = (self.invalid, self.cancels, self.amends, self.rare)
        if min(shares) < 0 or sum(shares[1:]) > 1 or self.invalid > 1:
            raise ValueError(f"{self}: shares lie between 0 and 1, and those of cancels, amends and rare rows add up to 1 at most")


def flow_rules(n: int = 4, seed: int = 0) -> tuple[InstrumentRules, ...]:
    """n instruments to trade: the ways of matching in turn, with and without price limits and circuit breaker."""
    found = []
    for k in range(n):
        middle = 2_000 + 500 * (k % 5)
        found.append(
            InstrumentRules(
                matching=Matching(k % len(Matching)),
                lowest_price=1,
                highest_price=2 * middle,
                reference=middle,
                breaker=(25, 0, 40)[k % 3] if Matching(k % len(Matching)) != Matching.TAKERS_CHOICE else 0,
                largest_order=(1_000, 2_000_000)[k % 2],
                seed=seed % 2**63,
            )
        )
    return tuple(found)


def order_flow(n: int, seed: int, rules: tuple[InstrumentRules, ...] | None = None, plan: FlowPlan | None = None) -> Instructions:
    """n instructions for a book of these instruments (`flow_rules()` when none are given).

    The first rows of a longer flow are those of a shorter one with the same seed, plan and instruments. Raises ValueError for no instrument, and for
    days too short to open each and to trade.
    """
    from tonne.simulation import flow_kernel as kernel

    rules, plan = flow_rules() if rules is None else rules, plan or FlowPlan()
    if not 1 <= len(rules) <= plan.rows_a_day // 2:
        raise ValueError(f"{len(rules)} instruments in days of {plan.rows_a_day} rows; one is the least, and half as many as rows the most")
    rows, random = instructions(n), generator(seed, "order flow")
    counts = np.array([plan.accounts, plan.rows_a_day, 34_000_000_000 // plan.rows_a_day, plan.self_trades], dtype=np.int64)
    shares = np.array([plan.invalid, plan.cancels, plan.amends, plan.rare])
    table = np.array(
        [
            (rule.lowest_price, rule.highest_price, int(rule.matching), rule.largest_order, rule.breaker, (0, 120)[k % 2])
            for k, rule in enumerate(rules)
        ],
        dtype=np.int64,
    )
    place = np.zeros(7, dtype=np.int64)
    place[kernel.CLOCK], place[kernel.NEXT], place[kernel.DAY] = plan.first_day * 86_400_000_000 + 28_800_000_000, 1, plan.first_day
    middle = np.array([rule.reference or (rule.lowest_price + rule.highest_price) // 2 for rule in rules], dtype=np.int64)
    heat, sent = np.zeros(1), np.zeros((n, 7), dtype=np.int64)
    recent = np.zeros((len(rules), 2, 1 + kernel.RECENT), dtype=np.int64)
    for first in range(0, n, _AT_ONCE):
        part = rows[first : first + _AT_ONCE]
        kernel.write_rows(part, random.random((len(part), kernel.CHANCES)), counts, shares, table, place, heat, middle, sent, recent)
    return rows


def benchmark_rules() -> tuple[InstrumentRules, ...]:
    """The one instrument of the benchmark flow."""
    from tonne.simulation.benchmark_flow import LAST_TICK

    return (InstrumentRules(lowest_price=1, highest_price=LAST_TICK),)


def benchmark_flow(n: int, seed: int = 42) -> Instructions:
    """The flow on which engines are timed (`benchmark_flow.py`): limit orders and cancels of one account that may trade with itself.

    With seed 42 a right engine makes of 1,000,000 rows 278,557 trades of 1,047,324 lots in all.
    """
    from tonne.simulation.benchmark_flow import drawn_events

    events, rows = drawn_events(n, seed), instructions(n)
    rows["verb"] = np.where(events[:, 0] == 1, int(Verb.CANCEL), int(Verb.NEW))
    rows["order"], rows["side"] = events[:, 1] + 1, np.where(events[:, 0] == 1, 0, events[:, 2])
    rows["price"], rows["quantity"] = events[:, 3], events[:, 4]
    rows["self_trade"] = np.where(events[:, 0] == 1, 0, int(SelfTrade.ALLOW))
    rows["time"] = np.arange(n)
    return rows
