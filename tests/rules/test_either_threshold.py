"""Two thresholds side by side: emissions or energy."""

from __future__ import annotations

import numpy as np

from tonne.rules.either_threshold import is_covered

EMISSIONS, ENERGY = {"paper": 10_000, "cement": None}, {"paper": 5_000, "all": 60_000}


def test_either_threshold_is_enough():
    given = {"covered_emissions_from": EMISSIONS, "covered_energy_from": ENERGY}
    assert is_covered("paper", [9_999, 10_000, 9_999], [4_999, 0, 5_000], **given).tolist() == [False, True, True]
    assert is_covered("paper", 10_000, **given) is True
    assert is_covered(["paper", "glass"], 9_999, [4_999, 60_000], **given).tolist() == [False, True]


def test_a_sector_without_a_threshold_is_outside():
    assert is_covered("cement", 10**9, covered_emissions_from=EMISSIONS) is False
    assert is_covered("cement", 0, 10**9, covered_emissions_from=EMISSIONS, covered_energy_from={"cement": None, "paper": 5_000}) is False
    assert is_covered("paper", 10**9, 10**9) is False


def test_no_rows():
    nothing = np.zeros(0, dtype=np.int64)
    assert is_covered(np.zeros(0, dtype=object), nothing, nothing, covered_energy_from=ENERGY).shape == (0,)
