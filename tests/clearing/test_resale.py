"""Units bought today are locked until they may be sold."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tonne.clearing.resale import MOVEMENT, ResaleError, Way, free_days, positions, positions_plain, split
from tonne.dates import day_number

A, S, D = Way.ARRIVAL, Way.SALE, Way.DEPARTURE


def moves(*rows):
    """(quantity, account, unit, day, free, way)"""
    return np.array(list(rows), dtype=MOVEMENT)


def test_bought_today_sold_tomorrow():
    bought = moves((100, 1, 0, 10, 11, A))
    assert positions(bought, 10).sellable.tolist() == [0] and positions(bought, 10).locked.tolist() == [100]
    assert positions(bought, 11).sellable.tolist() == [100] and positions(bought, 11).locked.tolist() == [0]


def test_a_sale_of_locked_units_is_refused_whole_and_takes_nothing():
    rows = moves((50, 1, 0, 9, 10, A), (100, 1, 0, 10, 11, A), (51, 1, 0, 10, 0, S), (50, 1, 0, 10, 0, S), (1, 1, 0, 10, 0, S), (100, 1, 0, 11, 0, S))
    got = positions(rows, 11)
    assert got.refused.tolist() == [False, False, True, False, True, False]
    assert (got.sellable.tolist(), got.locked.tolist()) == ([0], [0])


def test_what_was_allocated_may_be_sold_at_once_while_what_was_bought_before_it_is_locked():
    rows = moves((10, 1, 0, 10, 11, A), (5, 1, 0, 10, 10, A), (5, 1, 0, 10, 0, S), (1, 1, 0, 10, 0, S))
    got = positions(rows, 10)
    assert got.refused.tolist() == [False, False, False, True] and got.locked.tolist() == [10]


def test_a_surrender_takes_the_oldest_locked_or_not():
    rows = moves((10, 1, 0, 10, 12, A), (5, 1, 0, 10, 10, A), (12, 1, 0, 10, 0, D), (4, 1, 0, 10, 0, D))
    got = positions(rows, 10)
    assert got.refused.tolist() == [False, False, False, True]
    assert (got.sellable.tolist(), got.locked.tolist()) == ([3], [0])


def test_free_days_are_trading_days():
    days = [day_number(date(2026, 11, d)) for d in (16, 19, 20, 20)]
    weekday = lambda day: day.weekday() < 5  # noqa: E731
    assert (free_days(days, 1, weekday) - days).tolist() == [1, 1, 3, 3]
    assert (free_days(days, 2, weekday) - days).tolist() == [2, 4, 4, 4]
    assert free_days(days, 0, weekday).tolist() == days


@st.composite
def streams(draw, ways=(A, S, D), lag=None):
    day, rows = 100, []
    for _ in range(draw(st.integers(0, 30))):
        day += draw(st.integers(0, 1))
        way = draw(st.sampled_from(ways))
        wait = draw(st.integers(0, 3)) if lag is None else lag
        rows.append((draw(st.integers(1, 20)), draw(st.integers(1, 3)), draw(st.integers(0, 1)), day, day + wait if way == A else 0, way))
    return moves(*rows), day + draw(st.integers(0, 3))


@settings(max_examples=200)
@given(streams())
def test_the_fast_walk_is_the_plain_one(stream):
    rows, today = stream
    got, (parts, refused) = positions(rows, today), positions_plain(rows, today)
    assert got.refused.tolist() == refused
    assert (
        dict(
            zip(zip(got.account.tolist(), got.unit.tolist(), strict=True), zip(got.sellable.tolist(), got.locked.tolist(), strict=True), strict=True)
        )
        == parts
    )


def sums(rows, refused, today):
    """(account, unit) -> what it holds, what arrived that is still locked."""
    held: dict[tuple[int, int], list[int]] = {}
    for row, gone in zip(rows.tolist(), refused, strict=True):
        quantity, account, unit, _, free, way = row
        pair = held.setdefault((account, unit), [0, 0])
        if not gone:
            pair[0] += quantity if way == A else -quantity
            pair[1] += quantity if way == A and free > today else 0
    return np.array([held[key] for key in sorted(held)], dtype=np.int64).reshape(-1, 2)


@pytest.mark.parametrize(("ways", "lag"), [((A, S), None), ((A, S, D), 1), ((A, S, D), 2)])
@settings(max_examples=100)
@given(data=st.data())
def test_two_sums_are_enough_where_the_text_says_so(ways, lag, data):
    rows, today = data.draw(streams(ways, lag))
    got = positions(rows, today)
    sellable, locked = split(*sums(rows, got.refused, today).T)
    assert sellable.tolist() == got.sellable.tolist() and locked.tolist() == got.locked.tolist()


@given(streams())
def test_two_sums_never_let_more_be_sold(stream):
    rows, today = stream
    got = positions(rows, today)
    sellable, locked = split(*sums(rows, got.refused, today).T)
    assert np.all(sellable <= got.sellable) and np.all(sellable + locked == got.sellable + got.locked)


def test_many_positions_at_once():
    assert [part.tolist() for part in split([150, 30, 0], [100, 100, 5])] == [[50, 0, 0], [100, 30, 0]]
    assert [int(part) for part in split(150, 100)] == [50, 100]
    with pytest.raises(ResaleError, match="nothing or more"):
        split([-1], [0])


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([(0, 1, 0, 10, 0, A)], "moves nothing"), ([(1, 1, 0, 10, 0, 7)], "neither arrives"),
        ([(1, 1, 0, 10, 0, A), (1, 1, 0, 9, 0, A)], "order of time"), ([(1, 1, 0, 12, 0, A)], "after the day asked for"),
    ],
)  # fmt: skip
def test_movements_that_cannot_have_been(rows, said):
    with pytest.raises(ResaleError, match=said):
        positions(moves(*rows), 11)


def test_positions_may_be_mixed_and_nothing_is_nothing():
    assert positions(moves(), 5).sellable.tolist() == []
    rows = moves((3, 2, 0, 10, 10, A), (4, 1, 1, 5, 5, A), (1, 2, 0, 10, 0, S))
    got = positions(rows, 11)
    assert (got.account.tolist(), got.unit.tolist(), got.sellable.tolist()) == ([1, 2], [1, 0], [4, 2])
