"""Alerts: what in a stretch of trading somebody should look at, with the orders and trades that show it.

An alert is a question to a person, not a finding of guilt. Each function takes executions (rows of EXECUTION, in order) and gives alerts; none keeps
anything. `Watch` holds every threshold. Owners: accounts of one group count as one; an account without a group is its own owner.

Trades carry the numbers that `market.data.trades` gives them: 1, 2, 3, ... among the TRADE rows, or from `first_trade` on.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from tonne.market.orders import Executions, Happening, Reason, Side

__all__ = ["Alert", "Limits", "Watch", "alerts", "cornering", "layering", "limit_breaches", "marking_the_close", "round_trips", "wash_trades"]

SECOND = 1_000_000
KINDS = (
    "layering", "wash_trade", "round_trip", "cornering", "position_limit", "order_limit", "price_limit", "marking_the_close",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Watch:
    """The thresholds. Times in seconds, quantities in lots, shares exact.

    layering: at least `layering_orders` orders of one side, pulled within `layering_gap` of each other, none older than `layering_life`, none
    traded by more than `layering_filled` of its quantity, together at least `layering_multiple` times what their owner traded on the other side
    meanwhile.

    round trips: the same owners pass about the same quantity (within `round_trip_tolerance`) in a ring of up to `round_trip_hops` trades within
    `round_trip_window`, at least `round_trip_times` times, each at least `round_trip_least` lots. Of an owner's trades the next `round_trip_looks`
    are looked at.

    cornering: a net long position of `corner_share` of what there is.

    close: at least `close_share` of the volume of the last `close_window` before a close, in at least `close_trades` trades, while the price moved
    that way by `close_move` of itself.
    """

    layering_orders: int = 3
    layering_gap: int = 10
    layering_life: int = 60
    layering_filled: Fraction = Fraction(1, 10)
    layering_multiple: int = 5
    round_trip_window: int = 120
    round_trip_tolerance: Fraction = Fraction(1, 20)
    round_trip_hops: int = 3
    round_trip_times: int = 3
    round_trip_least: int = 5
    round_trip_looks: int = 500
    corner_share: Fraction = Fraction(1, 3)
    close_window: int = 600
    close_share: Fraction = Fraction(1, 3)
    close_trades: int = 3
    close_move: Fraction = Fraction(1, 100)


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one instrument, None where there is none: lots of a net position, lots of an order, lowest and highest price in ticks."""

    position: int | None = None
    order: int | None = None
    lowest: int | None = None
    highest: int | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing to look at. `begins` and `ends` in microseconds since 1970; `orders` and `trades` are the evidence, in order."""

    kind: str
    accounts: tuple[int, ...]
    instrument: int
    begins: int
    ends: int
    orders: tuple[int, ...]
    trades: tuple[int, ...]
    sentence: str


class _Trade(NamedTuple):
    number: int
    time: int
    instrument: int
    price: int
    quantity: int
    buyer: int
    seller: int
    buy_order: int
    sell_order: int


def alerts(
    executions: Executions,
    watch: Watch | None = None,
    *,
    groups: Mapping[int, int] | None = None,
    limits: Mapping[int, Limits] | None = None,
    open_interest: Mapping[int, int] | None = None,
    held: Mapping[tuple[int, int], int] | None = None,
    closes: Sequence[int] = (),
    first_trade: int = 1,
) -> list[Alert]:
    """All alerts of a stretch of trading, by begin, kind and accounts.

    groups: account -> the group it belongs to. limits, open_interest: by instrument; what is not given is not watched. held: (account, instrument) ->
    net lots before the first row. closes: the moments (microseconds) at which a day's trading or its closing call ended.
    """
    watch, groups = watch or Watch(), groups or {}
    found = [
        *layering(executions, watch, groups, first_trade),
        *wash_trades(executions, groups, first_trade),
        *round_trips(executions, watch, groups, first_trade),
        *cornering(executions, open_interest or {}, watch, groups, held, first_trade),
        *limit_breaches(executions, limits or {}, groups, held, first_trade),
        *marking_the_close(executions, closes, watch, groups, first_trade),
    ]
    return sorted(found, key=lambda alert: (alert.begins, KINDS.index(alert.kind), alert.accounts, alert.instrument, alert.orders, alert.trades))


def layering(executions: Executions, watch: Watch, groups: Mapping[int, int] | None = None, first_trade: int = 1) -> list[Alert]:
    """Large interest shown on one side and taken away, while the owner trades on the other (layering, spoofing)."""
    groups = groups or {}
    pulled = _pulled(executions, watch)
    deals: dict[tuple[int, int, int], list[_Trade]] = defaultdict(list)
    for trade in _trades(executions, first_trade):
        deals[_owner(groups, trade.buyer), trade.instrument, int(Side.BUY)].append(trade)
        deals[_owner(groups, trade.seller), trade.instrument, int(Side.SELL)].append(trade)
    piles: dict[tuple[int, int, int], list[_Pulled]] = defaultdict(list)
    for order in pulled:
        piles[_owner(groups, order.account), order.instrument, order.side].append(order)
    found = []
    for (owner, instrument, side), orders in sorted(piles.items()):
        against = deals.get((owner, instrument, 1 - side), [])
        times = [trade.time for trade in against]
        for burst in _bursts(orders, watch.layering_gap * SECOND):
            shown = min(order.entered for order in burst)
            meanwhile = against[bisect_left(times, shown) : bisect_right(times, burst[-1].taken)]
            burst = [order for order in burst if bisect_left(times, order.entered) < bisect_right(times, order.taken)]
            size, traded = sum(order.quantity for order in burst), sum(trade.quantity for trade in meanwhile)
            if len(burst) < watch.layering_orders or size < watch.layering_multiple * traded:
                continue
            words = ("buy", "sell") if side == Side.BUY else ("sell", "buy")
            sentence = (
                f"{len(burst)} {words[0]} orders of {_count(size, 'lot')} were shown and taken away within {_seconds(shown, burst[-1].taken)} s, "
                f"while their owner's {words[1]} side traded {_count(traded, 'lot')}"
            )
            accounts = _accounts({order.account for order in burst}, {t.seller if side == Side.BUY else t.buyer for t in meanwhile})
            numbers = tuple(order.order for order in burst)
            begins, ends = min(order.entered for order in burst), burst[-1].taken
            found.append(Alert("layering", accounts, instrument, begins, ends, numbers, _numbers(meanwhile), sentence))
    return found


def wash_trades(executions: Executions, groups: Mapping[int, int] | None = None, first_trade: int = 1) -> list[Alert]:
    """Trades with the same owner on both sides; one alert for each owner and instrument."""
    groups = groups or {}
    both: dict[tuple[int, int], list[_Trade]] = defaultdict(list)
    for trade in _trades(executions, first_trade):
        if _owner(groups, trade.buyer) == _owner(groups, trade.seller):
            both[_owner(groups, trade.buyer), trade.instrument].append(trade)
    found = []
    for (_, instrument), trades in sorted(both.items()):
        same = all(trade.buyer == trade.seller for trade in trades)
        who = "the same account" if same else "accounts of the same group"
        sentence = f"{_count(trades, 'trade')}, {_count(sum(t.quantity for t in trades), 'lot')} in all, with {who} on both sides"
        found.append(_alert("wash_trade", trades, sentence, instrument))
    return found


def round_trips(executions: Executions, watch: Watch, groups: Mapping[int, int] | None = None, first_trade: int = 1) -> list[Alert]:
    """Units that come back to who sold them, through one owner or several, again and again: a wash trade in more than one step."""
    groups = groups or {}
    by_instrument: dict[int, list[_Trade]] = defaultdict(list)
    for trade in _trades(executions, first_trade):
        if trade.quantity >= watch.round_trip_least and _owner(groups, trade.buyer) != _owner(groups, trade.seller):
            by_instrument[trade.instrument].append(trade)
    found = []
    for instrument, trades in sorted(by_instrument.items()):
        rings: dict[tuple[int, ...], list[list[_Trade]]] = defaultdict(list)
        for ring in _rings(trades, watch, groups):
            rings[_accounts({_owner(groups, trade.seller) for trade in ring})].append(ring)
        for owners, made in sorted(rings.items()):
            if len(made) < watch.round_trip_times:
                continue
            flat = sorted((trade for ring in made for trade in ring), key=lambda trade: trade.number)
            sentence = (
                f"{len(made)} times {_count(made[0][0].quantity, 'lot')} or about as many went round {len(owners)} owners and came back "
                f"within {watch.round_trip_window} s"
            )
            found.append(_alert("round_trip", flat, sentence, instrument))
    return found


def cornering(
    executions: Executions,
    open_interest: Mapping[int, int],
    watch: Watch,
    groups: Mapping[int, int] | None = None,
    held: Mapping[tuple[int, int], int] | None = None,
    first_trade: int = 1,
) -> list[Alert]:
    """A net long position that reaches a share of the open interest (of a spot instrument: of the units that float freely).

    One alert an owner and instrument, at the first trade that brings it there; the evidence is every trade that built it.
    """
    if not open_interest:
        return []
    groups = groups or {}
    net, built = _positions_before(held, groups), defaultdict(list)
    found, told = [], set()
    for trade in _trades(executions, first_trade):
        for account, sign in ((trade.buyer, 1), (trade.seller, -1)):
            key = (_owner(groups, account), trade.instrument)
            net[key] += sign * trade.quantity
            if sign > 0:
                built[key].append((trade, account))
        key, there_is = (_owner(groups, trade.buyer), trade.instrument), open_interest.get(trade.instrument)
        if there_is and key not in told and net[key] >= watch.corner_share * there_is:
            told.add(key)
            trades = [made for made, _ in built[key]]
            share = Fraction(100 * net[key], there_is)
            sentence = f"a net long position of {_count(net[key], 'lot')} is {round(share)} % of the {there_is:,} there are"
            orders = tuple(dict.fromkeys(made.buy_order for made in trades))
            accounts = _accounts({account for _, account in built[key]})
            found.append(Alert("cornering", accounts, trade.instrument, trades[0].time, trade.time, orders, _numbers(trades), sentence))
    return found


def limit_breaches(
    executions: Executions,
    limits: Mapping[int, Limits],
    groups: Mapping[int, int] | None = None,
    held: Mapping[tuple[int, int], int] | None = None,
    first_trade: int = 1,
) -> list[Alert]:
    """Orders larger, positions wider and prices further out than the limits allow."""
    if not limits:
        return []
    groups = groups or {}
    return [
        *_large_orders(executions, limits),
        *_wide_positions(executions, limits, groups, held, first_trade),
        *_far_prices(executions, limits, first_trade),
    ]


def marking_the_close(
    executions: Executions, closes: Iterable[int], watch: Watch, groups: Mapping[int, int] | None = None, first_trade: int = 1
) -> list[Alert]:
    """One owner buys (sells) much of what trades just before the close, and the price goes that way."""
    groups, found = groups or {}, []
    by_instrument: dict[int, list[_Trade]] = defaultdict(list)
    for trade in _trades(executions, first_trade):
        by_instrument[trade.instrument].append(trade)
    for instrument, trades in sorted(by_instrument.items()):
        times = np.array([trade.time for trade in trades], dtype=np.int64)
        for close in sorted(set(closes)):
            first, last = np.searchsorted(times, close - watch.close_window * SECOND), np.searchsorted(times, close, side="right")
            if first == 0 or first == last:
                continue  # without a price before the window nothing can be said to have moved
            before, window = trades[first - 1].price, trades[first:last]
            moved = window[-1].price - before
            if abs(moved) < watch.close_move * abs(before) or moved == 0:
                continue
            found += _pushers(instrument, before, window, watch, groups)
    return found


def _pushers(instrument: int, before: int, window: Sequence[_Trade], watch: Watch, groups: Mapping[int, int]) -> list[Alert]:
    up = window[-1].price > before
    by_owner: dict[int, list[_Trade]] = defaultdict(list)
    for trade in window:
        by_owner[_owner(groups, trade.buyer if up else trade.seller)].append(trade)
    volume = sum(trade.quantity for trade in window)
    found = []
    for _, mine in sorted(by_owner.items()):
        lots = sum(trade.quantity for trade in mine)
        if len(mine) < watch.close_trades or lots < watch.close_share * volume:
            continue
        accounts = _accounts({trade.buyer if up else trade.seller for trade in mine})
        orders = tuple(dict.fromkeys(trade.buy_order if up else trade.sell_order for trade in mine))
        sentence = (
            f"{lots:,} of the {volume:,} lots of the last {watch.close_window} s were {'bought' if up else 'sold'} by one owner, "
            f"while the price went from {before:,} to {window[-1].price:,} ticks"
        )
        found.append(Alert("marking_the_close", accounts, instrument, mine[0].time, mine[-1].time, orders, _numbers(mine), sentence))
    return found


def _large_orders(executions: Executions, limits: Mapping[int, Limits]) -> list[Alert]:
    rows = executions[np.isin(executions["happening"], [int(Happening.ACCEPTED), int(Happening.AMENDED)])]
    large: dict[tuple[int, int], list[tuple[int, int, int]]] = defaultdict(list)
    for row in rows:
        limit = limits.get(int(row["instrument"]), Limits()).order
        if limit is not None and row["quantity"] > limit:
            large[int(row["account"]), int(row["instrument"])].append((int(row["time"]), int(row["order"]), int(row["quantity"])))
    found = []
    for (account, instrument), orders in sorted(large.items()):
        largest = max(quantity for _, _, quantity in orders)
        sentence = f"{_count(orders, 'order')} above the limit of {limits[instrument].order:,}, the largest of {_count(largest, 'lot')}"
        numbers = tuple(dict.fromkeys(order for _, order, _ in orders))
        found.append(Alert("order_limit", (account,), instrument, orders[0][0], orders[-1][0], numbers, (), sentence))
    return found


def _wide_positions(
    executions: Executions,
    limits: Mapping[int, Limits],
    groups: Mapping[int, int],
    held: Mapping[tuple[int, int], int] | None,
    first_trade: int,
) -> list[Alert]:
    """One alert an owner and instrument: from the first trade beyond the limit to the widest position."""
    net = _positions_before(held, groups)
    beyond: dict[tuple[int, int], list[tuple[_Trade, int, int]]] = defaultdict(list)
    for trade in _trades(executions, first_trade):
        limit = limits.get(trade.instrument, Limits()).position
        for account, sign in ((trade.buyer, 1), (trade.seller, -1)):
            key = (_owner(groups, account), trade.instrument)
            net[key] += sign * trade.quantity
            if limit is not None and abs(net[key]) > limit and net[key] * sign > 0:
                beyond[key].append((trade, account, net[key]))
    found = []
    for (_, instrument), rows in sorted(beyond.items()):
        trades = list(dict.fromkeys(trade for trade, _, _ in rows))
        widest = max((position for _, _, position in rows), key=abs)
        sentence = f"a net position of {_count(widest, 'lot')} is beyond the limit of {limits[instrument].position:,}"
        orders = tuple(dict.fromkeys(trade.buy_order if trade.buyer == account else trade.sell_order for trade, account, _ in rows))
        accounts = _accounts({account for _, account, _ in rows})
        found.append(Alert("position_limit", accounts, instrument, trades[0].time, trades[-1].time, orders, _numbers(trades), sentence))
    return found


def _far_prices(executions: Executions, limits: Mapping[int, Limits], first_trade: int) -> list[Alert]:
    far: dict[int, list[_Trade]] = defaultdict(list)
    for trade in _trades(executions, first_trade):
        limit = limits.get(trade.instrument, Limits())
        if (limit.lowest is not None and trade.price < limit.lowest) or (limit.highest is not None and trade.price > limit.highest):
            far[trade.instrument].append(trade)
    found = []
    for instrument, trades in sorted(far.items()):
        prices = [trade.price for trade in trades]
        low, high = (("no limit" if bound is None else f"{bound:,}") for bound in (limits[instrument].lowest, limits[instrument].highest))
        sentence = f"{_count(trades, 'trade')} between {min(prices):,} and {max(prices):,} ticks; the limits are {low} and {high}"
        found.append(_alert("price_limit", trades, sentence, instrument))
    return found


def _rings(trades: Sequence[_Trade], watch: Watch, groups: Mapping[int, int]) -> list[list[_Trade]]:
    """Rings of trades, each trade in one at most: every seller is the buyer before, the last buyer is the first seller."""
    owners = [(_owner(groups, trade.seller), _owner(groups, trade.buyer)) for trade in trades]
    by_seller: dict[int, list[int]] = defaultdict(list)
    by_pair: dict[tuple[int, int], list[int]] = defaultdict(list)
    for place, (seller, buyer) in enumerate(owners):
        by_seller[seller].append(place)
        by_pair[seller, buyer].append(place)
    used: set[int] = set()
    found = []

    def next_steps(path: list[int], places: list[int]) -> Iterator[int]:
        """Trades after the path's last, in the window, unused and of about the quantity of its first."""
        first, start = trades[path[0]], bisect_right(places, path[-1])
        for place in places[start : start + watch.round_trip_looks]:
            if trades[place].time - first.time > watch.round_trip_window * SECOND:
                return
            if place not in used and abs(trades[place].quantity - first.quantity) <= watch.round_trip_tolerance * first.quantity:
                yield place

    def onwards(path: list[int]) -> list[int] | None:
        """The path closed to a ring, by the trade that closes it at once if there is one."""
        holder, home = owners[path[-1]][1], owners[path[0]][0]
        if (last := next(next_steps(path, by_pair.get((holder, home), [])), None)) is not None:
            return [*path, last]
        if len(path) + 2 > watch.round_trip_hops:
            return None
        closed = (onwards([*path, place]) for place in next_steps(path, by_seller.get(holder, [])))
        return next((ring for ring in closed if ring is not None), None)

    for place in range(len(trades)):
        if place not in used and (ring := onwards([place])) is not None:
            used.update(ring)
            found.append([trades[member] for member in ring])
    return found


class _Pulled(NamedTuple):
    """An order that its owner took away, nearly untraded."""

    order: int
    account: int
    instrument: int
    side: int
    entered: int
    taken: int
    quantity: int


def _pulled(executions: Executions, watch: Watch) -> list[_Pulled]:
    """Limit orders that were cancelled on request, young and nearly whole. (Market orders and stops without a limit show nothing to anybody.)"""
    asked = (executions["happening"] == int(Happening.CANCELLED)) & (executions["reason"] == int(Reason.NONE))
    gone = executions[asked]
    entered = executions[
        (executions["happening"] == int(Happening.ACCEPTED)) & (executions["price"] > 0) & np.isin(executions["order"], gone["order"])
    ]
    first = {int(row["order"]): row for row in entered}
    found = []
    for row in gone:
        began = first.get(int(row["order"]))
        if began is None or row["time"] - began["time"] > watch.layering_life * SECOND:
            continue
        size, taken = int(began["quantity"]), int(row["quantity"])
        if size - taken <= watch.layering_filled * size:
            order, account, instrument, side = (int(row[name]) for name in ("order", "account", "instrument", "side"))
            found.append(_Pulled(order, account, instrument, side, int(began["time"]), int(row["time"]), taken))
    return found


def _bursts(orders: Sequence[_Pulled], gap: int) -> list[list[_Pulled]]:
    """The orders in groups: within one, each was taken away at most `gap` after the one before."""
    bursts: list[list[_Pulled]] = []
    for order in sorted(orders, key=lambda order: (order.taken, order.order)):
        if bursts and order.taken - bursts[-1][-1].taken <= gap:
            bursts[-1].append(order)
        else:
            bursts.append([order])
    return bursts


def _trades(executions: Executions, first_trade: int) -> list[_Trade]:
    rows = executions[executions["happening"] == int(Happening.TRADE)]
    bought = rows["side"] == int(Side.BUY)
    columns = (
        np.arange(first_trade, first_trade + len(rows)), rows["time"], rows["instrument"], rows["price"], rows["quantity"],
        np.where(bought, rows["account"], rows["other"]), np.where(bought, rows["other"], rows["account"]),
        np.where(bought, rows["order"], rows["against"]), np.where(bought, rows["against"], rows["order"]),
    )  # fmt: skip
    return [_Trade(*values) for values in zip(*(column.tolist() for column in columns), strict=True)]


def _positions_before(held: Mapping[tuple[int, int], int] | None, groups: Mapping[int, int]) -> defaultdict[tuple[int, int], int]:
    net: defaultdict[tuple[int, int], int] = defaultdict(int)
    for (account, instrument), lots in (held or {}).items():
        net[_owner(groups, account), instrument] += lots
    return net


def _owner(groups: Mapping[int, int], account: int) -> int:
    """A group's number below zero, so that it never is an account's."""
    return -1 - groups[account] if account in groups else account


def _accounts(*some: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted({account for accounts in some for account in accounts}))


def _numbers(trades: Iterable[_Trade]) -> tuple[int, ...]:
    return tuple(sorted(trade.number for trade in trades))


def _seconds(begins: int, ends: int) -> int:
    """Whole seconds, a begun one counted."""
    return -((begins - ends) // SECOND)


def _count(things: int | Sequence[object], word: str) -> str:
    number = things if isinstance(things, int) else len(things)
    return f"{number:,} {word}{'s' * (number != 1)}"


def _alert(kind: str, trades: Sequence[_Trade], sentence: str, instrument: int) -> Alert:
    accounts = _accounts({trade.buyer for trade in trades}, {trade.seller for trade in trades})
    orders = tuple(dict.fromkeys(number for trade in trades for number in (trade.buy_order, trade.sell_order)))
    return Alert(kind, accounts, instrument, trades[0].time, trades[-1].time, orders, _numbers(trades), sentence)
