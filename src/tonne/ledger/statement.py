"""A statement pins a number of ours to a published one at a date, and says how much of the difference is explained."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Statement", "statements_frame"]


@dataclass(frozen=True, slots=True)
class Statement:
    """`computed` by us and `published` by the authority (None: not published), in one measure, for one `day`.

    Each explanation is a reason and the quantity by which, for that reason, computed exceeds published (negative: falls short).
    """

    name: str
    day: date
    computed: int
    published: int | None
    source: str
    explanations: tuple[tuple[str, int], ...] = ()

    @property
    def difference(self) -> int | None:
        """Computed less published."""
        return None if self.published is None else self.computed - self.published

    @property
    def explained(self) -> int:
        return sum(quantity for _, quantity in self.explanations)

    @property
    def unexplained(self) -> int | None:
        return None if self.difference is None else self.difference - self.explained

    @property
    def agrees(self) -> bool | None:
        """Whether nothing is left unexplained; None when there is nothing to agree with. There is no tolerance."""
        return None if self.unexplained is None else self.unexplained == 0


def statements_frame(statements: Iterable[Statement]) -> pl.DataFrame:
    """One row a statement, in the order given; `explanations` as one text."""
    import polars as pl

    columns = {
        "name": pl.String, "day": pl.Date, "computed": pl.Int64, "published": pl.Int64, "difference": pl.Int64,
        "explained": pl.Int64, "unexplained": pl.Int64, "agrees": pl.Boolean, "explanations": pl.String, "source": pl.String,
    }  # fmt: skip
    rows = [
        (
            s.name, s.day, s.computed, s.published, s.difference, s.explained, s.unexplained, s.agrees,
            "; ".join(f"{text}: {quantity:+,}" for text, quantity in s.explanations), s.source,
        )
        for s in statements
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=columns, orient="row")
