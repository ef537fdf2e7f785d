"""Two or three bars side by side, and lower ones for who was on the list before."""

import numpy as np

from tonne.rules.kept_on_list import is_covered

BARS = {
    "covered_emissions_from": {"all": 20_000, "ports": 10_000},
    "covered_energy_from": {"all": 10_000},
    "covered_area_from": {"buildings": 10_000},
    "kept_emissions_from": {"all": 10_000},
    "kept_energy_from": {"all": 5_000},
}


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
