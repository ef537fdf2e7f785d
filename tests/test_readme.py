"""The README's lines print what it says they print."""

from __future__ import annotations

import io
import re
from contextlib import redirect_stdout
from pathlib import Path

README = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")


def test_the_python_prints_the_figures_beside_it() -> None:
    code = re.search(r"```python\n(.*?)```", README, re.S)
    assert code is not None
    said = [re.search(r"# ([\d. ]+)", line) for line in code[1].splitlines() if "print(" in line and "#" in line]
    figures = [found[1].strip() for found in said if found]
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(compile(code[1], "README.md", "exec"), {})
    lines = printed.getvalue().splitlines()
    assert len(figures) == 5
    assert lines[:5] == figures
    assert len(code[1].splitlines()) <= 13


def test_the_two_commands_and_the_links_exist() -> None:
    root = Path(__file__).resolve().parents[1]
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^demo:", makefile, re.M) and re.search(r"^test:", makefile, re.M)
    for target in re.findall(r"\]\(([^)]+)\)", README):
        assert (root / target).exists(), target
