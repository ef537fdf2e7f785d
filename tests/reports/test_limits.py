"""A system that compares emissions with limits: its charts, its sheets and its page say so."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from tonne.reports import charts, page, sheets
from tonne.reports.data import RunData

YEAR = {"year": [2025], "verified": [100_000], "limit": [90_000], "earned": [2_000], "paid": [12_000], "surrendered": [12_000]}
SECTORS = {"sector": ["steel"], "year": [2025], "allocated": [90_000], "verified": [100_000]}


def test_limits_are_not_called_free_allocation_and_what_was_earned_and_paid_is_drawn(made: Callable[..., RunData]) -> None:
    data = made("alberta-tier", "2026-06-01", (2025, 2025), table=pl.DataFrame(YEAR), sectors=pl.DataFrame(SECTORS), remarks=("no fine for 2025",))
    supply = charts.spec(charts.chart("supply", data))
    assert all(words in supply for words in ("Earned below the limit", "Settled in money", '"Limit"'))
    by_sector = charts.spec(charts.chart("allocation", data))
    assert "Limits and verified emissions by sector" in by_sector and "Allocated free" not in by_sector
    assert [column.heading for column in sheets.sectors(data).columns] == ["Sector", "Limit", "Verified", "Limit"]
    assert "<li>no fine for 2025.</li>" in page.render(data)
