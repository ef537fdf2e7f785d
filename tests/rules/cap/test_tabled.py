"""The units of a year as the law tables them, a figure for each year."""

from __future__ import annotations

import pytest

from tonne.rules.cap.tabled import cap


def test_a_tabled_cap_is_what_the_table_says():
    assert cap(2021, cap_by_year={2021: 589_300_000}) == 589_300_000
    assert cap([2021, 2022], cap_by_year={2021: 5, 2022: 4}).tolist() == [5, 4]
    with pytest.raises(ValueError, match="no cap is tabled for 2023; there are 2021"):
        cap(2023, cap_by_year={2021: 5})
