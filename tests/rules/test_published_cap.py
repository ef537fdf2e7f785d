"""Totals that are public for some years only, and their parts."""

from decimal import Decimal as D

import numpy as np
import pytest

from tonne.rules.published_cap import cap, cap_part

TOTALS = {2022: 100_000_000, 2023: 105_000_000, 2024: None}
PARTS = {2021: {"emitters": D("0.97"), "bidding": D("0.03")}, 2022: {"emitters": D("0.96"), "newcomers": D("0.02"), "price": D("0.02")}}


def test_a_year_without_a_public_total_has_none() -> None:
    assert cap(2023, cap_by_year=TOTALS) == 105_000_000
    assert cap(2021, cap_by_year=TOTALS) is None
    assert cap(2024, cap_by_year=TOTALS) is None
    assert cap([2022, 2023], cap_by_year=TOTALS).tolist() == [100_000_000, 105_000_000]
    assert cap(np.zeros(0, dtype=np.int64), cap_by_year=TOTALS).tolist() == []
    with pytest.raises(ValueError, match="2024"):
        cap([2023, 2024], cap_by_year=TOTALS)


def test_the_parts_of_a_total() -> None:
    assert cap_part(26_000_000, 2022, "price", part_share=PARTS) == 520_000
    assert cap_part(33_500_000, 2024, "emitters", part_share=PARTS) == 32_160_000
    assert sum(cap_part(26_000_000, 2022, part, part_share=PARTS) for part in PARTS[2022]) == 26_000_000
    with pytest.raises(ValueError, match="no part"):
        cap_part(26_000_000, 2022, "bidding", part_share=PARTS)
    with pytest.raises(ValueError, match="no division"):
        cap_part(1, 2020, "emitters", part_share=PARTS)
