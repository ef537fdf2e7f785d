"""Limits inside the limit on credits."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from tonne.rules.credit_sublimits import credit_sublimit

D = Decimal
LAW = {
    "limit_share": {2013: D("0.08"), 2021: D("0.04")},
    "sublimit_share": {"elsewhere": {2021: D("0.5")}, "sector": {2013: D("0.25"), 2018: D("0.5")}},
}


def test_a_share_of_the_limit_by_kind_and_year() -> None:
    assert credit_sublimit(1_000_000, 2021, "elsewhere", **LAW) == 20_000
    assert credit_sublimit(1_000_000, 2020, "elsewhere", **LAW) == 80_000
    assert credit_sublimit(np.array([1_000_000] * 2), np.array([2017, 2018]), "sector", **LAW).tolist() == [20_000, 40_000]
    assert credit_sublimit(np.array([], dtype=np.int64), np.array([], dtype=np.int64), "sector", **LAW).tolist() == []


def test_a_share_of_the_obligation_never_exceeds_the_limit() -> None:
    law = {"limit_share": D("0.08"), "sublimit_share": {"open": {2023: D("0.05")}, "all": {2023: D("0.10")}}, "sublimit_base": "obligation"}
    assert credit_sublimit(1_000_000, 2023, "open", **law) == 50_000
    assert credit_sublimit(1_000_000, 2023, "all", **law) == 80_000


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="no limit of its own for credits of the kind 'moon'"):
        credit_sublimit(1, 2021, "moon", **LAW)
