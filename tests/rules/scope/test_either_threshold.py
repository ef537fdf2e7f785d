"""Who must take part where emissions, energy use or floor area each suffice, and who stays on the list from lower bars on."""

from __future__ import annotations

import numpy as np

from tonne.rules.scope.either_threshold import is_covered

EMISSIONS, ENERGY = {"paper": 10_000, "cement": None}, {"paper": 5_000, "all": 60_000}
BARS = {
    "covered_emissions_from": {"all": 20_000, "ports": 10_000},
    "covered_energy_from": {"all": 10_000},
    "covered_area_from": {"buildings": 10_000},
    "kept_emissions_from": {"all": 10_000},
    "kept_energy_from": {"all": 5_000},
}


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


def test_any_bar_suffices() -> None:
    assert is_covered("steel", 20_000, **BARS) is True
    assert is_covered("steel", 19_999, **BARS) is False
    assert is_covered("steel", 19_999, 10_000, **BARS) is True
    assert is_covered(["ports", "steel"], 10_000, **BARS).tolist() == [True, False]
    assert is_covered("buildings", 0, 0, [9_999, 10_000], **BARS).tolist() == [False, True]


def test_who_was_on_the_list_stays_from_lower_bars_on() -> None:
    assert is_covered("steel", [9_999, 10_000], listed_before=True, **BARS).tolist() == [False, True]
    assert is_covered("steel", 0, 5_000, listed_before=[True, False], **BARS).tolist() == [True, False]


def test_a_sector_without_a_bar_and_no_rows() -> None:
    assert is_covered("farming", 10**9, covered_emissions_from={"steel": 1}) is False
    assert is_covered([], np.zeros(0, dtype=np.int64), **BARS).tolist() == []
