"""What an authority does when the market's price leaves a band: it sells units while the mean of some days is above, and buys back below."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from tonne.rules.cap import plain, whole
from tonne.rules.declare import rule
from tonne.units import DOWN, NEAREST, Rate, fraction, multiply, round_decimal

_CENT = Decimal("0.01")


@rule("price_band", unit="money_per_unit", given={"values": "money", "volumes": "allowance"})
def band_mean(values: Sequence[Rate], volumes: Sequence[int], *, band_days: int | None) -> Decimal | None:
    """The mean price that is held against the band: value over volume of the last trading days, to the cent; days in order, the last one last.

    Rules of 2014 on open market operations. Ten days of 1,000 units at 151.00: 1,510,000 / 10,000 = 151.00. None where nothing was traded;
    ValueError for fewer days than the text asks for.
    """
    if band_days is None:
        raise ValueError("there is no band in force, so no days whose mean would be held against it")
    if len(values) != len(volumes) or len(values) < band_days:
        raise ValueError(f"{band_days} trading days are needed, each with value and volume; {len(values)} and {len(volumes)} are given")
    volume = int(whole("a volume", list(volumes)[-band_days:]).sum())
    value = sum((fraction(v) for v in list(values)[-band_days:]), start=fraction(0))
    return round_decimal(value / volume, _CENT, NEAREST) if volume else None


@rule("price_band", unit="text", given={"mean_price": "money_per_unit"})
def band_action(mean_price: Any, *, band_low: Rate | None = None, band_high: Rate | None = None) -> Any:
    """What the authority may do at a mean price: `auction` above the band, `buy_back` below it, `none` inside it or on its edges.

    Rules of 2014 on open market operations. With a band of 20 to 150: 19.99 -> buy_back, 20.00 -> none, 150.01 -> auction. A side that is not in
    force binds nobody.
    """
    prices = np.asarray(mean_price, dtype=object)
    low, high = (None if bound is None else fraction(bound) for bound in (band_low, band_high))
    names, where = np.unique(prices.astype(str), return_inverse=True)
    answers = np.full(len(names), "none", dtype=object)
    for number, price in enumerate(fraction(str(name)) for name in names.tolist()):
        if high is not None and price > high:
            answers[number] = "auction"
        elif low is not None and price < low:
            answers[number] = "buy_back"
    return answers[where].reshape(prices.shape) if prices.ndim else str(answers[0])


@rule("buy_back_limit", unit="allowance", given={"allocated": "allowance"})
def most_bought_back(allocated: Any, *, buy_back_share: Rate) -> Any:
    """Most units that the authority may buy back to hold the price: a share of what was allocated (measures of 2014, order 262).

    26,000,000 x 0.10 = 2,600,000. A part of a unit is dropped.
    """
    units = whole("an allocation", allocated)
    return plain(multiply(units, buy_back_share, rounding=DOWN))
