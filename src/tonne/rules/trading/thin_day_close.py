"""Closing price of a venue that does not let a few units move its price."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tonne.rules.declare import rule
from tonne.rules.trading.trading_day import mean_of_trades
from tonne.units import Rate


@rule("thin_day_close", unit="money_per_unit", given={"listed_value": "money", "listed_volume": "allowance", "previous_close": "money_per_unit"})
def close_price(listed_value: Rate, listed_volume: int, previous_close: Rate, *, thin_day_volume: int, tick: Rate = Decimal("0.01")) -> Any:
    """The closing price of a day: the volume-weighted mean of its listed trades; where they are few, the opening price, that is the last close.

    Trading notice of July 2018: 100 t and less are few. 100 t traded at 60.00 after a close of 50.00: 50.00; 101 t: 60.00.
    """
    if int(listed_volume) <= int(thin_day_volume):
        return Decimal(str(previous_close))
    return mean_of_trades(listed_value, listed_volume, tick)
