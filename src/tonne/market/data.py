"""What a market tells: trades, best prices, depth, calls, daily bars, the day's summary. Pure functions from executions to tables (Polars).

Exact throughout: prices in ticks and lots stay whole numbers; `priced` writes them in money with the contract's own tick, as Decimal. Times are
microseconds since 1970 in UTC. Sides are written `buy` and `sell`; what is not there is null.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tonne.market.orders import Executions, Happening, Instructions, OrderKind, Phase, Side
from tonne.units import Rounding, round_fraction

if TYPE_CHECKING:
    from tonne.market.book_state import OpenOrders
    from tonne.market.contract import Contract

__all__ = ["auctions", "best_prices", "daily_bars", "day_summary", "depth", "in_money", "priced", "trades"]

PRICE_COLUMNS = ("price", "bid", "offer", "open", "high", "low", "close", "settlement", "previous_settlement")
_VWAP_DECIMALS = 6


def trades(executions: Executions, first_trade: int = 1) -> pl.DataFrame:
    """One row a trade: trade, instruction, time, instrument, price (ticks), quantity, buyer, seller, buy_order, sell_order, aggressor, in_call.

    `trade` numbers them from `first_trade`. aggressor: the side that came to the book, null in a call, where neither did.
    """
    rows = executions[executions["happening"] == int(Happening.TRADE)]
    bought, called = rows["side"] == int(Side.BUY), _in_call(executions)
    table = pl.DataFrame(
        {
            "trade": np.arange(first_trade, first_trade + len(rows)),
            "instruction": _column(rows, "instruction"),
            "time": _column(rows, "time"),
            "instrument": _column(rows, "instrument"),
            "price": _column(rows, "price"),
            "quantity": _column(rows, "quantity"),
            "buyer": np.where(bought, rows["account"], rows["other"]),
            "seller": np.where(bought, rows["other"], rows["account"]),
            "buy_order": np.where(bought, rows["order"], rows["against"]),
            "sell_order": np.where(bought, rows["against"], rows["order"]),
            "aggressor": pl.Series(np.where(bought, "buy", "sell").tolist(), dtype=pl.String),
            "in_call": called,
        }
    )
    aggressor = pl.when(~pl.col("in_call")).then("aggressor").alias("aggressor")
    return table.with_columns(pl.col("time").cast(pl.Datetime("us", "UTC")), aggressor)


def auctions(executions: Executions) -> pl.DataFrame:
    """One row a call that ended: instruction, time, instrument, phase (that ended), price (ticks; null: nothing traded), quantity, surplus, trades.

    surplus: what was left at the price, of the buyers above zero, of the sellers below.
    """
    ends = _among(executions, Happening.UNCROSSED)
    deals = executions[executions["happening"] == int(Happening.TRADE)][_in_call(executions)]
    counted = pl.DataFrame({name: _column(deals, name) for name in ("instruction", "instrument")}).group_by("instruction", "instrument").len("trades")
    phases = _phases_before(executions)
    table = pl.DataFrame(
        {
            "instruction": _column(ends, "instruction"),
            "time": _column(ends, "time"),
            "instrument": _column(ends, "instrument"),
            "phase": pl.Series([phases.get((int(row["instruction"]), int(row["instrument"]))) for row in ends], dtype=pl.String),
            "price": _column(ends, "price"),
            "quantity": _column(ends, "quantity"),
            "surplus": _column(ends, "left"),
        }
    )
    price = pl.when(pl.col("quantity") > 0).then("price").alias("price")
    joined = table.with_columns(pl.col("time").cast(pl.Datetime("us", "UTC")), price)
    return joined.join(counted, on=["instruction", "instrument"], how="left", maintain_order="left").with_columns(
        pl.col("trades").cast(pl.Int64).fill_null(0)
    )


def depth(open_orders: OpenOrders, instrument: int, levels: int = 5) -> pl.DataFrame:
    """The best levels of a book at rest: level (1 is best), side, price, quantity shown, orders. Market orders and stops show nothing."""
    shown = open_orders[(open_orders["instrument"] == instrument) & (open_orders["price"] > 0)]
    shown = shown[~np.isin(shown["kind"], [int(OrderKind.STOP), int(OrderKind.STOP_LIMIT)])]
    tables = []
    for side, name in ((Side.BUY, "buy"), (Side.SELL, "sell")):
        rows = shown[shown["side"] == int(side)]
        table = pl.DataFrame({"price": _column(rows, "price").astype(np.int64), "quantity": _column(rows, "shown").astype(np.int64)})
        summed = table.group_by("price").agg(pl.col("quantity").sum(), pl.len().cast(pl.Int64).alias("orders"))
        best = summed.sort("price", descending=side == Side.BUY).head(levels)
        tables.append(best.select(pl.int_range(1, pl.len() + 1).alias("level"), pl.lit(name).alias("side"), "price", "quantity", "orders"))
    return pl.concat(tables)


def daily_bars(table: pl.DataFrame, timezone: str = "UTC") -> pl.DataFrame:
    """Bars from `trades`, by instrument and local day: instrument, day, open, high, low, close (ticks), volume, value, trades, vwap.

    value: ticks times lots. vwap: value over volume in ticks, Decimal to six places, half to even. Only days with trades have a bar.
    """
    local = table.with_columns(pl.col("time").dt.convert_time_zone(timezone).dt.date().alias("day"))
    price, quantity = pl.col("price"), pl.col("quantity")
    bars = local.group_by("instrument", "day", maintain_order=True).agg(
        open=price.first(),
        high=price.max(),
        low=price.min(),
        close=price.last(),
        volume=quantity.sum(),
        value=(price.cast(pl.Int128) * quantity.cast(pl.Int128)).sum().cast(pl.Int64),  # a sum that does not fit raises
        trades=pl.len().cast(pl.Int64),
    )
    means = [_vwap(value, volume) for value, volume in bars.select("value", "volume").iter_rows()]
    return bars.with_columns(_decimals("vwap", means)).sort("instrument", "day")


def day_summary(bars: pl.DataFrame, settlement: pl.DataFrame, open_interest: pl.DataFrame | None = None) -> pl.DataFrame:
    """A row for each instrument and day that has a settlement price, whether it traded or not.

    settlement: instrument, day, settlement (ticks). open_interest: instrument, day, open_interest (lots). Adds previous_settlement and change (ticks)
    from the instrument's day before, null on its first; volume, value and trades are 0 on a day without trades.
    """
    _needs(settlement, "settlement", ("instrument", "day", "settlement"))
    table = settlement.select("instrument", "day", pl.col("settlement").cast(pl.Int64))
    if table.select("instrument", "day").is_duplicated().any():
        raise ValueError("settlement: an instrument has two settlement prices on one day; give one")
    bars = bars.with_columns(pl.col("instrument").cast(table.schema["instrument"]))
    table = table.join(bars, on=["instrument", "day"], how="left")
    if open_interest is not None:
        _needs(open_interest, "open_interest", ("instrument", "day", "open_interest"))
        given = open_interest.select(pl.col("instrument").cast(table.schema["instrument"]), "day", pl.col("open_interest").cast(pl.Int64))
        table = table.join(given, on=["instrument", "day"], how="left")
    else:
        table = table.with_columns(pl.lit(None, dtype=pl.Int64).alias("open_interest"))
    before = pl.col("settlement").shift(1).over("instrument")
    table = table.sort("instrument", "day").with_columns(before.alias("previous_settlement"), (pl.col("settlement") - before).alias("change"))
    zeros = [pl.col(name).fill_null(0) for name in ("volume", "value", "trades")]
    return table.with_columns(zeros).select(
        "instrument", "day", "open", "high", "low", "close", "settlement", "previous_settlement", "change", "volume", "value", "trades", "vwap",
        "open_interest",
    )  # fmt: skip


def priced(table: pl.DataFrame, contracts: Mapping[int, Contract]) -> pl.DataFrame:
    """The table with its tick columns in money per unit, as Decimal with the digits of the finest tick.

    contracts: instrument -> its contract. Raises KeyError for an instrument without one. `change` and `vwap` are scaled likewise, exactly.
    """
    columns = [name for name in (*PRICE_COLUMNS, "change", "vwap") if name in table.columns]
    lost = sorted(set(table["instrument"].to_list()) - set(contracts))
    if lost:
        raise KeyError(f"no contract is given for instrument {lost[0]}")
    place = pl.col("instrument").cast(pl.Int64)
    scale = max((_places(contract.tick) for contract in contracts.values()), default=0)
    for name in columns:
        wide = scale + (_VWAP_DECIMALS if name == "vwap" else 0)
        pairs = table.select(place, name).unique().drop_nulls()
        prices = [contracts[number].tick * ticks for number, ticks in pairs.iter_rows()]
        money = pairs.with_columns(_decimals("money", prices, wide))
        joined = table.with_columns(place).join(money, on=["instrument", name], how="left", maintain_order="left")
        table = table.with_columns(joined["money"].alias(name))
    return table


def in_money(table: pl.DataFrame, contracts: Mapping[int, Contract]) -> pl.DataFrame:
    """A table with instrument and `value` (ticks times lots): `value` in minor units of the contract's currency, and a column `currency`."""
    values = [value * contracts[number].tick_value for number, value in table.select("instrument", "value").iter_rows()]
    coins = [contracts[number].currency for number in table["instrument"].to_list()]
    return table.with_columns(pl.Series("value", values, dtype=pl.Int64), pl.Series("currency", coins, dtype=pl.String))


def best_prices(instructions: Instructions, executions: Executions, first_instruction: int = 0) -> pl.DataFrame:
    """Best bid and offer after each instruction that changed them: instruction, time, instrument, phase, bid, bid_lots, offer, offer_lots.

    Needs the instructions beside what became of them, because only they say which orders are stops and which show a peak; the book has to have been
    empty before the first, whose number is `first_instruction`. Lots are those shown. In a call the best prices may cross.
    """
    follower = _Follower()
    rows = list(follower.series(instructions, executions, first_instruction))
    schema = {
        "instruction": pl.Int64, "time": pl.Int64, "instrument": pl.Int32, "phase": pl.String, "bid": pl.Int64, "bid_lots": pl.Int64,
        "offer": pl.Int64, "offer_lots": pl.Int64,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(pl.col("time").cast(pl.Datetime("us", "UTC")))


class _Order:
    """One order as its rows tell it. `listed`: the (price, lots) that the levels hold of it."""

    __slots__ = ("display", "instrument", "left", "listed", "price", "rests", "shown", "side")

    def __init__(self, instrument: int, side: int, price: int, left: int, display: int, rests: bool) -> None:
        self.instrument, self.side, self.price, self.left, self.display, self.rests = instrument, side, price, left, display, rests
        self.listed: tuple[int, int] | None = None
        self.shown = self.peak()

    def peak(self) -> int:
        return min(self.display, self.left) if self.display else self.left

    def hit(self, lots: int, resting: bool) -> None:
        """Reduced by a trade. An order that just came has shown nothing yet; one that rests shows less, until its next peak."""
        self.left -= lots
        self.shown = self.shown - lots if resting and self.display else self.peak()
        if self.shown <= 0:
            self.shown = self.peak()


class _Levels:
    """Lots shown by price on one side of one instrument."""

    __slots__ = ("lots", "prices")

    def __init__(self) -> None:
        self.lots: dict[int, int] = {}
        self.prices: list[int] = []

    def add(self, price: int, lots: int) -> None:
        now = self.lots.get(price, 0) + lots
        if now and price not in self.lots:
            insort(self.prices, price)
        if now:
            self.lots[price] = now
        else:
            del self.lots[price], self.prices[bisect_left(self.prices, price)]

    def best(self, side: int) -> tuple[int | None, int | None]:
        if not self.prices:
            return None, None
        price = self.prices[-1 if side == Side.BUY else 0]
        return price, self.lots[price]


class _Follower:
    """Keeps the levels of every instrument from the rows of what happened."""

    def __init__(self) -> None:
        self.orders: dict[int, _Order] = {}
        self.levels: dict[tuple[int, int], _Levels] = {}
        self.phases: dict[int, str] = {}
        self.told: dict[int, tuple[Any, ...]] = {}
        self.fresh: set[int] = set()
        self.touched: dict[int, None] = {}

    def series(self, instructions: Instructions, executions: Executions, first: int) -> Iterator[tuple[Any, ...]]:
        """Rows of `best_prices`, after each instruction those that changed."""
        names = ("instruction", "order", "against", "price", "quantity", "left", "time", "instrument", "happening", "side")
        stops = np.isin(instructions["kind"], [int(OrderKind.STOP), int(OrderKind.STOP_LIMIT)]).tolist()
        peaks, last, moved = instructions["display"].tolist(), None, (0, 0)
        for number, *row in zip(*(_column(executions, name).tolist() for name in names), strict=True):
            if last is not None and number != last:
                yield from self._changes(*moved)
            last, moved = number, (number, row[5])
            self._row(row, stops[number - first], peaks[number - first])
        if last is not None:
            yield from self._changes(*moved)

    def _row(self, row: list[int], stop: bool, peak: int) -> None:
        order, against, price, quantity, left, _, instrument, happening, side = row
        if happening == Happening.ACCEPTED:
            self.orders[order] = _Order(instrument, side, price, quantity, peak, not stop)
            self._mark(order, fresh=True)
        elif happening in (Happening.TRADE, Happening.DECREMENTED):
            for number, resting in ((order, order not in self.fresh), (against, True)):
                self.orders[number].hit(quantity, resting)
                self._mark(number)
        elif happening in (Happening.CANCELLED, Happening.EXPIRED):
            self.orders[order].left = 0
            self._mark(order)
        elif happening == Happening.TRIGGERED:
            self.orders[order].price, self.orders[order].rests = price, True
            self._mark(order, fresh=True)
        elif happening == Happening.REPLENISHED:
            self.orders[order].shown = quantity
            self._mark(order)
        elif happening == Happening.AMENDED:
            self._amended(order, price, left)
        elif happening == Happening.PHASE_CHANGED:
            self.phases[instrument] = Phase(quantity).name.lower()

    def _amended(self, number: int, price: int, left: int) -> None:
        order = self.orders[number]
        keeps_its_place = price == order.price and left <= order.left
        order.price, order.left = price, left
        order.shown = min(order.shown, left) if keeps_its_place else order.peak()
        self._mark(number, fresh=not keeps_its_place)

    def _mark(self, number: int, fresh: bool = False) -> None:
        self.touched[number] = None
        if fresh:
            self.fresh.add(number)

    def _changes(self, instruction: int, time: int) -> Iterator[tuple[Any, ...]]:
        """Bring the levels up to date, once an instruction is done; tell what is new."""
        instruments: dict[int, None] = {}
        for number in self.touched:
            order = self.orders[number]
            levels = self.levels.setdefault((order.instrument, order.side), _Levels())
            if order.listed is not None:
                levels.add(order.listed[0], -order.listed[1])
            order.listed = (order.price, order.shown) if order.rests and order.price > 0 and order.left > 0 else None
            if order.listed is not None:
                levels.add(*order.listed)
            elif order.left <= 0:
                del self.orders[number]
            instruments[order.instrument] = None
        self.touched.clear()
        self.fresh.clear()
        for instrument in instruments:
            best = tuple(part for side in (0, 1) for part in self.levels.get((instrument, side), _Levels()).best(side))
            if best != self.told.get(instrument, (None,) * 4):
                self.told[instrument] = best
                yield (instruction, time, instrument, self.phases.get(instrument), *best)


def _among(executions: Executions, happening: Happening) -> Executions:
    rows: Executions = executions[executions["happening"] == int(happening)]
    return rows


def _column(rows: Any, name: str) -> Any:
    """A field of a structured array, in one piece of memory."""
    return np.ascontiguousarray(rows[name])


def _in_call(executions: Executions) -> Any:
    """For each TRADE row whether it was made by the end of a call: the rows that follow an UNCROSSED until its lots are complete."""
    deals = np.flatnonzero(executions["happening"] == int(Happening.TRADE))
    sums = np.concatenate(([0], np.cumsum(executions["quantity"][deals])))
    mask = np.zeros(len(deals), dtype=bool)
    for place in np.flatnonzero(executions["happening"] == int(Happening.UNCROSSED)):
        first = np.searchsorted(deals, place)
        last = np.searchsorted(sums, sums[first] + executions["quantity"][place])
        mask[first:last] = True
    return mask


def _phases_before(executions: Executions) -> dict[tuple[int, int], str]:
    """(instruction, instrument) -> the call that it ended."""
    calls = [int(phase) for phase in (Phase.PRE_OPEN, Phase.OPENING_CALL, Phase.VOLATILITY_CALL, Phase.CLOSING_CALL, Phase.HALT)]
    rows = _among(executions, Happening.PHASE_CHANGED)
    ended = rows[np.isin(rows["left"], calls)]
    return {(int(row["instruction"]), int(row["instrument"])): Phase(int(row["left"])).name.lower() for row in ended}


def _vwap(value: int, volume: int) -> Decimal:
    millionths = round_fraction(Fraction(value * 10**_VWAP_DECIMALS, volume), Rounding.HALF_EVEN)
    return Decimal(millionths).scaleb(-_VWAP_DECIMALS)


def _decimals(name: str, values: list[Decimal], scale: int = _VWAP_DECIMALS) -> pl.Series:
    return pl.Series(name, values, dtype=pl.Decimal(38, scale))


def _places(tick: Decimal) -> int:
    """Digits after the point that a tick needs: 0.0025 needs four, 50 none."""
    exponent = tick.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _needs(table: pl.DataFrame, what: str, columns: tuple[str, ...]) -> None:
    lost = [name for name in columns if name not in table.columns]
    if lost:
        raise ValueError(f"{what}: the table needs the columns {', '.join(columns)}; {', '.join(lost)} are missing")
