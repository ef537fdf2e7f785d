"""Units that bear a year and pay no later one."""

from __future__ import annotations

import numpy as np

from tonne.rules.registry.limited_vintages import vintage_pays

LIMITED = [2021, 2025]


def test_a_limited_vintage_pays_its_own_and_earlier_years():
    assert [vintage_pays(v, y, limited_vintages=LIMITED) for v, y in ((2023, 2023), (2023, 2024), (2025, 2024), (2025, 2026), (2026, 2027))] == [
        True,
        False,
        True,
        False,
        True,
    ]
    assert vintage_pays([2023, 2023], [2023, 2024], limited_vintages=LIMITED).tolist() == [True, False]
    assert vintage_pays(np.zeros(0, dtype=np.int64), 2024, limited_vintages=LIMITED).shape == (0,)
