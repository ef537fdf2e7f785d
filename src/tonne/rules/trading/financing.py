"""Money against allowances outside the order book: a sale with repurchase, a loan on pledged units, a swap settled in cash, a linked coupon."""

from __future__ import annotations

from typing import Any

import numpy as np

from tonne.rules.columns import plain, whole
from tonne.rules.declare import rule
from tonne.units import DOWN, Rate, fraction, round_decimal


@rule("sale_with_repurchase", unit="money", given={"quantity": "allowance", "near_price": "money_per_unit", "far_price": "money_per_unit"})
def repurchase_flows(quantity: int, near_price: Rate, far_price: Rate) -> dict[str, Any]:
    """What a holder gets now, pays back on the agreed day, and so pays for the money: two linked trades of the same number of units.

    Contract of the parties under the rules of the venue. 10,000 units at 50.00 and 52.00: 500,000 in, 520,000 back, 20,000 the cost.
    """
    near, far = (_money(int(quantity) * fraction(price)) for price in (near_price, far_price))
    return {"received": near, "paid_back": far, "cost": far - near}


@rule("pledge_loan", unit="money", given={"quantity": "allowance", "price": "money_per_unit", "advance_rate": "ratio"})
def most_lent(quantity: int, price: Rate, advance_rate: Rate) -> Any:
    """The largest loan against pledged units: units x price x the share of their value that is lent. 10,000 x 50.00 x 0.70 = 350,000.00."""
    return _money(int(quantity) * fraction(price) * fraction(advance_rate))


@rule("cash_settled_swap", unit="money", given={"quantity": "allowance", "fixed_price": "money_per_unit", "market_price": "money_per_unit"})
def swap_payment(quantity: int, fixed_price: Rate, market_price: Rate) -> Any:
    """What the floating side pays the fixed side on the day, less than zero where it is the other way round: 10,000 x (55.00 - 50.00) = 50,000.00."""
    return _money(int(quantity) * (fraction(market_price) - fraction(fixed_price)))


@rule("credit_linked_bond", unit="basis_point", given={"floating_bp": "basis_point"})
def floating_coupon(floating_bp: Any, *, coupon_floor_bp: int, coupon_cap_bp: int) -> Any:
    """The floating part of a bond whose coupon follows the income from credits, held between a floor and a cap: 3 -> 5, 12 -> 12, 25 -> 20."""
    return plain(np.clip(whole("basis points", floating_bp), coupon_floor_bp, coupon_cap_bp))


def _money(amount: Any) -> Any:
    """To the cent; a part of one is dropped."""
    return round_decimal(amount, "0.01", DOWN)
