"""What a venue lets its members do in a day and hold at all: a band around the last close, a ceiling on holdings, holdings that are made public.

Which ways of trading have a band, and which kinds of holder may hold their own allocation on top, is the law's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

import numpy as np

from tonne.rules.columns import plain, truth, whole
from tonne.rules.declare import rule
from tonne.units import DOWN, UP, Rate, fraction, round_decimal


@rule("daily_price_limit", unit="money_per_unit", given={"previous_close": "money_per_unit", "method": "text"})
def price_range(previous_close: Rate, method: str = "listed", *, price_limit: Mapping[str, Rate | None], price_step: Rate = Decimal("0.01")) -> Any:
    """The lowest and highest price of a day: the last close less and plus the band of the way of trading, on whole price steps inside the band.

    Trading rules of the venues. 50.00 with a band of 20 %: 40.00 to 60.00. None for both where the way of trading has no band.
    """
    band = price_limit.get(method)
    if band is None:
        return {"low": None, "high": None}
    close, step = fraction(previous_close), str(price_step)
    return {"low": round_decimal(close * (1 - fraction(band)), step, UP), "high": round_decimal(close * (1 + fraction(band)), step, DOWN)}


@rule("daily_price_limit", unit="boolean", given={"price": "money_per_unit", "previous_close": "money_per_unit", "method": "text"})
def price_is_admitted(price: Any, previous_close: Rate, method: str = "listed", *, price_limit: Mapping[str, Rate | None]) -> Any:
    """Whether a price lies inside the day's band around the last close (trading rules of the venues), one price or many.

    60.00 on 50.00 with 20 % -> yes, 60.01 -> no.
    """
    band, close, prices = price_limit.get(method), fraction(previous_close), np.asarray(price, dtype=object)
    names, where = np.unique(prices.astype(str), return_inverse=True)
    distinct = [band is None or abs(fraction(str(name)) - close) <= fraction(band) * close for name in names.tolist()]
    inside = np.array(distinct, dtype=bool)[where].reshape(prices.shape)
    return truth(inside)


@rule("participant_holding_limit", unit="allowance", given={"kind": "text", "allocation": "allowance"})
def most_held(kind: Any, allocation: Any = 0, *, holding_on_top: Mapping[str, int], holds_allocation: Collection[str]) -> Any:
    """Most units that one participant may hold: a set number by kind of participant, for some kinds on top of their own allocation of the year.

    Detailed trading rules of 2014, 4.5.2: an emitter that was given 250,000 may hold 250,000 + 1,000,000 = 1,250,000; anybody else 1,000,000.
    """
    return _limit(kind, allocation, holding_on_top, holds_allocation)


@rule("participant_holding_limit", unit="boolean", given={"holding": "allowance", "kind": "text", "allocation": "allowance"})
def holding_is_public(holding: Any, kind: Any, allocation: Any = 0, *, public_above: Mapping[str, int], holds_allocation: Collection[str]) -> Any:
    """Whether the venue makes a holding public: it is above a set number, for some kinds on top of their own allocation.

    Detailed trading rules of 2014, 4.5.4: given 250,000 and holding 750,001 -> yes, 750,000 -> no.
    """
    public = np.asarray(whole("a holding", holding) > np.asarray(_limit(kind, allocation, public_above, holds_allocation)))
    return truth(public)


def _limit(kind: Any, allocation: Any, numbers: Mapping[str, int], with_allocation: Collection[str]) -> Any:
    kinds, given = np.broadcast_arrays(np.asarray(kind, dtype=object), whole("an allocation", allocation))
    out = np.zeros(kinds.shape, dtype=np.int64)
    for name in sorted(set(kinds.ravel().tolist())):
        if numbers.get(name) is None:
            raise ValueError(f"no limit for a participant of the kind {name!r}; there are {', '.join(numbers)}")
        rows = kinds == name
        out[rows] = numbers[name] + (given[rows] if name in with_allocation else 0)
    return plain(out)
