"""The quantity of a whole phase: what its plan is made of, and what lies in reserve beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tonne.rules.declare import rule


@rule("phase_budget", unit="allowance", given={"phase": "number"})
def phase_total(phase: int, *, phase_parts: Mapping[int, Mapping[str, int]]) -> int:
    """All units of a phase, reserves included: the sum of the parts that its plan names. Raises ValueError for a phase without a plan.

    540,100,000 + 560,700,000 + 585,500,000 + 14,300,000 = 1,700,600,000.
    """
    return sum(int(part) for part in _parts(phase, phase_parts).values())


@rule("phase_budget", unit="allowance", given={"phase": "number"})
def phase_total_before_reserves(phase: int, *, phase_parts: Mapping[int, Mapping[str, int]]) -> int:
    """Units of a phase that are meant for its participants: the parts that are no reserve. 1,700,600,000 - 14,300,000 = 1,686,300,000."""
    return sum(int(part) for name, part in _parts(phase, phase_parts).items() if not name.endswith("_reserve"))


def _parts(phase: Any, plans: Mapping[int, Mapping[str, int]]) -> Mapping[str, int]:
    if plans.get(int(phase)) is None:
        raise ValueError(f"no plan for phase {phase}; there are {', '.join(map(str, plans)) or 'none'}")
    return plans[int(phase)]
