"""How much one participant may hold."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from tonne.rules.registry.holding import holding_excess, holding_limit

LIMIT = {"holding_base": 25_000_000, "holding_share_of_base": Decimal("0.1"), "holding_share_above": Decimal("0.025")}


def test_the_limit_grows_with_the_linked_caps() -> None:
    assert holding_limit(459_800_000, **LIMIT) == 13_370_000
    assert holding_limit(np.array([25_000_000, 10_000_000, 0]), **LIMIT).tolist() == [2_500_000, 1_000_000, 0]
    assert holding_limit(np.array([], dtype=np.int64), **LIMIT).tolist() == []


def test_what_covers_own_emissions_is_exempt() -> None:
    assert holding_excess(14_000_000, 459_800_000, 500_000, **LIMIT) == 130_000
    assert holding_excess(np.array([13_370_000, 13_370_001]), 459_800_000, **LIMIT).tolist() == [0, 1]
