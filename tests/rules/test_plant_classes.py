"""Classes of coal plants by capacity and place."""

from decimal import Decimal

from tonne.rules.plant_classes import plant_class

CLASSES = {"large_above_mw": 400, "medium_from_mw": 100}


def test_classes_of_plants() -> None:
    assert plant_class(401, **CLASSES) == "non_mine_mouth_over_400mw"
    assert plant_class(Decimal("400.5"), **CLASSES) == "non_mine_mouth_over_400mw"
    got = plant_class([400, 100, 99, 600], [False, True, True, True], **CLASSES).tolist()
    assert got == ["non_mine_mouth_100_to_400mw", "mine_mouth_100mw_and_over", "any_25_to_under_100mw", "mine_mouth_100mw_and_over"]
    assert plant_class([], [], **CLASSES).tolist() == []
