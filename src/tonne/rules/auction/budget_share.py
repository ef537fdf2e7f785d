"""What is sold: a share of the cap, less of it while many units circulate."""

from __future__ import annotations

from typing import Any

import numpy as np

from tonne.rules.columns import plain, whole
from tonne.rules.declare import rule
from tonne.units import DOWN, Rate, fraction, multiply


@rule("budget_share_auction", unit="allowance", given={"year": "year", "cap": "allowance", "allocated": "allowance", "circulation": "allowance"})
def auction_volume(
    year: Any,
    cap: Any,
    allocated: Any = 0,
    circulation: Any = 0,
    *,
    auction_share: Rate,
    circulation_cut: Rate | None = None,
    circulation_threshold: int | None = None,
) -> Any:
    """Units offered in a year's auctions: the auctioned share of the cap, never more than was not given away.

    69,401,609 x 0.90 = 62,461,448.1 -> 62,461,448; a part of a unit is not sold. Where the law has a threshold the share is cut while more than that
    circulate: 4,900,000 x 0.05 = 245,000, halved to 122,500. While none is in force nothing is cut.
    """
    caps, free = whole("a cap", cap), whole("an allocation", allocated)
    offered = np.asarray(multiply(caps, auction_share, rounding=DOWN))
    if circulation_threshold is not None:
        less = np.asarray(multiply(caps, fraction(auction_share) * (1 - fraction(circulation_cut or 0)), rounding=DOWN))
        offered = np.where(whole("circulation", circulation) > circulation_threshold, less, offered)
    return plain(np.maximum(np.minimum(offered, caps - free), 0))
