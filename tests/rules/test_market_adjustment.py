"""What an authority keeps back, when it may step in, what an emitter may sell."""

from __future__ import annotations

from decimal import Decimal

from tonne.rules.market_adjustment import intervention_is_adopted, intervention_is_due, reserve_units, sale_limit

SIX_IN_TWENTY = {"intervention_moves": 6, "intervention_days": 20}


def test_a_reserve_of_the_cap_on_top_or_within():
    assert reserve_units(324_000_000, reserve_share=Decimal("0.08")) == 25_920_000
    assert reserve_units([95_000_000, 0], reserve_share=Decimal("0.05"), reserve_within_total=True).tolist() == [5_000_000, 0]


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


def test_half_of_an_allocation_may_be_sold():
    assert sale_limit(100_001, sale_limit_share=Decimal("0.50")) == 50_000
    assert sale_limit([0, 3], sale_limit_share=Decimal("0.50")).tolist() == [0, 1]
