"""How many credits of projects an operator is entitled to, by what kind of operator it is."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from tonne.rules.credits.entitlement import credit_limit

NONE = np.zeros(0, dtype=np.int64)
PHASES = {
    "installation_share": {2008: Decimal("0.134"), 2013: Decimal("0.11"), 2021: 0},
    "new_entrant_share": {2013: Decimal("0.045"), 2021: 0},
    "aircraft_share": {2012: Decimal("0.15"), 2013: Decimal("0.015"), 2021: 0},
}


def test_entitlements() -> None:
    assert credit_limit(1_000_000, 2014, **PHASES) == 110_000
    assert credit_limit(1_000_000, 2014, "installation", 134_000, **PHASES) == 134_000
    assert credit_limit(1_000_000, 2022, "installation", 134_000, **PHASES) == 0
    got = credit_limit([100_010] * 3, [2014, 2012, 2014], ["new_entrant", "aircraft_operator", "aircraft_operator"], **PHASES)
    assert got.tolist() == [4_500, 15_001, 1_500]
    assert credit_limit(NONE, NONE, **PHASES).tolist() == []
    with pytest.raises(ValueError, match="no credit limit"):
        credit_limit(1, 2007, **PHASES)
    with pytest.raises(ValueError, match="no kind"):
        credit_limit(1, 2014, "ship", **PHASES)
