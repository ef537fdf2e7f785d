"""What a generated population of a system looks like: its sectors, and the totals it is scaled to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from tonne.administration.asks import answer, offers
from tonne.law import Fault, LawError, Rulebook, RulebookError
from tonne.law.text import read
from tonne.simulation.run import published

#: Without a profile beside the rulebook: one sector, one product, one tonne a unit.
PLAIN: dict[str, dict[str, Any]] = {"all": {"emissions_share": 1, "installations_share": 1, "products": {"unit": {"intensity": 1}}}}


def profile_of(rulebook: Rulebook, year: int) -> dict[str, dict[str, Any]]:
    """The sectors of `synthetic/population.yaml` beside the rulebook that are in the system in a year; PLAIN where there is no such file.

    The file is illustration, not law: it shapes generated installations and nothing else. Raises RulebookError when it is not of that form.
    """
    path = Path(rulebook.place) / "synthetic" / "population.yaml"
    if not path.is_file():
        return PLAIN
    document = read(path, f"{rulebook.system.id}/synthetic/population.yaml")
    data = document.data
    sectors = data.get("sectors") if isinstance(data, dict) else None
    if not isinstance(sectors, list) or not all(isinstance(sector, dict) and isinstance(sector.get("name"), str) for sector in sectors):
        raise RulebookError([Fault(document.file, 1, "sectors", "a population file has `sectors:`, a list of profiles with a `name:`")])
    profiles = [_floats(profile) for profile in sectors if profile.get("since", year) <= year <= profile.get("until", year)]
    return {profile["name"]: {key: v for key, v in profile.items() if key not in ("name", "since", "until")} for profile in profiles}


def _floats(value: Any) -> Any:
    """Shapes of a population are not owned by anybody: here decimals may be binary floats."""
    if isinstance(value, dict):
        return {key: _floats(v) for key, v in value.items()}
    if isinstance(value, list):
        return [_floats(v) for v in value]
    return float(value) if isinstance(value, Decimal) else value


def totals_for(rulebook: Rulebook, years: Sequence[int]) -> Mapping[int, int]:
    """Verified emissions that a population is scaled to, tonnes (or the system's own measure) by year.

    The published total of the year; otherwise that of the nearest published year; otherwise nine tenths of the cap. Raises ValueError where the
    system's rulebook has neither.
    """
    known = published(rulebook, "verified_emissions", max(years)) or published(rulebook, "covered_emissions", max(years))
    if known:
        return {year: known.get(year, known[min(known, key=lambda k: (abs(k - year), k))]) for year in years}
    totals: dict[int, int] = {}
    for year in years:
        law = rulebook.at(max(date(year, 12, 31), rulebook.system.begins))
        try:
            cap = answer(law, "cap", (year,)) if offers(law, "cap") else None
        except (LawError, ValueError):
            cap = None
        if cap is None:
            raise ValueError(f"{rulebook.system.id} has no published emissions and no cap for {year} to scale a population to")
        totals[year] = int(Decimal(int(cap)) * 9 / 10)
    return totals
