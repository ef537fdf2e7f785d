"""Credits bought from a fund: whole contributions only, up to a share, the rest stays owed."""

from __future__ import annotations

import time
from decimal import Decimal as D

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.credits.fund import credits_earned, indexed_contribution, part_payment


def test_a_credit_for_each_whole_contribution() -> None:
    assert credits_earned(12_345, contribution=123) == 100
    assert credits_earned(D("122.99"), contribution=123) == 0
    assert credits_earned([123, 246, 0], contribution=D("123.00")).tolist() == [1, 2, 0]
    assert credits_earned([], contribution=123).tolist() == []
    with pytest.raises(ValueError, match="not negative"):
        credits_earned([5, -1], contribution=123)


def test_the_fund_settles_up_to_the_limit() -> None:
    assert part_payment(20_000, 15_000, contribution=123) == {"credits": 15_000, "money": 1_845_000, "lacking": 5_000}
    many = part_payment([20_000, 0, 7], 15_000, contribution=123)
    assert many["credits"].tolist() == [15_000, 0, 7] and many["lacking"].tolist() == [5_000, 0, 0]
    assert part_payment([], [], contribution=123)["money"].tolist() == []
    with pytest.raises(ValueError, match="zero or more"):
        part_payment(-1, 5, contribution=123)


@given(st.integers(0, 10**8), st.integers(0, 10**8))
def test_credits_and_what_is_lacking_make_up_the_shortfall(lacking: int, limit: int) -> None:
    answer = part_payment(lacking, limit, contribution=D("129"))
    assert answer["credits"] + answer["lacking"] == lacking and answer["credits"] <= limit
    assert answer["money"] == 129 * answer["credits"]
    assert credits_earned(answer["money"], contribution=D("129")) == answer["credits"]


def test_the_contribution_follows_the_index_in_whole_units_of_money() -> None:
    assert indexed_contribution(115, 100, contribution_base=107) == 123
    assert indexed_contribution(D("114.49"), 100, contribution_base=107) == 123  # 122.5043
    assert indexed_contribution(D("114.48"), 100, contribution_base=107) == 122  # 122.4936
    assert indexed_contribution(100, 100, contribution_base=107) == 107


def test_a_million_rows() -> None:
    rows = np.arange(1_000_000, dtype=np.int64)
    started = time.perf_counter()
    part_payment(rows, 500_000, contribution=D("129"))
    credits_earned(rows, contribution=D("129"))
    assert time.perf_counter() - started < 2
