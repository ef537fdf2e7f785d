"""Which credits may be used, by their kind, their project, its age and place."""

from __future__ import annotations

from datetime import date

import numpy as np

from tonne.rules.credits.admission import credit_is_admitted

QUALITY = {"admitted_units": ["CER", "ERU"], "excluded_project_types": ["nuclear", "hfc_23"], "registered_until": date(2012, 12, 31)}


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


def test_a_project_is_registered_in_time_or_in_a_poorest_country() -> None:
    assert credit_is_admitted("CER", "wind", registered=date(2012, 12, 31), **QUALITY) is True
    assert credit_is_admitted("CER", "wind", registered=date(2013, 1, 1), **QUALITY) is False
    assert credit_is_admitted("CER", "wind", registered=date(2013, 1, 1), host_least_developed=True, **QUALITY) is True
    days = [date(2008, 1, 1)] * 3
    assert credit_is_admitted(["CER", "tCER", "ERU"], ["hfc_23", "wind", "wind"], registered=days, **QUALITY).tolist() == [False, False, True]
    assert credit_is_admitted("CER", "wind", registered=date(2008, 1, 1), admitted_units=None) is False
    assert credit_is_admitted([], [], registered=np.array([], dtype="datetime64[D]"), **QUALITY).tolist() == []
