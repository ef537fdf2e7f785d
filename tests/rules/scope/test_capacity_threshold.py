"""Power plants that take part by their capacity, in the states that take part; the class that a coal plant belongs to."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from tonne.rules.columns import exact_column
from tonne.rules.scope.capacity_threshold import is_covered, plant_class

CLASSES = {"large_above_mw": 400, "medium_from_mw": 100}


def test_capacity() -> None:
    assert is_covered(25, covered_from_mw=25) is True
    assert is_covered(Decimal("24.9"), covered_from_mw=25) is False
    assert is_covered([24, 25], covered_from_mw=Decimal("24.5")).tolist() == [False, True]
    assert exact_column([]).tolist() == []


def test_covered_by_capacity_and_state():
    law = {"covered_from_mw": 25, "member_states": {"New York": True, "New Jersey": False}}
    assert is_covered(25, "New York", **law) is True
    assert is_covered(Decimal("24.999"), "New York", **law) is False
    assert is_covered(
        [24.9, 25.0, 100, 100, 100], ["New York", "New York", "New Jersey", "Ohio", "New York"], [True] * 4 + [False], **law
    ).tolist() == [
        False,
        True,
        False,
        False,
        False,
    ]
    assert is_covered(np.zeros(0), [], **law).shape == (0,)


def test_classes_of_plants() -> None:
    assert plant_class(401, **CLASSES) == "non_mine_mouth_over_400mw"
    assert plant_class(Decimal("400.5"), **CLASSES) == "non_mine_mouth_over_400mw"
    got = plant_class([400, 100, 99, 600], [False, True, True, True], **CLASSES).tolist()
    assert got == ["non_mine_mouth_100_to_400mw", "mine_mouth_100mw_and_over", "any_25_to_under_100mw", "mine_mouth_100mw_and_over"]
    assert plant_class([], [], **CLASSES).tolist() == []
