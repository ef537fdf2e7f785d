"""Every figure of the collected facts stands in the rulebook, in a case or, with its reason, in the gaps.md beside it.

The facts lie beside the project (../shared/facts); without them these tests skip. A figure counts as held when the same number is written there,
perhaps in another scale (million tonnes as tonnes, percent as a ratio) or with other digit groups.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tonne.law import systems

ROOT = Path(__file__).resolve().parents[2]
FACTS = ROOT.parent / "shared" / "facts"
FILES = ("world.yaml", "north-america.yaml", "china-japan.yaml")
#: Addresses, and words on where a figure was seen or how sure it is: not the law.
NOT_LAW = {"sources", "source", "confidence", "c", "url", "urls"}

_ADDRESS = re.compile(r"https?://\S+|github:\S+|\b\w+\.(?:org|com|eu|cn|gov|news)/\S*|[0-9a-f]{12,}|W?0?20\d{6,}\.\w+|seed \d{3}\w*(\.txt)?")
_DAY = re.compile(r"\b\d{4}-\d{2}-\d{2}\b|(?<![\d-])\d{2}-\d{2}(?![\d-])")
_NUMBER = re.compile(r"(?<![\w.])[-+]?\d[\d_]*(?:,\d{3})*(?:\.\d+)?")
#: How a figure of the facts may stand in the law: as it is, in thousands (10k), millions (Mt), billions; a percentage as a ratio.
SCALES = [Decimal(text) for text in ("1", "1e3", "1e4", "1e6", "1e9")]
PERCENT = Decimal("0.01")


def numbers(text: str) -> Iterator[Decimal]:
    for found in _NUMBER.findall(text):
        yield abs(Decimal(found.replace(",", "").replace("_", "")))


def days(text: str) -> Iterator[str]:
    yield from _DAY.findall(text)


@cache
def collected() -> dict[str, Any]:
    """Every system of the collected facts."""
    if not all((FACTS / name).is_file() for name in FILES):
        pytest.skip("no collected facts at ../shared/facts")
    read = (yaml.load((FACTS / name).read_text(encoding="utf-8"), Loader=yaml.BaseLoader) for name in FILES)
    return {entry["id"]: entry for entries in read for entry in entries}


#: Collected too, but no emissions trading systems: a registry of credits, a marketplace for them, a venue. The rooms for those come later.
NO_SYSTEMS = {"china-ccer", "hk-core-climate", "gfex-carbon-futures"}


def test_every_system_of_the_facts_has_a_rulebook_and_no_other() -> None:
    assert sorted(set(collected()) - NO_SYSTEMS) == systems()


def figures(value: Any, path: str = "") -> Iterator[tuple[str, Decimal | str]]:
    """Where and what: every number (a Decimal) and every day (text) of the facts."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key not in NOT_LAW:
                yield from figures(str(key), f"{path}.{key}") if re.fullmatch(r"[\d.]+", str(key)) else ()
                yield from figures(item, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from figures(item, f"{path}[{index}]")
    else:
        text = _ADDRESS.sub(" ", str(value))
        for day in days(text):
            yield path, day
        for number in numbers(_DAY.sub(" ", text)):
            yield path, number


@cache
def written(system: str) -> tuple[frozenset[Decimal], frozenset[str]]:
    """Numbers and days of the rulebook, its cases and its gaps."""
    folder = ROOT / "src" / "tonne" / "rulebooks" / system
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.yaml"))]
    text = "\n".join([*texts, (folder / "gaps.md").read_text(encoding="utf-8")])
    found = set(days(text))
    parts = {f"{day[5:]}" for day in found if len(day) == 10}
    bare = _DAY.sub(" ", text)
    return frozenset(n.normalize() for n in numbers(bare)) | {Decimal(day[:4]).normalize() for day in found if len(day) == 10}, frozenset(
        found | parts
    )


def is_held(figure: Decimal | str, system: str) -> bool:
    held, dates = written(system)
    if isinstance(figure, str):
        return figure in dates or (len(figure) == 5 and Decimal(int(figure[:2])) in held and not _is_day_of_year(figure))
    scales = [*SCALES, PERCENT] if figure <= 100 else SCALES
    return any((figure * scale).normalize() in held for scale in scales)


def _is_day_of_year(text: str) -> bool:
    try:
        return bool(date.fromisoformat(f"2000-{text}"))
    except ValueError:
        return False


@pytest.mark.parametrize("system", systems())
def test_every_figure_of_the_facts_is_held_or_explained(system: str) -> None:
    found = list(figures(collected()[system]))
    missing = sorted({(path, str(figure)) for path, figure in found if not is_held(figure, system)})
    kinds = len({str(figure) for _, figure in found})
    print(f"{system}: {len(found)} figures ({kinds} different), {len(missing)} missing")  # noqa: T201
    assert not missing, f"{len(missing)} of {len(found)} figures of {system} are nowhere:\n" + "\n".join(
        f"  {path}: {figure}" for path, figure in missing
    )


def test_a_figure_is_found_in_any_scale_and_a_missing_one_is_named() -> None:
    text = "value: 1_386_051_745, rate 4.3 %, on 2024-06-01, CO2, and -27 million (26,000 t)"
    assert list(numbers(_DAY.sub(" ", text))) == [Decimal(1_386_051_745), Decimal("4.3"), Decimal(27), Decimal(26000)]
    assert list(days(text)) == ["2024-06-01"]
    assert list(figures({"a": [{"b": 1.5, "source": "9"}], "2013": "7 at https://x.org/99"})) == [
        ("a[0].b", Decimal("1.5")),
        (".2013", Decimal(2013)),
        ("2013", Decimal(7)),
    ]
