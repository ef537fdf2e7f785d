"""Makes docs/gaps.md from the gaps.md beside each rulebook. Regenerate with: .venv/bin/python tests/rulebooks/gaps_page.py"""

from __future__ import annotations

import re
from pathlib import Path

from tonne.law import load, systems

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = DOCS / "gaps.md"
INTRODUCTION = """\
# What the rulebooks leave out, and where published numbers disagree

Made from `gaps.md` beside each rulebook; edit those, then run `.venv/bin/python tests/rulebooks/gaps_page.py`. A figure of the facts is in a
rulebook, in a case, or in a row there with the reason (`tests/rulebooks/test_figures.py` looks for each).
"""


def gaps_of(system: str) -> Path:
    return Path(load(system).place) / "gaps.md"


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
    texts = {system: gaps_of(system).read_text(encoding="utf-8") for system in systems()}
    lines = ["| system | rows | the facts it leaves out, the findings |", "|---|---|---|"]
    for system, text in texts.items():
        parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
        told = "; ".join(f"{name.lower()}: {rows(part)}" for name, part in zip(parts[1::2], parts[2::2], strict=True))
        lines.append(f"| [{load(system).system.name['en']}](systems/{system}.md#open-questions) | {rows(text)} | {told} |")
    lines.append(f"| all | {sum(map(rows, texts.values()))} | |")
    return "\n".join([INTRODUCTION, *lines, "", *(section(system, text) for system, text in texts.items())])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
