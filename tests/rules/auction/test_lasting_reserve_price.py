"""A floor that holds from the year for which it is set until another one is."""

from __future__ import annotations

from decimal import Decimal

from tonne.rules.auction.lasting_reserve_price import auction_reserve_price

D = Decimal
FLOOR = {"reserve_price_by_year": {2021: D(22)}}


def test_a_reserve_price_holds_on():
    assert auction_reserve_price(2025, **FLOOR) == 22
    assert auction_reserve_price([2020, 2021], **FLOOR).tolist() == [None, 22]
