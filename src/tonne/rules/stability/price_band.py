"""A price band that the authority holds by selling and buying, the units it keeps for that, and how much emitters may sell."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from tonne.rules.columns import plain, whole
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


@rule("government_reserve", unit="allowance", given={"units": "allowance"})
def reserve_units(units: Any, *, reserve_share: Rate, reserve_within_total: bool = False) -> Any:
    """Units the authority keeps: a share of the units given, which are the cap, or what the emitters were given.

    reserve_within_total: the share is one of the total, of which the units given are the rest (units x share / (1 - share)). 324,000,000 x 0.08 =
    25,920,000; 95,000,000 for emitters being 95 per cent of the total: 5,000,000.
    """
    share = fraction(reserve_share)
    return plain(multiply(whole("units", units), share / (1 - share) if reserve_within_total else share, rounding=NEAREST))


@rule("sale_limit", unit="allowance", given={"allocated": "allowance"})
def sale_limit(allocated: Any, *, sale_limit_share: Rate) -> Any:
    """Units that an emitter may sell in a year: a share of its free allocation, parts of a unit dropped. 100,001 x 0.50 = 50,000.5 -> 50,000."""
    return plain(multiply(whole("an allocation", allocated), sale_limit_share, rounding=DOWN))
