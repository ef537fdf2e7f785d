"""How many instructions a second the order book takes, on one core, beside its plain twin and other people's books on the same events.

Workload: `simulation/benchmark_flow.py`, one instrument, price-time, limit orders (a tenth of them cross the market) and cancels (35 %), seed 42.
Every engine must make the same number of trades and the same volume, those published for the flow (ours must also leave the same book, by its
hash); else no time is given. Rounds are interleaved: each engine once per round, medians of the rounds. Arrays of instructions and lists of events
are made beforehand, our books with room for the orders; other engines' own order objects are made while the clock runs, because every user of
theirs has to. The last lines are the flow with everything in it (`simulation/order_flow.py`: five instruments, all kinds of orders, four ways of
matching, calls, stops, icebergs, refusals).

    python -m benchmarks.order_book [scale]
"""

from __future__ import annotations

import logging
import statistics
import sys
from collections.abc import Callable
from time import perf_counter
from typing import Any

from benchmarks.book_peers import PEERS, Event, installed, title
from benchmarks.ledger_memory import machine
from tonne.market.order_book import OrderBook
from tonne.market.orders import Happening, Instructions, SelfTrade
from tonne.market.plain_book import PlainBook
from tonne.simulation.benchmark_flow import CONTROL_SUMS, drawn_events
from tonne.simulation.order_flow import benchmark_flow, benchmark_rules, flow_rules, order_flow

ROUNDS = 5
Timed = Callable[[], tuple[float, bool]]
"""Puts the events through an engine: the seconds it took, and whether what came out is right."""


def state_after(flow: Instructions, rules: Any, expected: tuple[int, int] | None = None) -> bytes:
    """The hash of the book after a flow; raises AssertionError unless trades and volume are the expected ones."""
    book = OrderBook(rules, len(flow))
    rows = book.submit(flow)
    quantities = rows["quantity"][rows["happening"] == int(Happening.TRADE)]
    found = (len(quantities), int(quantities.sum()))
    if expected is not None and found != expected:
        raise AssertionError(f"{found[0]:,} trades of {found[1]:,} lots; {expected[0]:,} of {expected[1]:,} are expected")
    return book.state_hash()


def in_batches(flow: Instructions, size: int, rules: Any, state: bytes, kind: Any = OrderBook) -> Timed:
    """What happened is let go after each batch, as a sender does who has read it; right when the book stands as it should."""

    def timed() -> tuple[float, bool]:
        book = kind(rules, len(flow))
        begin = perf_counter()
        for first in range(0, len(flow), size):
            book.submit(flow[first : first + size])
        return perf_counter() - begin, book.state_hash() == state

    return timed


def one_by_one(events: list[Event], state: bytes) -> Timed:
    """One Python call for each event, as a gateway without batches would."""

    def timed() -> tuple[float, bool]:
        book, allow = OrderBook(benchmark_rules(), len(events)), int(SelfTrade.ALLOW)
        begin = perf_counter()
        for time, (cancel, order, side, price, quantity) in enumerate(events):
            if cancel:
                book.cancel(order, 0, time)
            else:
                book.limit(order, 0, side, quantity, price, 0, time, self_trade=allow)
        return perf_counter() - begin, book.state_hash() == state

    return timed


def peer(drive: Callable[[list[Event]], tuple[int, int]], events: list[Event]) -> Timed:
    def timed() -> tuple[float, bool]:
        begin = perf_counter()
        found = drive(events)
        return perf_counter() - begin, found == CONTROL_SUMS[len(events)]

    return timed


def size_within(most: float) -> int:
    """The largest of the sizes with published sums that is not above `most`."""
    return max([n for n in CONTROL_SUMS if n <= most], default=min(CONTROL_SUMS))


def run(scale: float = 1.0) -> list[dict[str, Any]]:
    """One row an engine: what, events, per_second (median), least, most, right."""
    logging.getLogger("pyorderbook").setLevel(logging.CRITICAL)
    whole, single, slow = (size_within(most * scale) for most in (1_000_000, 200_000, 50_000))
    rules, flow = benchmark_rules(), benchmark_flow(whole)
    rows = drawn_events(whole, 42)
    events = [(cancel, order + 1, side, price, quantity) for cancel, order, side, price, quantity in rows.tolist()]
    states = {n: state_after(flow[:n], rules, CONTROL_SUMS[n]) for n in {whole, single, slow}}
    work: list[tuple[str, int, Timed]] = [
        *((f"tonne, {name}", whole, in_batches(flow, size, rules, states[whole])) for name, size in batches(whole)),
        ("tonne, one call per event", single, one_by_one(events[:single], states[single])),
        ("tonne, plain book (the auditor)", slow, in_batches(flow[:slow], slow, rules, states[slow], PlainBook)),
    ]
    for name in installed()[0]:
        n = size_within(PEERS[name][2] * scale)
        work.append((title(name), n, peer(PEERS[name][1], events[:n])))
    rules = flow_rules(5)
    flow = order_flow(whole, 1, rules)
    states = {n: state_after(flow[:n], rules) for n in {whole, slow}}
    work += [(f"everything in it: tonne, {name}", whole, in_batches(flow, size, rules, states[whole])) for name, size in batches(whole)[:2]]
    work.append(("everything in it: plain book", slow, in_batches(flow[:slow], slow, rules, states[slow], PlainBook)))
    one_by_one(events[:10], b"")()  # loads what is compiled
    return measured(work)


def batches(whole: int) -> list[tuple[str, int]]:
    return [("one batch", whole), *((f"batches of {size:,}", size) for size in (1_000, 100, 10))]


def measured(work: list[tuple[str, int, Timed]]) -> list[dict[str, Any]]:
    """Interleaved rounds; an engine is right when it is so every time."""
    speeds: dict[str, list[float]] = {what: [] for what, _, _ in work}
    right = dict.fromkeys(speeds, True)
    for _ in range(ROUNDS):
        for what, n, timed in work:
            seconds, sound = timed()
            speeds[what].append(n / seconds)
            right[what] &= sound
    names = ("what", "events", "per_second", "least", "most", "right")
    rows = [(what, n, round(statistics.median(speeds[what])), round(min(speeds[what])), round(max(speeds[what])), right[what]) for what, n, _ in work]
    return [dict(zip(names, row, strict=True)) for row in rows]


def table(rows: list[dict[str, Any]]) -> str:
    lines = [
        f"benchmark flow, seed 42; {ROUNDS} interleaved rounds, instructions a second",
        f"{'':53}{'events':>11}{'median':>14}{'least':>14}{'most':>14}  trades",
    ]
    for row in rows:
        speeds = "".join(f"{row[name]:>14,}" for name in ("per_second", "least", "most")) if row["right"] else f"{'-':>14}" * 3
        lines.append(f"{row['what']:53}{row['events']:>11,}{speeds}  {'right' if row['right'] else 'WRONG'}")
    left_out = installed()[1]
    return "\n".join([*lines, *([f"left out, not installed: {', '.join(left_out)} (pip install tonne[bench])"] if left_out else [])])


def main() -> None:
    print(machine())
    print(table(run(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0)))


if __name__ == "__main__":
    main()
