"""What a unit stands for."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tonne.rules.scope.unit_measures import removal_units, tonnes


def test_tonnes():
    assert tonnes(69_401_609, tonnes_per_unit=Decimal("0.90718474")) == 62_960_081
    assert tonnes([1, 0, 1_000], tonnes_per_unit=Decimal("0.90718474")).tolist() == [1, 0, 907]
    with pytest.raises(ValueError, match="whole number"):
        tonnes(0.5, tonnes_per_unit=1)


def test_removals_earn_and_fellings_owe() -> None:
    assert removal_units(1_200, units_per_tonne_removed=1) == {"earned": 1_200, "owed": 0}
    got = removal_units([1_200, -300, 0], units_per_tonne_removed=1)
    assert got["earned"].tolist() == [1_200, 0, 0]
    assert got["owed"].tolist() == [0, 300, 0]
