"""How much one participant may hold: limits against cornering a market."""

from __future__ import annotations

from typing import Any

import numpy as np

from tonne.rules.columns import plain, whole
from tonne.rules.declare import rule
from tonne.units import DOWN, IntArray, Rate, multiply


@rule("holding_limit", unit="allowance", given={"budget": "allowance"})
def holding_limit(budget: Any, *, holding_base: int, holding_share_of_base: Rate, holding_share_above: Rate) -> Any:
    """The most one participant may hold of a vintage: a share of a base and a smaller share of what the linked caps of the year exceed it by.

    0.1 x 25,000,000 + 0.025 x (394,500,000 + 65,300,000 - 25,000,000) = 13,370,000 (Q-2, r. 46.1, s. 32). Caps below the base count alone.
    """
    return plain(_limit(budget, holding_base, holding_share_of_base, holding_share_above))


@rule("holding_limit", unit="allowance", given={"held": "allowance", "budget": "allowance", "exempt": "allowance"})
def holding_excess(held: Any, budget: Any, exempt: Any = 0, *, holding_base: int, holding_share_of_base: Rate, holding_share_above: Rate) -> Any:
    """Units held beyond the limit; what lies in a compliance account to cover the holder's own emissions is exempt.

    14,000,000 held, 500,000 of them exempt, a limit of 13,370,000: 130,000.
    """
    limit = _limit(budget, holding_base, holding_share_of_base, holding_share_above)
    return plain(np.maximum(whole("a holding", held) - whole("an exemption", exempt) - limit, 0))


def _limit(budget: Any, base: int, share_of_base: Rate, share_above: Rate) -> IntArray:
    caps = whole("a cap", budget)
    low = multiply(np.minimum(caps, base), share_of_base, rounding=DOWN)
    return np.asarray(low + multiply(np.maximum(caps - base, 0), share_above, rounding=DOWN), dtype=np.int64)
