"""How credits are used: how long one lives, which kind is taken first, who makes good an invalid one, when their use must be explained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tonne.rules.columns import plain, truth, whole
from tonne.rules.declare import rule
from tonne.units import IntArray, Rate, fraction


@rule("expiring_credits", unit="boolean", given={"vintage": "year", "year": "year"})
def vintage_pays(vintage: Any, year: Any, *, credit_life_by_vintage: Mapping[int, int]) -> Any:
    """Whether credits of a vintage settle a year's obligation: not a year before their own, and no longer than their life after it.

    The life is by vintage; the last one tabled holds on. Five years for vintage 2023: 2023 to 2028. A vintage before the first entry never expires.
    """
    vintages, years = np.broadcast_arrays(np.asarray(vintage), np.asarray(year))
    return truth((vintages <= years) & (years <= _last_years(vintages, credit_life_by_vintage)))


@rule("expiring_credits", unit="year", given={"vintage": "year"})
def last_year_of_use(vintage: Any, *, credit_life_by_vintage: Mapping[int, int]) -> Any:
    """The last year whose obligation credits of a vintage settle: 2023 + 5 = 2028. 9999 for a vintage that never expires."""
    return plain(_last_years(np.asarray(vintage), credit_life_by_vintage))


@rule("retirement_order", unit="allowance", given={"owed": "allowance", "held": "allowance"})
def units_retired(owed: int, held: Mapping[str, int], *, retirement_order: Sequence[str]) -> dict[str, int]:
    """Units of each kind that are taken for an obligation, one kind after the other, and what is then missing.

    100 owed with 60 of the first kind and 80 of the second: 60 and 40. Raises ValueError for a kind that the law does not name.
    """
    unknown = [kind for kind in held if kind not in retirement_order]
    if unknown or owed < 0 or any(quantity < 0 for quantity in held.values()):
        raise ValueError(f"kinds are {', '.join(retirement_order)}, and quantities zero or more; given were {dict(held)}")
    taken, left = {}, int(owed)
    for kind in retirement_order:
        taken[kind] = min(left, int(held.get(kind, 0)))
        left -= taken[kind]
    return {**taken, "missing": left}


@rule("invalid_credit_liability", unit="credit", given={"role": "text", "invalidated": "credit"})
def replacement_owed(role: str, invalidated: int, *, liable_for_invalid_credits: str) -> int:
    """Credits that someone must replace after some were found invalid: all of them for whom the law names, none for anybody else.

    Where the first seller bears the risk, of 1,000 invalidated ones the first seller replaces 1,000 and the one who used them none.
    """
    if invalidated < 0:
        raise ValueError("a number of invalidated credits is zero or more")
    return int(invalidated) if role == liable_for_invalid_credits else 0


@rule("explained_unit_use", unit="boolean", given={"baseline": "tCO2e", "surrendered": "credit"})
def explanation_required(baseline: Any, surrendered: Any, *, explanation_above: Rate) -> Any:
    """Whether credits of projects are surrendered for more than a share of the baseline, so that the facility must say why it does not abate.

    310,000 of a baseline of 1,000,000 -> yes; 300,000 -> no.
    """
    limits, used = np.broadcast_arrays(whole("a baseline", baseline), whole("credits surrendered", surrendered))
    share = fraction(explanation_above)
    above = used * share.denominator > limits * share.numerator
    return truth(above)


def _last_years(vintages: Any, lives: Mapping[int, int]) -> IntArray:
    found = np.full(np.shape(vintages), 9999, dtype=np.int64)
    for vintage in np.unique(whole("a vintage", vintages)):
        tabled = [y for y, life in lives.items() if y <= vintage and life is not None]
        if tabled:
            found[vintages == vintage] = int(vintage) + int(lives[max(tabled)])
    return found
