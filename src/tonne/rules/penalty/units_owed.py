"""What a shortfall costs in units: still owed, deducted on top, taken from the account or from what is allocated later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tonne.rules.columns import counted, plain, whole
from tonne.rules.declare import rule
from tonne.rules.penalty.shortfalls import missing_units
from tonne.units import DOWN, NEAREST, UP, Rate, fraction, multiply

_SOURCES = ("account", "next_allocation")


@rule("make_good", unit="allowance", given={"missing": "allowance"})
def still_owed(missing: Any, *, make_good: bool | None = True) -> Any:
    """Units still owed after the penalty: the whole shortfall where the text says that paying does not release from surrendering, else none."""
    left = counted("a shortfall", missing)
    return plain(left if make_good else np.zeros_like(left))


@rule("multiple_of_units", unit="allowance", given={"shortfall": "allowance"})
def penalty_units(shortfall: Any, *, units_per_unit: Rate) -> Any:
    """Units deducted for missing units (Model Rule): three for each excess ton. 1,000 x 3 = 3,000. A part counts as a unit."""
    missing = missing_units(shortfall)
    units = multiply(missing, units_per_unit, rounding=UP)
    return plain(units)


@rule("cut_next_allocation", unit="allowance", given={"shortfall": "allowance"})
def allocation_cut(shortfall: Any, *, cut_share: Rate | None = None) -> Any:
    """Units taken off the next year's free allocation while a shortfall stays uncorrected; none once the law has repealed the cut.

    10,000 x 1 = 10,000. Order 775 of the State Council art. 24.
    """
    missing = missing_units(shortfall)
    units = multiply(missing, cut_share if cut_share is not None else 0, rounding=NEAREST)
    return plain(units)


@rule("untimely_surrender", unit="allowance", given={"shortfall": "allowance"})
def untimely_obligation(shortfall: Any, *, units_per_unit: Rate, credits_share_of_untimely: Rate | None = None) -> dict[str, Any]:
    """Units owed in all for missing ones: the missing units and so many on top for each, at most a share of them in credits (17 CCR 95857(b)).

    10,000 missing, three on top for each: 40,000 due, at most a quarter in offset credits: 10,000, at least 30,000 allowances. Without such a
    share nothing may be credits.
    """
    missing = missing_units(shortfall)
    on_top = np.asarray(multiply(missing, fraction(units_per_unit), rounding=DOWN), dtype=np.int64)
    credits = np.asarray(multiply(missing + on_top, credits_share_of_untimely or 0, rounding=DOWN), dtype=np.int64)
    due = missing + on_top
    return {
        "recovered": plain(missing),
        "on_top": plain(on_top),
        "due": plain(due),
        "credits_most": plain(credits),
        "allowances_least": plain(due - credits),
    }


@rule("arrears_deduction", unit="allowance", given={"shortfall": "allowance", "held": "allowance", "next_allocation": "allowance"})
def arrears_taken(shortfall: Any, held: Any, next_allocation: Any = 0, *, deduct_from: Sequence[str]) -> dict[str, Any]:
    """Units that the authority takes for a shortfall, source by source in the order of the text, and what is still missing after that.

    Measures of 2014 (order 262). Missing 1,000, 400 on the account, 5,000 to come: 400 from the account, 600 from the next allocation, none left.
    """
    owed, account, coming = np.broadcast_arrays(whole("a shortfall", shortfall), whole("a holding", held), whole("an allocation", next_allocation))
    left, there = np.array(owed), dict(zip(_SOURCES, (account, coming), strict=True))
    taken = {name: np.zeros(left.shape, dtype=np.int64) for name in _SOURCES}
    for name in deduct_from:
        if name not in there:
            raise ValueError(f"units are taken from {', '.join(_SOURCES)}, not from {name!r}")
        taken[name] = np.minimum(left, there[name])
        left = left - taken[name]
    return {f"from_{name}": plain(units) for name, units in taken.items()} | {"still_missing": plain(left)}


@rule("later_phase_cut", unit="allowance", given={"shortfall": "allowance"})
def later_phase_cut(shortfall: Any, *, units_per_missing_unit: Rate | None = None) -> Any:
    """Units taken off what a later phase would allocate, for those missing now; the trial itself costs no money. 1,000 x 2 = 2,000."""
    lacking = missing_units(shortfall)
    return plain(multiply(np.array(lacking), units_per_missing_unit if units_per_missing_unit is not None else 0, rounding=UP))
