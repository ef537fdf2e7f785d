"""docs/systems is what the law says today. Print it again with: make docs"""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from pathlib import Path

import tonne
from tonne.interfaces.systempage import pages
from tonne.law import systems

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "systems"
OUT_OF_DATE = "is out of date; run `make docs`"


@cache
def printed() -> dict[str, str]:
    """The pages of the day that the list in the folder was printed on."""
    found = re.search(r"--on (\d{4}-\d{2}-\d{2})`", (FOLDER / "README.md").read_text(encoding="utf-8"))
    assert found is not None
    return pages({system: tonne.rulebook(system) for system in systems()}, date.fromisoformat(found[1]))


def test_every_page_is_what_the_law_says() -> None:
    for name, text in printed().items():
        if name.endswith(".md"):
            assert (FOLDER / name).read_text(encoding="utf-8") == text, f"docs/systems/{name} {OUT_OF_DATE}"


def test_there_is_no_other_page_and_no_other_chart() -> None:
    there = {str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*") if path.is_file()}
    assert there == set(printed()), OUT_OF_DATE


def words(picture: str) -> list[str]:
    """The texts of a drawing. Where they stand is the renderer's and its fonts' affair."""
    return re.findall(r"<text[^>]*>([^<]*)</text>", picture)


def test_every_chart_says_what_the_law_says() -> None:
    for name, text in printed().items():
        if name.endswith(".svg"):
            drawn = (FOLDER / name).read_text(encoding="utf-8")
            assert words(drawn) and words(drawn) == words(text), f"docs/systems/{name} {OUT_OF_DATE}"


def test_a_page_shows_values_with_their_sources_cases_and_open_questions() -> None:
    page = printed()["rggi.md"]
    assert "| 2009-01-01 |" in page and "## Open questions" in page and "## Cases" in page and "(charts/rggi-cap.svg)" in page
    assert page.count("\n| ") > 300
    assert "no law yet: what is proposed holds in a scenario only" in printed()["thailand-ets.md"]
