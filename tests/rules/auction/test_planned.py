"""What is sold."""

from __future__ import annotations

from tonne.rules.auction.planned import auction_volume


def test_a_year_without_a_plan_sells_nothing():
    assert auction_volume([2014, 2015], planned_by_year={2014: 7_800_000}).tolist() == [7_800_000, 0]
    assert auction_volume(2014, planned_by_year={2014: None}) == 0
