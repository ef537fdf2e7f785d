"""docs/gaps.md is what its parts say today, and every system has a part."""

from __future__ import annotations

import re

from gaps_page import PAGE, gaps_of, page, rows

from tonne.law import systems


def test_the_page_is_made_from_its_parts() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "docs/gaps.md is out of date; run .venv/bin/python tests/rulebooks/gaps_page.py"


def test_every_system_tells_its_gaps_with_a_reason() -> None:
    for system in systems():
        path = gaps_of(system)
        text = path.read_text(encoding="utf-8")
        assert rows(text) > 0
        for number, line in enumerate(text.splitlines(), 1):
            if line.startswith("|") and not re.fullmatch(r"[|\s:-]+", line):
                cells = [cell.strip() for cell in line.strip("|").split("|")]
                assert len(cells) == 2, f"{system}/{path.name}:{number}: a row is a fact and a reason"
                assert all(cells), f"{system}/{path.name}:{number}: a row without a reason"
