"""docs/security.md: a row for every id of the checklist, nothing empty, and each test that it names is there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
DOCUMENT = ROOT / "docs" / "security.md"
CHECKLIST = ROOT / ".." / "shared" / "facts" / "portal.yaml"
ROW = re.compile(r"^\| ([A-Z]\d{1,2}) \| (.+?) \| (.+?) \|$", re.M)
#: How many there are of each letter: what the document must hold also where the checklist is not at hand.
COUNTS = {"A": 12, "S": 7, "Z": 8, "W": 11, "I": 11, "R": 11, "P": 7, "G": 10}


def rows() -> list[tuple[str, str, str]]:
    return ROW.findall(DOCUMENT.read_text(encoding="utf-8"))


@cache
def names_of(file: Path) -> frozenset[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    made = {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    return frozenset(
        made | {target.id for node in tree.body if isinstance(node, ast.Assign) for target in node.targets if isinstance(target, ast.Name)}
    )


def test_every_id_has_one_row() -> None:
    ids = [row[0] for row in rows()]
    assert ids == [f"{letter}{number}" for letter, count in COUNTS.items() for number in range(1, count + 1)]


def test_the_ids_are_those_of_the_checklist() -> None:
    if not CHECKLIST.is_file():
        pytest.skip("the checklist is not at hand")
    known = yaml.safe_load(CHECKLIST.read_text(encoding="utf-8"))["checklist"]
    assert {row[0] for row in rows()} == {one["id"] for part in known.values() for one in part}


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_a_row_says_what_is_done_and_its_tests_are_there(row: tuple[str, str, str]) -> None:
    name, what, shown = row
    assert len(what) > 20, f"{name} says hardly anything"
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", shown)
    assert named, f"{name} names no test; where there is none, its reason stands beside what is done, with the nearest test"
    assert len(named) == shown.count("`") // 2, f"{name}: something there is no test's name"
    for path, test in named:
        file = ROOT / path
        assert file.is_file(), f"{name}: {path}"
        assert test in names_of(file) and test.lower().startswith("test"), f"{name}: {path}::{test}"
