"""A reserve that takes a set number of units from the auctions when many are in circulation."""

from __future__ import annotations

from typing import Any

import numpy as np

from tonne.rules.columns import plain, whole
from tonne.rules.declare import rule


@rule("fixed_quantity_reserve", unit="allowance", given={"tnac": "allowance"})
def msr_intake(tnac: Any, *, upper_threshold: int, intake_quantity: int) -> Any:
    """Units withheld from auctions when more than the upper threshold circulate: a set number (the second system's own reserve).

    440,000,001 -> 100,000,000; 440,000,000 -> 0.
    """
    return plain(np.where(whole("circulation", tnac) > upper_threshold, intake_quantity, 0))
