"""Free units that utilities must put up for auction."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from tonne.rules.allocation.consignment import consigned_least

SHARE = {
    "consignment_share": {"gas": {2015: Decimal("0.25"), 2016: Decimal("0.30")}, "private": {2013: Decimal("1.0")}, "public": {2013: Decimal(0)}}
}


def test_one_row_many_rows_no_rows() -> None:
    assert consigned_least(1_000_001, 2015, "gas", **SHARE) == 250_001
    many = consigned_least(
        np.array([100, 100, 100, 101]), np.array([2016, 2020, 2015, 2030]), np.array(["gas", "private", "public", "gas"], dtype=object), **SHARE
    )
    assert many.tolist() == [30, 100, 0, 31]
    assert consigned_least(np.array([], dtype=np.int64), 2015, "gas", **SHARE).tolist() == []


def test_what_the_law_does_not_name_is_refused() -> None:
    with pytest.raises(ValueError, match="no share to consign for 'water'"):
        consigned_least(1, 2015, "water", **SHARE)
    with pytest.raises(ValueError, match="no consignment share of 'gas' for 2014"):
        consigned_least(1, 2014, "gas", **SHARE)
