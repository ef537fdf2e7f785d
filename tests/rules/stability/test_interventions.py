"""What an authority may do against prices that run away."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from tonne.rules.stability.interventions import (
    early_sale_limit,
    floor_is_lifted,
    holding_limits,
    intervention_is_adopted,
    intervention_is_due,
    reserve_auction_limit,
    stabilisation_triggers,
    temporary_floor,
)

SIX_IN_TWENTY = {"intervention_moves": 6, "intervention_days": 20}
LAW = {"surge_multiple": 3, "jump_multiple": 2, "jump_volume_multiple": 2, "fall_multiple": Decimal("0.6")}
LIFT = {"floor_lift_margin": Decimal("0.10"), "floor_lift_days": 5}


def test_six_limit_moves_in_twenty_days():
    days = [False] * 60
    for day in (3, 6, 9, 12, 15, 22):
        days[day] = True
    assert intervention_is_due(days, **SIX_IN_TWENTY) is True
    days[22], days[23] = False, True
    assert intervention_is_due(days, **SIX_IN_TWENTY) is False


def test_a_short_record_counts_as_it_is():
    assert intervention_is_due([True] * 6, **SIX_IN_TWENTY) is True
    assert intervention_is_due([True] * 5, **SIX_IN_TWENTY) is False
    assert intervention_is_due([], **SIX_IN_TWENTY) is False


def test_two_thirds_adopt():
    two_thirds = {"intervention_votes": 2, "intervention_of": 3}
    assert intervention_is_adopted(8, 12, **two_thirds) is True
    assert intervention_is_adopted(7, 12, **two_thirds) is False
    assert intervention_is_adopted(0, 0, **two_thirds) is False


def test_triggers() -> None:
    assert stabilisation_triggers(20_000, 60_001, 60_001, 200, 100, **LAW) == {"surge": True, "jump": True, "fall": False}
    assert stabilisation_triggers(20_000, 60_000, 40_000, 199, 100, **LAW) == {"surge": False, "jump": False, "fall": False}
    assert stabilisation_triggers(20_000, 9_000, 12_000, 0, 100, **LAW)["fall"] is True
    assert stabilisation_triggers(20_000, 9_000, 12_001, 0, 100, **LAW)["fall"] is False


def test_measures() -> None:
    assert reserve_auction_limit(14_000_001, reserve_auction_share=Decimal("0.25")) == 3_500_000
    limits = {"holding_minimum_share": Decimal("0.70"), "holding_maximum_share": Decimal("1.50")}
    assert holding_limits(1_000_001, **limits) == {"minimum": 700_001, "maximum": 1_500_001}
    assert holding_limits([10, 0], **limits)["maximum"].tolist() == [15, 0]
    assert early_sale_limit([9, 100_004], early_sale_share=Decimal("0.20")).tolist() == [1, 20_000]
    assert early_sale_limit(np.zeros(0, dtype=np.int64), early_sale_share=Decimal("0.20")).tolist() == []


def test_a_floor_is_rounded_up_to_a_step() -> None:
    assert temporary_floor(14_300, temporary_floor_cut=Decimal("0.10"), temporary_floor_step=50) == 12_900
    assert temporary_floor(7_020, temporary_floor_cut=0, temporary_floor_step=10) == 7_020


def test_a_floor_ends_by_the_market_or_by_time() -> None:
    assert floor_is_lifted([14_190] * 5, 12_900, 3, **LIFT) is True
    assert floor_is_lifted([1, 14_190, 14_190, 14_190, 14_190, 14_190], 12_900, 3, **LIFT) is True
    assert floor_is_lifted([14_190] * 4, 12_900, 3, **LIFT) is False
    assert floor_is_lifted([14_189] * 5, 12_900, 3, **LIFT) is False
    assert floor_is_lifted([], 12_900, 30, **LIFT, floor_days=30) is True
    assert floor_is_lifted([], 12_900, 29, **LIFT, floor_days=30) is False
