"""A system in a dozen figures: what `tonne systems`, `tonne fidelity` and the pages about systems say of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

#: What a complete market's law says, and where a rulebook says it: any of these parameters or asks.
CHAPTERS: dict[str, tuple[str, ...]] = {
    "who is in": ("scope.",),
    "how much": ("cap.", "units_earned"),
    "who gets units": ("allocation.", "fixed_price"),
    "at what price": ("auction.", "stability.", "payment_price", "fixed_price", "statistics.mean_price"),
    "what is owed": ("obligation",),
    "credits": ("credits.",),
    "banking": ("registry.", "carry_over"),
    "dates": ("calendar.agenda",),
    "penalty": ("penalty.",),
    "reporting": ("monitoring.",),
    "figures": ("statistics.",),
}
#: ask -> what it says of how the law holds the price
PRICE_RULES: dict[str, str] = {
    "fixed_price": "fixed",
    "auction_reserve_price": "floor",
    "price_floor": "floor",
    "tier_price": "tiers",
    "containment_trigger": "ceiling",
    "auction_ceiling_price": "ceiling",
    "ceiling_price": "ceiling",
    "price_ceiling": "ceiling",
    "trigger_price": "trigger",
    "stabilisation_triggers": "trigger",
    "intervention_is_due": "trigger",
    "band_action": "band",
    "msr_intake": "reserve",
    "payment_price": "payment",
}


@dataclass(frozen=True)
class Overview:
    """What a line about a system holds. Shares are per cent; `cap` is (year, units); `price` (when, money per unit, unit)."""

    facts: dict[str, Any]
    cap: tuple[int, int] | None
    obliged: str
    coverage: Decimal | int | None
    entities: int | None
    auction_share: Decimal | int | None
    credit_limit: str
    price: tuple[Any, Any, str] | None
    price_rules: tuple[str, ...]
    chapters: tuple[str, ...]
    missing: tuple[str, ...]
    parameters: int
    values: int
    confidences: dict[str, int]
    cases: Counter[str] = field(default_factory=Counter)
    gaps: int = 0

    def as_plain(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            **self.facts,
            "cap": {"year": self.cap[0], "units": self.cap[1]} if self.cap else None,
            "obliged": self.obliged,
            "coverage_percent": self.coverage,
            "entities": self.entities,
            "auction_share_percent": self.auction_share,
            "credit_limit": self.credit_limit,
            "price": {"of": self.price[0], "value": self.price[1], "unit": self.price[2]} if self.price else None,
            "price_rules": list(self.price_rules),
            "chapters": {"has": list(self.chapters), "lacks": list(self.missing)},
            "parameters": self.parameters,
            "values": self.values,
            "values_by_confidence": self.confidences,
            "cases": sum(self.cases.values()),
            "published_cases": self.cases["published"],
            "cases_by_kind": dict(self.cases),
            "gaps": self.gaps,
        }


def overview(book: Any, day: date) -> Overview:
    """The figures of one rulebook on a day. A system without any law yet is shown with what is proposed for it."""
    from tonne.administration.asks import asks

    who = facts(book)
    book = proposed(book)
    law = book.at(max(day, book.system.begins)) if book.system.has_law else None
    offered = asks(book)
    has = tuple(name for name, signs in CHAPTERS.items() if any(_has(book, offered, sign) for sign in signs))
    values = [value for parameter in book.parameters.values() for value in parameter.values]
    return Overview(
        facts=who,
        cap=_cap(law, offered) if law else None,
        obliged=_obliged(book, offered),
        coverage=_figure(book, "statistics.coverage_share", "statistics.coverage", "statistics.share_of_emissions", "statistics.covered_share"),
        entities=_figure(book, "statistics.entities", "scope.entities"),
        auction_share=_percent(book, "allocation.auction_share", "auction.auction_share"),
        credit_limit=_credit_limit(book),
        price=_price(book),
        price_rules=tuple(dict.fromkeys(words for ask, words in PRICE_RULES.items() if ask in offered)),
        chapters=has,
        missing=tuple(name for name in CHAPTERS if name not in has),
        parameters=len(book.parameters),
        values=len(values),
        confidences=_by_confidence(values),
        cases=count_cases(Path(book.place) / "cases"),
        gaps=count_gaps(Path(book.place) / "gaps.md"),
    )


def proposed(book: Any) -> Any:
    """The rulebook itself, or, where it has no law yet, the one in which its proposals hold."""
    from dataclasses import replace

    if book.system.has_law:
        return book
    days = [value.starts for parameter in book.parameters.values() for value in parameter.values]
    return replace(book, includes_proposed=True, system=replace(book.system, begins=min(days))) if days else book


def facts(book: Any) -> dict[str, Any]:
    """Who it is."""
    s = book.system
    return {
        "id": s.id,
        "name": s.name.get("en", s.id),
        "names": dict(s.name),
        "status": s.status,
        "design": s.design,
        "begins": s.begins if s.has_law else None,
        "unit": s.unit_name,
        "unit_code": s.unit_code,
        "measure": s.measure,
        "currency": s.currency,
        "jurisdiction": s.jurisdiction,
        "level": s.level,
        "links": [
            {"system": link.system or None, "jurisdiction": link.jurisdiction or None, "kind": link.kind, "from": link.starts, "to": link.ends}
            for link in s.links
        ],
    }


def count_cases(folder: Path) -> Counter[str]:
    """How many cases of each kind lie in a folder. Read line by line: a list of hundreds of cases is counted, not understood."""
    kinds: Counter[str] = Counter()
    for path in folder.rglob("*.yaml"):
        items = re.split(r"^- ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
        for item in items:
            kind = re.search(r"(?:^|[\s{,])kind:\s*(published|edge|story|illustration)\b", item)  # a question may have an input of that name
            kinds[kind.group(1) if kind else "published"] += 1
    return kinds


def count_gaps(file: Path) -> int:
    """Rows of a system's table of gaps."""
    if not file.is_file():
        return 0
    rows = [line for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    return sum(1 for line in rows if not re.match(r"\|\s*(-|:-|fact\b)", line, flags=re.IGNORECASE))


def _has(book: Any, offered: Mapping[str, Any], sign: str) -> bool:
    if "." not in sign:
        return sign in offered
    return any(path == sign or (sign.endswith(".") and path.startswith(sign)) for path in book.parameters)


def _cap(law: Any, offered: Mapping[str, Any]) -> tuple[int, int] | None:
    """The cap of the law's year, or of the last year it can name before; None where the system has none before the year is over."""
    from tonne.administration.asks import answer
    from tonne.law import LawError

    if "cap" not in offered:
        return None
    for year in range(law.day.year, law.day.year - 4, -1):
        try:
            units = answer(law, "cap", (year,))
        except (LawError, ValueError, KeyError):
            continue
        if units is not None:
            return year, int(units)
    return None


def _obliged(book: Any, offered: Mapping[str, Any]) -> str:
    """What an emitter owes, in three words."""
    if "units_earned" in offered:
        return "above its limit"
    if "obligation" not in offered:
        return "not said"
    return "every unit emitted" if "cap" in offered or "fixed_price" in offered else "every unit, limit ex post"


def _newest(book: Any, path: str) -> tuple[Any, Any, str] | None:
    """(key or day, newest figure, unit) of a parameter, a table's last row; None where there is none."""
    parameter = book.parameters.get(path)
    if parameter is None:
        return None
    known = [v for v in parameter.values if v.status != "proposed" or book.includes_proposed]
    if not known or known[-1].content is None:
        return None
    content = parameter.at(date.max, None, book.includes_proposed)
    if not isinstance(content, Mapping):
        return (known[-1].starts, content, parameter.unit) if isinstance(content, (int, Decimal)) and not isinstance(content, bool) else None
    rows = {key: value for key, value in content.items() if isinstance(value, (int, Decimal)) and not isinstance(value, bool)}
    if not rows:
        return None
    key = max(rows, key=lambda k: (isinstance(k, int), str(k).zfill(8)))
    return key, rows[key], parameter.unit


def _figure(book: Any, *paths: str) -> Any:
    return next((found[1] for path in paths if (found := _newest(book, path)) is not None), None)


def _percent(book: Any, *paths: str) -> Any:
    for path in paths:
        found = _newest(book, path)
        if found is not None:
            return found[1] * 100 if found[2] == "ratio" else found[1]
    return None


def _credit_limit(book: Any) -> str:
    """`5 %`, `none`, or `` where nothing is said."""
    parameter = book.parameters.get("credits.limit_share")
    if parameter is not None and parameter.values[-1].content is None:
        return "none"
    share = _percent(book, "credits.limit_share")
    if share is None:
        return ""
    return f"{plain_number(share)} %" if share else "none"


def plain_number(value: Decimal | int) -> str:
    """A figure without zeros that say nothing: 3.30 -> 3.3, 100.000 -> 100."""
    return f"{value.normalize():f}" if isinstance(value, Decimal) else f"{value}"


def _price(book: Any) -> tuple[Any, Any, str] | None:
    for name in ("mean_price", "price", "auction_price"):
        found = _newest(book, f"statistics.{name}")
        if found is not None and "_per_" in found[2]:
            return found
    return None


def _by_confidence(values: Iterable[Any]) -> dict[str, int]:
    from tonne.reports.lawpage import CONFIDENCES

    counts = Counter(value.confidence for value in values)
    return {name: counts[name] for name in (*CONFIDENCES, *sorted(set(counts) - set(CONFIDENCES))) if counts[name]}
