"""A reserve that takes a set number of units from the auctions when many are in circulation."""

from __future__ import annotations

import numpy as np

from tonne.rules.stability.fixed_quantity_reserve import msr_intake
from tonne.rules.stability.market_stability_reserve import msr_release


def test_a_reserve_of_set_numbers():
    law = {"upper_threshold": 440, "intake_quantity": 100}
    assert msr_intake([440, 441], **law).tolist() == [0, 100]
    assert msr_release([209, 210], 70, lower_threshold=210, release_quantity=100).tolist() == [70, 0]
    assert msr_intake(np.zeros(0, dtype=np.int64), **law).shape == (0,)
