"""Credits that an operator earns by paying into a fund: a set contribution for each, usable for a share of what it owes.

The contribution works as a ceiling on the price of that share and of nothing beyond it: what is lacking above the share is met with units.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tonne.rules.columns import plain, whole
from tonne.rules.declare import rule
from tonne.units import DOWN, NEAREST, Rate, fraction, multiply, round_fraction


@rule("credits_from_fund", unit="credit", given={"paid": "money"})
def credits_earned(paid: Any, *, contribution: Rate) -> Any:
    """Credits for a sum paid into the fund: one for each whole contribution (OAR 340-271-0820(3)). 12,345 / 123 = 100.4 -> 100.

    One sum (whole or with cents) or a column of them; raises ValueError for a negative one.
    """
    if np.ndim(paid) == 0:
        sums: Any = fraction(paid)
        least = sums
    else:
        sums = np.asarray(paid)
        least = min(sums.tolist(), default=0)
    if least < 0:
        raise ValueError("a sum paid into the fund is not negative")
    if np.ndim(paid) and not sums.size:
        return np.zeros(sums.shape, dtype=np.int64)
    return multiply(sums, 1 / fraction(contribution), rounding=DOWN)


@rule("credits_from_fund", unit="allowance", given={"lacking": "allowance", "limit": "credit"})
def part_payment(lacking: Any, limit: Any, *, contribution: Rate) -> dict[str, Any]:
    """What of a shortfall can be settled by paying the fund: credits up to the limit, the money for them, and the units still lacking.

    20,000 lacking of 100,000 owed, limit 15,000: 15,000 credits for 15,000 x 123 = 1,845,000, and 5,000 units still to be found.
    """
    missing, most = np.broadcast_arrays(whole("what is lacking", lacking), whole("a limit", limit))
    if missing.size and min(int(missing.min()), int(most.min())) < 0:
        raise ValueError("what is lacking and the limit are zero or more")
    credits = np.minimum(missing, most)
    money = multiply(np.array(credits), fraction(contribution), rounding=NEAREST)
    return {"credits": plain(credits), "money": plain(money), "lacking": plain(missing - credits)}


@rule("credits_from_fund", unit="money_per_unit", given={"index": "number", "base_index": "number"})
def indexed_contribution(index: Any, base_index: Any, *, contribution_base: Rate) -> int:
    """The contribution for one credit in money of the day: the base amount raised with a price index, to the whole unit of money (same rule).

    107 of January 2021 x 115 / 100 = 123.05 -> 123.
    """
    return round_fraction(fraction(contribution_base) * fraction(index) / fraction(base_index), NEAREST)
