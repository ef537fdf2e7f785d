"""The fast book and the plain book on the same random flow: every execution, every state; and what must hold whoever is right.

Flows of all kinds of orders, instructions and matching, some with three accounts that meet themselves all day, some with every fourth row wrong, in
batches cut anywhere, with a snapshot and restart in the middle. `python -m benchmarks.agreement [FLOWS [ROWS]]` prints a table (100 flows of 100,000
rows take some minutes, nearly all of it in the plain book).
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from time import perf_counter
from typing import Any

import numpy as np

from tonne.market.order_book import OrderBook
from tonne.market.orders import (
    Executions,
    Happening,
    Instructions,
    InstrumentRules,
    Lasting,
    Matching,
    OrderKind,
    Phase,
    SelfTrade,
    Side,
    executions_of,
)
from tonne.market.plain_book import PlainBook
from tonne.simulation.order_flow import FlowPlan, flow_rules, order_flow
from tonne.simulation.randomness import generator

Rules = tuple[InstrumentRules, ...]
SHAPES = ("usual", "three accounts", "much wrong", "long days", "few ticks", "always open")


class Difference(AssertionError):
    """The two books do not say the same, or one says what cannot be."""


def shape(seed: int, rows: int) -> tuple[str, Rules, FlowPlan]:
    """The name, instruments and plan of a flow: six kinds in turn."""
    kind, plan = SHAPES[seed % len(SHAPES)], FlowPlan(rows_a_day=max(200, min(3_000, rows // 3)))
    rules = flow_rules(6 if seed % 4 else 5, seed)
    if kind == "three accounts":
        plan = replace(plan, accounts=3)
    elif kind == "much wrong":
        plan = replace(plan, invalid=0.25, rare=0.03)
    elif kind == "long days":
        plan = replace(plan, rows_a_day=20_000, amends=0.2)
    elif kind == "few ticks":
        rules = tuple(replace(rule, lowest_price=rule.reference - 6, highest_price=rule.reference + 6, breaker=rule.breaker and 3) for rule in rules)
    elif kind == "always open":
        plan, rules = replace(plan, rows_a_day=10**9, rare=0.0005), tuple(replace(rule, breaker=0) for rule in rules)
    return kind, rules, plan


def flow_of(seed: int, rows: int) -> tuple[Rules, Instructions]:
    """The flow of a seed."""
    kind, rules, plan = shape(seed, rows)
    flow = order_flow(rows, seed, rules, plan)
    # The opening phases would leave this one collecting for ever: without them it trades from its first row.
    return rules, flow[len(rules) + 1 :] if kind == "always open" else flow


def dense_flow(seed: int) -> tuple[Rules, Instructions]:
    """A few hundred rows of at most six accounts on a handful of ticks, days of a hundred rows: everything meets everything."""
    random = generator(seed, "dense flow")

    def one_of(*choices: Any) -> Any:
        return choices[int(random.integers(len(choices)))]

    width, matching = one_of(2, 4, 8, 30), one_of(None, None, None, None, *Matching)
    rules = []
    for rule in flow_rules(one_of(1, 2, 5), seed):
        way = rule.matching if matching is None else matching
        rules.append(
            replace(
                rule,
                matching=way,
                lowest_price=rule.reference - width,
                highest_price=rule.reference + width,
                breaker=0 if way == Matching.TAKERS_CHOICE or not rule.breaker else one_of(0, 1, 2, 5),
                largest_order=one_of(5, 50, 2**31 - 1),
                take_levels=one_of(1, 2, 5),
                phase=one_of(Phase.PRE_OPEN, Phase.OPENING_CALL, Phase.CONTINUOUS, Phase.VOLATILITY_CALL),
            )
        )
    plan = FlowPlan(
        accounts=one_of(1, 2, 3, 6),
        rows_a_day=one_of(100, 150, 400),
        invalid=one_of(0, 0.05, 0.4),
        cancels=one_of(0.1, 0.3),
        amends=one_of(0.05, 0.3),
        rare=one_of(0.003, 0.05, 0.15),
    )
    return tuple(rules), order_flow(one_of(100, 400), seed, tuple(rules), plan)


def compare(seed: int, rows: int, check: bool = False) -> dict[str, Any]:
    """Put the flow of a seed through both books; raises Difference. What was seen, with the seconds of each book."""
    rules, flow = flow_of(seed, rows)
    cuts = np.sort(generator(seed, "cuts").integers(0, len(flow) + 1, 2 + len(flow) // 5_000))
    fast, spent, parts = OrderBook(rules), 0.0, []
    restart = cuts[len(cuts) // 2]
    for first, last in zip([0, *cuts], [*cuts, len(flow)], strict=True):
        begin = perf_counter()
        parts.append(fast.submit(flow[first:last]).copy())
        spent += perf_counter() - begin
        if first == restart:
            fast = OrderBook.from_bytes(fast.to_bytes())
    executions = np.concatenate(parts)
    begin = perf_counter()
    plain = PlainBook(rules)
    theirs = plain.submit(flow)
    plain_spent = perf_counter() - begin
    same(executions, theirs, f"seed {seed}, {rows} rows")
    if fast.state_hash() != plain.state_hash():
        raise Difference(f"seed {seed}, {rows} rows: all executions agree, the states do not")
    if check:
        check_invariants(rules, flow, executions, plain)
    return {"seed": seed, "shape": SHAPES[seed % len(SHAPES)], "rows": len(flow), "fast": spent, "plain": plain_spent, "executions": executions}


def same(ours: Executions, theirs: Executions, what: str) -> None:
    """Raises Difference with the first row on which two answers differ."""
    if len(ours) == len(theirs) and (ours == theirs).all():
        return
    shorter = min(len(ours), len(theirs))
    places = np.flatnonzero(ours[:shorter] != theirs[:shorter])
    at = int(places[0]) if len(places) else shorter
    fast, plain = executions_of(ours[at : at + 1]), executions_of(theirs[at : at + 1])
    raise Difference(f"{what}: execution {at}: the fast book says {fast}, the plain one {plain}")


def smallest(rules: Rules, flow: Instructions, wrong: Any) -> Instructions:
    """The fewest rows (found by leaving out) on which `wrong(rules, rows)` still holds."""
    low, high = 1, len(flow)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if wrong(rules, flow[:middle]) else (middle + 1, high)
    flow, size = flow[:low], max(1, low // 2)
    while size:
        first = 0
        while first < len(flow):
            fewer = np.concatenate([flow[:first], flow[first + size :]])
            if len(fewer) and wrong(rules, fewer):
                flow = fewer
            else:
                first += size
        size //= 2
    return flow


# what must hold, whoever is right


class _Seen:
    """An order as the rows tell it."""

    __slots__ = ("account", "instrument", "left", "limit", "self_trade", "side")

    def __init__(self, account: int, instrument: int, side: int, limit: int, left: int, self_trade: int) -> None:
        self.account, self.instrument, self.side = account, instrument, side
        self.limit, self.left, self.self_trade = limit, left, self_trade


class _Checker:
    """Follows the rows of a book and holds them to the rules, with queues of its own."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.orders: dict[int, _Seen] = {}
        self.queues: dict[tuple[int, int], dict[int, dict[int, None]]] = {(k, side): {} for k in range(len(rules)) for side in (0, 1)}
        self.fresh: dict[int, None] = {}
        self.stops: set[int] = set()
        self.call = 0  # lots of the call that are still to come in rows
        self.call_price = 0

    def row(self, row: Any, instruction: Any) -> None:
        happening, number = row.happening, row.order
        if happening == Happening.ACCEPTED:
            self.must(number not in self.orders and row.left == row.quantity > 0, row, "accepted twice, or with nothing")
            self.orders[number] = _Seen(row.account, row.instrument, row.side, row.price, row.left, instruction["self_trade"])
            if instruction["kind"] in (OrderKind.STOP, OrderKind.STOP_LIMIT):
                self.stops.add(number)
            else:
                self.fresh[number] = None
        elif happening == Happening.UNCROSSED:
            self.call, self.call_price = row.quantity, row.price
        elif happening == Happening.TRADE:
            self.trade(row)
        elif happening == Happening.DECREMENTED:
            self.must(self.orders[row.against].account == row.account, row, "decremented by another account's order")
            self.reduce(row)
        elif happening in (Happening.CANCELLED, Happening.EXPIRED):
            self.must(self.orders[number].left == row.quantity and row.left == 0, row, "took out what was not there")
            self.leave(number)
            del self.orders[number]
            self.fresh.pop(number, None)
        elif happening == Happening.AMENDED:
            self.amended(row)
        elif happening == Happening.TRIGGERED:
            self.stops.discard(number)
            self.orders[number].limit = row.price
            self.fresh[number] = None
        elif happening == Happening.REPLENISHED:
            self.leave(number)
            self.rest(number)

    def trade(self, row: Any) -> None:
        came, rested = self.orders[row.order], self.orders[row.against]
        buy, sell = (came, rested) if row.side == Side.BUY else (rested, came)
        self.must(came.side == row.side != rested.side and (row.account, row.other) == (came.account, rested.account), row, "names the wrong orders")
        self.must(not buy.limit or row.price <= buy.limit, row, "the buyer pays more than its limit")
        self.must(not sell.limit or row.price >= sell.limit, row, "the seller gets less than its limit")
        self.must(row.quantity > 0, row, "no quantity")
        if self.call:
            self.call -= row.quantity
            self.must(self.call >= 0 and row.price == self.call_price, row, "a call trades at one price, so many lots")
        else:
            self.must(row.price == rested.limit, row, "not at the resting order's price")
            own = came.account == rested.account and came.self_trade != SelfTrade.ALLOW
            self.must(not own, row, "an account trades with itself")
            if row.against in self.fresh:
                self.rest(row.against)
                del self.fresh[row.against]
            self.priority(row, rested)
        self.reduce(row)

    def priority(self, row: Any, rested: _Seen) -> None:
        levels = self.queues[rested.instrument, rested.side]
        better = sum(price > row.price if rested.side == Side.BUY else price < row.price for price in levels)
        rule = self.rules[rested.instrument]
        if rule.matching == Matching.TAKERS_CHOICE:
            self.must(better < rule.take_levels, row, "not among the best levels")
            return
        self.must(better == 0, row, "there is a better price")
        if rule.matching == Matching.PRICE_TIME:
            self.must(next(iter(levels[row.price])) == row.against, row, "another order stood before it")

    def reduce(self, row: Any) -> None:
        for number in (row.order, row.against):
            self.orders[number].left -= row.quantity
            self.must(self.orders[number].left >= 0, row, f"order {number} gives more than it had")
        self.must(self.orders[row.order].left == row.left, row, "tells another rest")
        if row.happening == Happening.DECREMENTED:
            return  # who has nothing left is cancelled in a row of its own
        for number in (row.order, row.against):
            if not self.orders[number].left:
                self.leave(number)
                del self.orders[number]
                self.fresh.pop(number, None)

    def amended(self, row: Any) -> None:
        order = self.orders[row.order]
        keeps = row.price == order.limit and row.left <= order.left
        if not keeps and row.order not in self.stops:
            self.leave(row.order)
            self.fresh[row.order] = None
        order.limit, order.left = row.price, row.left

    def rest(self, number: int) -> None:
        order = self.orders[number]
        if order.limit:
            self.queues[order.instrument, order.side].setdefault(order.limit, {})[number] = None

    def leave(self, number: int) -> None:
        order = self.orders[number]
        queue = self.queues[order.instrument, order.side].get(order.limit)
        if queue is not None and number in queue:
            del queue[number]
            if not queue:
                del self.queues[order.instrument, order.side][order.limit]

    def done(self) -> None:
        """An instruction is over: what came and is still there rests."""
        for number in self.fresh:
            self.rest(number)
        self.fresh.clear()

    def must(self, holds: Any, row: Any, what: str) -> None:
        if not holds:
            raise Difference(f"{what}: {row}")


def check_invariants(rules: Rules, flow: Instructions, executions: Executions, book: Any) -> None:
    """No fill beyond a limit, no lot lost or made, no trade with oneself, nobody passed over, one price in a call, no crossed book in trading."""
    checker, last = _Checker(rules), -1
    phases = [int(rule.phase) for rule in rules]
    for row in executions_of(executions):
        if row.instruction != last:
            checker.done()
            _check_not_crossed(checker, phases, row)
        last = row.instruction
        if row.happening == Happening.PHASE_CHANGED:
            phases[row.instrument] = row.quantity
        checker.row(row, flow[row.instruction])
    left = {int(row["order"]): int(row["left"]) for row in book.open_orders()}
    told = {number: order.left for number, order in checker.orders.items()}
    if left != told:
        raise Difference(f"open orders are not those of the rows: {sorted(set(left.items()) ^ set(told.items()))[:6]}")
    for instruction in (Lasting.IOC, Lasting.FOK):
        numbers = set(flow["order"][(flow["lasting"] == int(instruction)) & np.isin(flow["kind"], [0, 1])].tolist())
        entered = {row["order"] for row in book.open_orders() if row["lasting"] == int(instruction) and row["order"] in numbers and not row["stop"]}
        if entered:
            raise Difference(f"{instruction.name} orders rest: {sorted(entered)[:6]}")


def _check_not_crossed(checker: _Checker, phases: list[int], row: Any) -> None:
    for k, rule in enumerate(checker.rules):
        if phases[k] == Phase.CONTINUOUS and rule.matching != Matching.TAKERS_CHOICE:
            buys, sells = checker.queues[k, 0], checker.queues[k, 1]
            if buys and sells and max(buys) >= min(sells):
                raise Difference(f"instrument {k} is crossed, {max(buys)} to {min(sells)}, before {row}")


def table(found: list[dict[str, Any]], seen: Counter[str]) -> str:
    """What was compared, by shape of flow."""
    lines = [f"{'flows':<18}{'number':>8}{'rows':>14}{'executions':>14}{'trades':>12}{'fast, rows/s':>16}{'plain, rows/s':>16}"]
    for name in (*SHAPES, "all"):
        rows = [row for row in found if name in (row["shape"], "all")]
        if rows:
            sent, fast, plain = (sum(row[key] for row in rows) for key in ("rows", "fast", "plain"))
            executions, trades = (sum(row[key] for row in rows) for key in ("n_executions", "n_trades"))
            lines.append(f"{name:<18}{len(rows):>8}{sent:>14,}{executions:>14,}{trades:>12,}{sent / fast:>16,.0f}{sent / plain:>16,.0f}")
    never = [happening.name.lower() for happening in Happening if not seen[happening.name]]
    return "\n".join([*lines, f"every execution and every state agree; happenings never seen: {', '.join(never) or 'none'}"])


def run(flows: int, rows: int, first: int = 0, show: bool = False) -> str:
    """Compare many flows; a table. Raises Difference at the first one that differs."""
    found, seen = [], Counter[str]()
    OrderBook(flow_rules(2)).submit(order_flow(500, 0, flow_rules(2)))  # loads what is compiled
    for seed in range(first, first + flows):
        row = compare(seed, rows)
        executions = row.pop("executions")
        counts = Counter(executions["happening"].tolist())
        seen.update({Happening(word).name: count for word, count in counts.items()})
        found.append(row | {"n_executions": len(executions), "n_trades": counts[int(Happening.TRADE)]})
        if show:
            print(f"\r{seed - first + 1} of {flows}", end="", file=sys.stderr, flush=True)
    return table(found, seen)


def main() -> None:
    flows, rows = (int(given) for given in (*sys.argv[1:3], *("100", "100000")[len(sys.argv[1:3]) :]))
    print(run(flows, rows, show=sys.stderr.isatty()))


if __name__ == "__main__":
    main()
