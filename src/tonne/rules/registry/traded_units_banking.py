"""Banking of traded units only: what nobody ever traded loses its validity when its year is closed."""

from __future__ import annotations

from typing import Any

import numpy as np

from tonne.rules.columns import plain, whole
from tonne.rules.declare import rule


@rule("traded_units_carry_over", unit="allowance", given={"sold": "allowance", "bought": "allowance", "holding": "allowance"})
def carry_over(sold: Any, bought: Any, holding: Any) -> dict[str, Any]:
    """Units of a holding that stay good: those that came by a trade; what is left of the free allocation is void.

    What an account sold is somebody else's now and stays good there: it neither helps nor hurts the seller. 25,000 held of which 10,000 were bought:
    10,000 are carried, 15,000 are void. After buying 30,000 and surrendering most of it: all 25,000.
    """
    gone, came, held = np.broadcast_arrays(whole("units sold", sold), whole("units bought", bought), whole("a holding", holding))
    if any(column.size and column.min() < 0 for column in (gone, came, held)):
        raise ValueError("units sold, bought and held are zero or more")
    carried = np.minimum(came, held)
    return {"limit": plain(np.array(came)), "carried": plain(carried), "void": plain(held - carried)}
