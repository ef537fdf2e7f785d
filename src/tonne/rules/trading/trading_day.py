"""What a venue publishes at the end of a day: mean price, totals by method, closing price; how an order of a size is traded."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np

from tonne.rules.declare import rule
from tonne.units import NEAREST, Rate, fraction, round_decimal


@rule("trading_day", unit="money_per_unit", given={"value": "money", "volume": "allowance"})
def mean_price(value: Any, volume: Any, *, tick: Rate) -> Any:
    """The mean price of a day or a year: value over volume, to the nearest tick; None where nothing was traded.

    2,814,004,694.28 / 50,889,493 = 55.2963... -> 55.30.
    """
    if np.ndim(value) == 0 and np.ndim(volume) == 0:
        return mean_of_trades(value, volume, tick)
    values, volumes = np.broadcast_arrays(np.asarray(value, dtype=object), np.asarray(volume, dtype=np.int64))
    ticks = fraction(tick)
    # value / volume in ticks, half up: twice the value plus one, halved, in whole numbers.
    over = values * ticks.denominator * 2 // np.where(volumes == 0, 1, volumes * ticks.numerator)
    prices = np.frompyfunc(lambda twice: (int(twice) + 1) // 2 * Decimal(str(tick)), 1, 1)(over)
    return np.where(volumes == 0, None, prices)


@rule(
    "trading_day",
    unit="money",
    given={"listed_volume": "allowance", "listed_value": "money", "block_volume": "allowance", "block_value": "money"},
)
def day_total(listed_volume: int, listed_value: Rate, block_volume: int, block_value: Rate, *, tick: Rate) -> dict[str, Any]:
    """Volume, value and mean prices of a day over its methods of trading.

    21,787 + 1,260,200 = 1,281,987 t; (1,217,935 + 68,391,200) / 1,281,987 = 54.2978... -> 54.30.
    """
    volume, value = listed_volume + block_volume, Decimal(listed_value) + Decimal(block_value)  # type: ignore[arg-type]
    return {
        "volume": volume,
        "value": value,
        "mean": mean_of_trades(value, volume, tick),
        "listed_mean": mean_of_trades(listed_value, listed_volume, tick),
        "block_mean": mean_of_trades(block_value, block_volume, tick),
    }


@rule("trading_day", unit="money_per_unit", given={"listed_value": "money", "listed_volume": "allowance", "previous_close": "money_per_unit"})
def close_price(listed_value: Rate, listed_volume: int, previous_close: Rate, *, tick: Rate) -> Any:
    """The closing price: the volume-weighted mean of the day's listed trades, else the previous close; block trades do not move it."""
    return mean_of_trades(listed_value, listed_volume, tick) if listed_volume else previous_close


@rule("trading_day", unit="text", given={"quantity": "allowance"})
def trading_method(quantity: Any, *, block_from: int) -> Any:
    """How an order of a size is traded: `listed` below the block size, `block` from it on. 99,999 -> listed, 100,000 -> block."""
    large = np.asarray(quantity) >= block_from
    return ("block" if large else "listed") if large.ndim == 0 else np.where(large, "block", "listed")


def mean_of_trades(value: Any, volume: Any, tick: Rate) -> Decimal | None:
    return round_decimal(fraction(value) / fraction(int(volume)), Decimal(str(tick)), NEAREST) if int(volume) else None
