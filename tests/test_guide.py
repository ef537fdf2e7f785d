"""docs/write-a-rulebook.md, followed by the letter: its files are written, its commands run, and what it shows is what comes out."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tonne.interfaces.cli import app

GUIDE = Path(__file__).resolve().parents[1] / "docs" / "write-a-rulebook.md"
BLOCK = re.compile(r"^```(yaml|csv|console)([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks() -> Iterator[tuple[str, dict[str, str], str]]:
    for kind, marks, text in BLOCK.findall(GUIDE.read_text(encoding="utf-8")):
        yield kind, dict(mark.split("=", 1) for mark in marks.split()), text


def commands(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each command with the lines shown below it."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, *shown = part.rstrip("\n").split("\n")
        yield command, shown


def test_following_the_guide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ran = 0
    for kind, marks, text in blocks():
        if kind != "console":
            path = tmp_path / marks["file"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            continue
        for command, shown in commands(text):
            program, *args = shlex.split(command)
            assert program == "tonne"
            result = CliRunner().invoke(app, args)
            assert result.exit_code == int(marks.get("exit", "0")), (command, result.output, result.exception)
            printed = " ".join(result.output.split())
            for line in shown:
                assert " ".join(line.split()) in printed, f"{command}\nshows: {line}\nprints:\n{result.output}"
            ran += 1
    assert ran >= 15


def test_every_file_and_page_that_the_guide_names_is_there() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", GUIDE.read_text(encoding="utf-8")):
        assert (GUIDE.parent / target).exists(), target
