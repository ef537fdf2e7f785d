"""A fine of a multiple of a price that the law itself tables."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tonne.rules.penalty.tabled_price import penalty


def test_a_multiple_of_a_price_that_the_law_tables():
    law = {"fine_price_by_year": {2021: 25, 2024: 45}, "fine_multiple": 2}
    assert penalty(1000, 2024, **law) == Decimal("90000.00")
    assert penalty([1, 1, 1], [2021, 2023, 2030], **law).tolist() == [Decimal("50.00"), Decimal("50.00"), Decimal("90.00")]
    with pytest.raises(ValueError, match="no price to be multiplied for 2020: the first is of 2021"):
        penalty(1, 2020, **law)
