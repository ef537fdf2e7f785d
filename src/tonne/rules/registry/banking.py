"""Units that stay good for later years without limit."""

from __future__ import annotations

from typing import Any

from tonne.rules.columns import plain, whole
from tonne.rules.declare import rule


@rule("free_banking", unit="allowance", given={"holding": "allowance"})
def carry_over(holding: Any) -> Any:
    """Units of a holding that stay good for later years: all of them. 25,000 -> 25,000."""
    return plain(whole("units", holding))
