"""What follows a shortfall besides a fine."""

from decimal import Decimal as D

import numpy as np
import pytest

from tonne.rules.arrears import arrears_taken, false_report_penalty, last_year_without_support

ORDER = ["account", "next_allocation"]


def test_units_are_taken_in_the_order_of_the_text() -> None:
    assert arrears_taken(1_000, 400, 5_000, deduct_from=ORDER) == {"from_account": 400, "from_next_allocation": 600, "still_missing": 0}
    assert arrears_taken(1_000, 400, 100, deduct_from=ORDER)["still_missing"] == 500
    assert arrears_taken(1_000, 400, 5_000, deduct_from=["next_allocation"])["from_account"] == 0
    rows = arrears_taken([10, 0], [3, 3], 100, deduct_from=ORDER)
    assert rows["from_account"].tolist() == [3, 0]
    assert rows["from_next_allocation"].tolist() == [7, 0]
    none = np.zeros(0, dtype=np.int64)
    assert arrears_taken(none, none, none, deduct_from=ORDER)["still_missing"].tolist() == []
    with pytest.raises(ValueError, match="not from 'bank'"):
        arrears_taken(1, 1, 1, deduct_from=["bank"])


def test_a_false_report() -> None:
    assert false_report_penalty(100, D("50.00"), false_report_multiple=3) == 15_000
    assert false_report_penalty(-100, D("50.00"), false_report_multiple=3) == 15_000


def test_support_is_withheld_for_some_years() -> None:
    assert last_year_without_support(1, 2018, support_withheld_years=3) == 2021
    assert last_year_without_support([0, 5], 2018, support_withheld_years=3).tolist() == [0, 2021]
