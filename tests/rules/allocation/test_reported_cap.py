"""Free allocation of a whole cap, shared out by what the emitters themselves report for past years."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from tonne.rules.allocation.reported_cap import allocation

LAW = {"statistics__reported_emissions": 160_000_000, "cap_reduction": Decimal("0.27"), "first_cap_year": 2030, "last_cap_year": 2032}


def test_the_whole_cap_is_shared_out_by_past_emissions():
    law = {name if name.startswith("statistics") else f"cap__{name}": value for name, value in LAW.items()}
    shares = allocation(2030, np.array([1_600_000, 158_400_000, 0]), **law)
    assert shares.tolist() == [1_168_000, 115_632_000, 0]
    assert allocation(2031, 7, **law) == 116_800_000
    assert allocation(2031, [1, 1, 1], **law).sum() == 116_799_999  # parts of a unit are dropped
    assert allocation(2030, np.zeros(0, dtype=np.int64), **law).shape == (0,)
    assert allocation(2030, [0, 0], **law).tolist() == [0, 0]
    with pytest.raises(ValueError, match="zero or more"):
        allocation(2030, [-1, 2], **law)
