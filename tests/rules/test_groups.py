"""Grouping of rows by what they share."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.groups import codes, row_groups


def test_codes_number_values_in_their_order() -> None:
    values, places = codes(["b", "a", "b"])
    assert (values, places.tolist()) == (["b", "a"], [0, 1, 0])
    assert codes([])[1].tolist() == []


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["a", "b", None]))))
def test_every_row_is_in_the_group_of_its_values(rows: list[tuple[int, str | None]]) -> None:
    seen = {}
    for places, values in row_groups([row[0] for row in rows], [row[1] for row in rows]):
        seen |= dict.fromkeys(places.tolist(), values)
    assert [seen[place] for place in range(len(rows))] == rows
