"""Makes docs/gaps.md from docs/gaps/*.md. Regenerate with: .venv/bin/python tests/rulebooks/gaps_page.py"""

from __future__ import annotations

import re
from pathlib import Path

from tonne.law import load

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = DOCS / "gaps.md"
INTRODUCTION = """\
# What the rulebooks leave out, and where published numbers disagree

Made from `docs/gaps/*.md`; edit those, then run `.venv/bin/python tests/rulebooks/gaps_page.py`. A figure of the collected facts is in a rulebook,
in a case, or in a row here with the reason (`tests/rulebooks/test_figures.py` looks for each).
"""


def rows(text: str) -> int:
    """Rows of the tables of a text, without their heads."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return len(lines) - 2 * sum(bool(re.fullmatch(r"[|\s:-]+", line)) for line in lines)


def section(system: str, text: str) -> str:
    """One system's file below a heading of its own, its headings one deeper, with counts."""
    _, _, body = text.strip().partition("\n")
    parts = re.split(r"^## (.+)$", body, flags=re.MULTILINE)
    told = [f"### {name} ({rows(part)})\n\n{part.strip()}\n" for name, part in zip(parts[1::2], parts[2::2], strict=True)]
    head = f"## {load(system).system.name['en']} (`{system}`): {rows(body)} rows\n\n{parts[0].strip()}\n"
    return "\n".join([head, *told])


def page() -> str:
    files = {path.stem: path.read_text(encoding="utf-8") for path in sorted((DOCS / "gaps").glob("*.md"))}
    counts = "| system | rows |\n|---|---|\n" + "".join(f"| `{system}` | {rows(text)} |\n" for system, text in files.items())
    return "\n".join([INTRODUCTION, counts, *(section(system, text) for system, text in files.items())])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
