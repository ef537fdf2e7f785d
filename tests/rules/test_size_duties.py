"""Above one size an operator reports, above a larger one it surrenders."""

from __future__ import annotations

import numpy as np
import pytest

from tonne.rules import size_duties as duties


def test_the_bounds_themselves_are_free() -> None:
    assert [duties.must_report(e, reports_above=10_000) for e in (9_999, 10_000, 10_001)] == [False, False, True]
    assert duties.must_surrender([24_999, 25_000, 25_001], surrenders_above=25_000).tolist() == [False, False, True]
    assert duties.must_report(np.zeros(0, dtype=np.int64), reports_above=10_000).tolist() == []


def test_less_than_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="less than nothing"):
        duties.must_report(-1, reports_above=10_000)
