"""Which emissions count, and from how much on, by kind of emitter."""

from __future__ import annotations

import numpy as np

from tonne.rules.scope.emission_kinds import counted_emissions, is_covered

FROM = {"covered_emissions_from": {"facility": 25_000, "importer": 0, "gone": None}}


def test_thresholds_by_kind() -> None:
    assert is_covered(25_000, "facility", **FROM)
    assert not is_covered(24_999, "facility", **FROM)
    kinds = np.array(["importer", "fuel", "gone", "facility"], dtype=object)
    assert is_covered(np.array([0, 10**9, 10**9, 1]), kinds, **FROM).tolist() == [True, False, False, False]
    assert is_covered(np.array([], dtype=np.int64), np.array([], dtype=object), **FROM).tolist() == []


def test_exempt_biogenic_emissions_do_not_count() -> None:
    assert counted_emissions(3_245_087, 12_855, 49_608, biogenic_exempt=True) == 3_294_695
    assert counted_emissions(100, 40, 5, biogenic_exempt=False) == 145
    assert counted_emissions(np.array([1, 2]), np.array([3, 4]), biogenic_exempt=True).tolist() == [1, 2]
