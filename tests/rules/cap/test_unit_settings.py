"""A yearly limit on new units made of three parts."""

from __future__ import annotations

import numpy as np
import pytest

from tonne.rules.cap.unit_settings import auction_volume, cap, industrial_volume, overall_limit

LIMIT = {"overall_limit_by_year": {2022: 34_500_000, 2023: 32_300_000, 2024: None}}
SOLD = {"auction_limit_by_year": {2022: 26_300_000, 2023: 25_900_000}}


def test_the_limit_and_its_parts() -> None:
    assert cap(2023, **LIMIT) == 32_300_000
    assert cap([2022, 2023], **LIMIT).tolist() == [34_500_000, 32_300_000]
    with pytest.raises(ValueError, match="no overall limit for 2024"):
        cap(2024, **LIMIT)
    assert industrial_volume(2023, **LIMIT, **SOLD) == 6_400_000
    assert industrial_volume(2023, **LIMIT, **SOLD, overseas_limit_by_year={2023: 400_000}) == 6_000_000
    assert overall_limit(25_900_000, 6_400_000) == 32_300_000
    assert overall_limit([1, 2], 3, 4).tolist() == [8, 9]


def test_what_is_offered_before_the_reserve_opens() -> None:
    assert auction_volume(2023, **SOLD, stability__containment_size_by_year={2023: 8_000_000}) == 17_900_000
    assert auction_volume(2023, **SOLD) == 25_900_000
    assert auction_volume([2022, 2023], **SOLD, auction_volume_by_year={2022: 19_000_000}).tolist() == [19_000_000, 25_900_000]
    assert auction_volume(np.zeros(0, dtype=np.int64), **SOLD).tolist() == []
    with pytest.raises(ValueError, match="no limit on auctions for 2030"):
        auction_volume(2030, **SOLD)
