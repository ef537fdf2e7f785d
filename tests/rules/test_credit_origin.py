"""Credits by where, when and from what they come."""

from datetime import date
from decimal import Decimal as D

import numpy as np

from tonne.rules.credit_origin import credit_is_admitted, credits_used

SHARES = {"limit_share": D("0.05"), "outside_share": D("0.025")}


def test_outside_credits_have_a_limit_of_their_own() -> None:
    assert credits_used(10_000, 60_000, 1_000_000, **SHARES) == {"local": 10_000, "outside": 25_000, "total": 35_000}
    assert credits_used(60_000, 60_000, 1_000_000, **SHARES) == {"local": 50_000, "outside": 0, "total": 50_000}
    assert credits_used(40_000, 60_000, 1_000_000, **SHARES)["total"] == 50_000
    rows = credits_used([0, 39], [99, 99], [999, 1_000], **SHARES)
    assert rows["outside"].tolist() == [24, 11]
    assert credits_used(1, 1, 1_000, limit_share=None, outside_share=None)["total"] == 0
    none = np.zeros(0, dtype=np.int64)
    assert credits_used(none, none, none, **SHARES)["total"].tolist() == []


def test_which_credits() -> None:
    law = {"admitted_units": ["CCER", "FOREST"], "excluded_project_types": ["hydropower"], "reduced_after": date(2013, 1, 1)}
    assert credit_is_admitted("CCER", "wind", date(2014, 6, 1), **law) is True
    assert credit_is_admitted("CCER", "hydropower", date(2014, 6, 1), **law) is False
    assert credit_is_admitted(["CCER", "CER", "CCER"], "wind", [date(2012, 12, 31), date(2014, 1, 1), None], **law).tolist() == [False] * 3
    assert credit_is_admitted("CCER", admitted_units=["CCER"]) is True
    assert credit_is_admitted("CCER", covered_boundary=[True, False], admitted_units=["CCER"], covered_boundary_excluded=True).tolist() == [
        False,
        True,
    ]
    assert credit_is_admitted("CCER", admitted_units=None) is False
    assert credit_is_admitted([], admitted_units=["CCER"]).tolist() == []
