"""Reports as they came in before a living market is shown: some are verified, some were sent back, some wait, some are missing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple

import polars as pl

from tonne.administration.permissions import ADMINISTRATOR
from tonne.simulation.living_people import REST
from tonne.simulation.living_plan import LivingPlan
from tonne.simulation.randomness import generator
from tonne.simulation.run import REMAINDER

#: Open days over which reports came in; how many in a thousand have come; how many of those that a verifier looked at were sent back.
DAYS, REPORTED, REJECTED = 28, 640, 45
#: Open days until a verifier has looked at a report, at least and at most; the persona's verifier has left these last days for whoever acts for it.
LOOKS_FROM, LOOKS_TO, LEFT = 4, 9, 18
#: Verifiers send what they found every so many open days; reports of before the last days are entered by the authority, all of a day together.
TOGETHER, LAST = 4, 7


class Filed(NamedTuple):
    """One command: reports of an operator, or what was found out about reports on a day (apart by verifier)."""

    day: date
    id: str
    kind: str
    by: str
    rows: pl.DataFrame


def filed(plan: LivingPlan) -> Iterator[Filed]:
    """All of them, in the order of their days."""
    days = [plan.board.calendar.add(plan.day, -back) for back in range(DAYS, 0, -1)]
    findings: dict[int, list[tuple[Any, ...]]] = {}
    coming: list[tuple[int, str, pl.DataFrame]] = []
    for operator in plan.society.operators:
        random = generator(plan.seed, "living", "reports", operator.participant)
        chance, at = int(random.integers(1000)), int(random.integers(DAYS))
        if operator.participant == plan.shown.participant or chance >= REPORTED:
            continue
        coming.append((at, operator.participant, _figures(plan, operator.installations)))
        for name in operator.installations:
            looked = -(-(at + int(random.integers(LOOKS_FROM, LOOKS_TO + 1))) // TOGETHER) * TOGETHER
            rejected = int(random.integers(1000)) < REJECTED
            own = plan.verifier_of(name) == plan.people["verifier"].participant
            if looked < (DAYS - LEFT if own else DAYS):
                figure = None if rejected else plan.society.emissions[name]
                findings.setdefault(looked, []).append((name, plan.year, figure, "rejected" if rejected else "verified"))
    rest = plan.society.inputs.totals
    assert rest is not None
    left = int(rest.filter(pl.col("year") == plan.year)["verified"].sum()) - sum(plan.society.emissions.values())
    coming.append((DAYS // 2, REST, _table([(REMAINDER, plan.year, left)], "emissions")))
    findings.setdefault((DAYS - 1) // TOGETHER * TOGETHER, []).append((REMAINDER, plan.year, left, "verified"))
    for at in range(DAYS - LAST):
        frames = [rows for day, _, rows in coming if day == at]
        if frames:
            yield Filed(days[at], f"reported:{plan.year}:{at:02d}", "report", ADMINISTRATOR, pl.concat(frames))
    for at, who, rows in sorted(coming, key=lambda row: row[:2]):
        if at >= DAYS - LAST:
            yield Filed(days[at], f"reported:{plan.year}:{who}", "report", who, rows)
    for at, found in sorted(findings.items()):
        yield Filed(days[at], f"looked-at:{plan.year}:{at:02d}", "verify", "", _table(sorted(found, key=lambda row: row[0]), "verified"))


def _figures(plan: LivingPlan, installations: tuple[str, ...]) -> pl.DataFrame:
    return _table([(name, plan.year, plan.society.emissions[name]) for name in installations], "emissions")


def _table(rows: list[tuple[Any, ...]], figure: str) -> pl.DataFrame:
    columns: dict[str, Any] = {"installation": pl.String, "year": pl.Int32, figure: pl.Int64}
    columns |= {"state": pl.String} if figure == "verified" else {}
    return pl.DataFrame(rows, schema=columns, orient="row")
