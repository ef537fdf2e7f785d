"""Banking for who surrendered on time."""

from __future__ import annotations

import numpy as np

from tonne.rules.registry.banking_for_the_compliant import carry_over


def test_who_did_not_comply_keeps_nothing() -> None:
    assert carry_over(25_000) == {"carried": 25_000, "void": 0}
    assert carry_over(25_000, False) == {"carried": 0, "void": 25_000}
    many = carry_over(np.array([5, 6]), [True, False])
    assert many["carried"].tolist() == [5, 0] and many["void"].tolist() == [0, 6]
