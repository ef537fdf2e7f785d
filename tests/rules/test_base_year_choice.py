"""The better of some base years."""

from decimal import Decimal as D

import numpy as np
import pytest

from tonne.rules.base_year_choice import base_value

YEARS = {"base_years": [2019, 2020]}


def test_the_highest_counts() -> None:
    assert base_value([120_000, 95_000], **YEARS) == 120_000
    assert base_value([D("0.81"), D("0.84")], **YEARS) == D("0.84")
    assert base_value([[1, 9], [5, 2]], **YEARS).tolist() == [5, 9]
    assert base_value([np.array([D("0.8"), D("0.7")], dtype=object), np.array([D("0.9"), D("0.6")], dtype=object)], **YEARS).tolist() == [
        D("0.9"),
        D("0.7"),
    ]
    assert base_value([[], []], **YEARS).tolist() == []
    with pytest.raises(ValueError, match="2019, 2020"):
        base_value([1, 2, 3], **YEARS)
