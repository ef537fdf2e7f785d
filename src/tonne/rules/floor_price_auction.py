"""A sealed-bid auction with a floor and nothing else: no limit on one bidder, no reserve that a price opens.

The answers are those of an auction with a reserve price; what differs is that the law has no bid limit to read.
"""

from __future__ import annotations

from tonne.rules import price_reserves
from tonne.rules.declare import rule

auction_reserve_price = rule("floor_price_auction", unit="money_per_unit", given={"year": "year"})(price_reserves.auction_reserve_price)
proceeds = rule("floor_price_auction", unit="money", given={"sold": "allowance", "price": "money_per_unit"})(price_reserves.proceeds)
auction_outcome = rule("floor_price_auction", unit="allowance", given={"year": "year", "offered": "allowance", "bids": "bid"})(
    price_reserves.auction_outcome
)
