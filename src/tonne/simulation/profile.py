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

#: Tonnes for one of output, below which a generated product would need more output than whole numbers hold.
LEAST = Decimal("0.001")
#: Without totals and without a cap a generated installation emits this much in the mean, and the label says so.
NEUTRAL = 100_000
#: Without a profile beside the rulebook: one sector, one product, one tonne a unit.
PLAIN: dict[str, dict[str, Any]] = {"all": {"emissions_share": 1, "installations_share": 1, "products": {"unit": {"intensity": 1}}}}


def profile_of(rulebook: Rulebook, year: int) -> dict[str, dict[str, Any]]:
    """The sectors of `synthetic/population.yaml` beside the rulebook that are in the system in a year.

    Without such a file: what the law's own allocation tells apart, its sectors and benchmarked products; PLAIN where it tells nothing apart.
    The file is illustration, not law: it shapes generated installations and nothing else. Raises RulebookError when it is not of that form.
    """
    path = Path(rulebook.place) / "synthetic" / "population.yaml"
    if not path.is_file():
        return _from_law(rulebook, year) or PLAIN
    document = read(path, f"{rulebook.system.id}/synthetic/population.yaml")
    data = document.data
    sectors = data.get("sectors") if isinstance(data, dict) else None
    if not isinstance(sectors, list) or not all(isinstance(sector, dict) and isinstance(sector.get("name"), str) for sector in sectors):
        raise RulebookError([Fault(document.file, 1, "sectors", "a population file has `sectors:`, a list of profiles with a `name:`")])
    profiles = [_floats(profile) for profile in sectors if profile.get("since", year) <= year <= profile.get("until", year)]
    return {profile["name"]: {key: v for key, v in profile.items() if key not in ("name", "since", "until")} for profile in profiles}


def _from_law(rulebook: Rulebook, year: int) -> dict[str, dict[str, Any]]:
    """One sector for each that the law names a method for, all of one size; where it benchmarks products, with those, near their benchmarks."""
    law = rulebook.at(max(date(year, 12, 31), rulebook.system.begins))
    methods = law.value("allocation.allocation_method") if law.has("allocation.allocation_method") else {"all": "benchmark"}
    benchmarks = law.value("allocation.benchmark") if law.has("allocation.benchmark") else {}
    if not isinstance(benchmarks, Mapping) or not isinstance(methods, Mapping):
        return {}
    products = {str(name): {"intensity": float(rate)} for name, rate in benchmarks.items() if isinstance(rate, (int, Decimal)) and rate >= LEAST}
    sectors: dict[str, dict[str, Any]] = {}
    for sector, method in methods.items():
        made = products if method == "benchmark" else {f"{sector} output": {"intensity": 1.0, "past_intensity": 1.02}}
        if made:
            sectors[str(sector)] = {"emissions_share": 1.0, "installations_share": 1.0, "products": made}
    return sectors


def _floats(value: Any) -> Any:
    """Shapes of a population are not owned by anybody: here decimals may be binary floats."""
    if isinstance(value, dict):
        return {key: _floats(v) for key, v in value.items()}
    if isinstance(value, list):
        return [_floats(v) for v in value]
    return float(value) if isinstance(value, Decimal) else value


def totals_for(rulebook: Rulebook, years: Sequence[int], size: int) -> tuple[Mapping[int, int], str]:
    """Verified emissions that a population is scaled to, tonnes (or the system's own measure) by year, and a remark where they are nobody's.

    The published total of the year; otherwise that of the nearest published year; otherwise nine tenths of the cap (of the nearest year that has
    one); otherwise NEUTRAL for each of `size` installations.
    """
    known = published(rulebook, "verified_emissions", max(years)) or published(rulebook, "covered_emissions", max(years))
    if known:
        return {year: known.get(year, known[min(known, key=lambda k: (abs(k - year), k))]) for year in years}, ""
    caps = {year: cap for year in years if (cap := _cap(rulebook, year)) is not None}
    if not caps:
        remark = f" No emissions and no cap are known to scale it to: {NEUTRAL:,} tonnes an installation, which says nothing of the real system."
        return dict.fromkeys(years, NEUTRAL * size), remark
    nearest = {year: caps[min(caps, key=lambda k: (abs(k - year), k))] for year in years}
    return {year: cap * 9 // 10 for year, cap in nearest.items()}, ""


def _cap(rulebook: Rulebook, year: int) -> int | None:
    law = rulebook.at(max(date(year, 12, 31), rulebook.system.begins))
    try:
        cap = answer(law, "cap", (year,)) if offers(law, "cap") else None
    except (LawError, ValueError):  # the law names none for that year
        return None
    return None if cap is None else int(cap)
