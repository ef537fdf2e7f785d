"""The auctions of a run in the order of their days: planned, held, and what they left unsold, which passes from year to year."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from tonne.market.auction_calendar import Outcome, Planned, Series, UnsoldRule, series


@dataclass
class AuctionPlan:
    """names, years, planned: a row an auction, in the order of days; outcomes: of the first ones, which were held. The rule says where unsold units
    go; a new one takes over what waits as if it had just stayed unsold."""

    rule: UnsoldRule = field(default_factory=UnsoldRule)
    names: list[str] = field(default_factory=list)
    years: list[int] = field(default_factory=list)
    planned: list[Planned] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    spent: dict[int, int] = field(default_factory=dict)  # units that a year's auctions so far were planned to offer
    _before: tuple[int, int] = (0, 0)  # what went for good and into the reserve before the rule came
    _begins: int = 0  # the first auction under the rule
    _waited: int = 0  # units that waited when the rule came
    _short: bool = False  # whether anything was left unsold under the rule

    @property
    def place(self) -> int:
        """Of the next auction."""
        return len(self.outcomes)

    def coming(self, year: int) -> list[int]:
        """Places of a year's auctions still to come."""
        return [place for place in range(self.place, len(self.planned)) if self.years[place] == year]

    def add(self, year: int, days: Sequence[date], rule: UnsoldRule | None = None) -> None:
        """A year's further auctions, each to offer what is planned later."""
        if rule is not None and rule != self.rule:
            self._before = self.left()
            self._waited, self._begins, self.rule = self.waiting(), self.place, rule
            self._short = bool(self._waited)
        before = self.years.count(year)
        rows = list(zip(self.planned, self.names, self.years, strict=True))
        rows += [(Planned(day, 0), f"auction:{year}:{before + number + 1}", year) for number, day in enumerate(days)]
        held, coming = rows[: self.place], sorted(rows[self.place :], key=lambda row: row[0].day)
        for column, values in zip((self.planned, self.names, self.years), zip(*held, *coming, strict=True), strict=True):
            column[:] = values  # type: ignore[index]

    def plan(self, place: int, quantity: int) -> None:
        self.planned[place] = Planned(self.planned[place].day, quantity)

    def offered(self) -> int:
        """Units of the next auction: its own, and what unsold units of earlier ones add to it."""
        return self.series().auctions[self._row(self.place)].offered if self._short else self.planned[self.place].quantity

    def end(self, offered: int, outcome: Outcome) -> None:
        self._short = self._short or outcome.sold != offered
        year = self.years[self.place]
        self.spent[year] = self.spent.get(year, 0) + self.planned[self.place].quantity
        self.outcomes.append(outcome)

    def waiting(self) -> int:
        """Unsold units that are kept for auctions to come, or for whatever the law may say of them."""
        if not self._short:
            return 0
        found = self.series()
        return found.waiting + found.left_over + sum(auction.added for auction in found.auctions[self._row(self.place) :])

    def left(self) -> tuple[int, int]:
        """Units that went for good, and into the reserve."""
        gone, kept = self._before
        if not self._short:
            return gone, kept
        found = self.series()
        return gone + found.gone, kept + found.to_reserve

    def _row(self, place: int) -> int:
        return place - self._begins + bool(self._waited)

    def series(self) -> Series:
        """Since the rule came; after the last auction planned, as many like it as the rule looks ahead, in the year after: what these take waits."""
        planned, outcomes = self.planned[self._begins :], self.outcomes[self._begins :]
        last = max(planned, key=lambda one: one.day, default=Planned(date.min, 0))
        after = [Planned(date(last.day.year + 1, 1, 1), last.quantity)] * self.rule.auctions
        if self._waited:
            planned, outcomes = [Planned(planned[0].day, self._waited), *planned], [Outcome(0), *outcomes]
        return series(self.rule, [*planned, *after], outcomes)
