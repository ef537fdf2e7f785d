"""A small rulebook on disk, to be spoilt in one place by each test."""

from __future__ import annotations

from pathlib import Path

from tonne.law import Rulebook, RulebookError, load

SYSTEM = """\
id: my-country
name: {en: My country's market}
status: in_force
design: cap_and_trade
begins: 2020-01-01
unit: {name: allowance, measure: tonne}
currency: EUR
jurisdiction: My country
"""


def rulebook_files(folder: Path, system: str = SYSTEM, **topics: str) -> Path:
    """A folder with system.yaml and a file for each topic given."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "system.yaml").write_text(system, encoding="utf-8")
    for topic, text in topics.items():
        (folder / f"{topic}.yaml").write_text(text, encoding="utf-8")
    return folder


def made(folder: Path, system: str = SYSTEM, **topics: str) -> Rulebook:
    return load(rulebook_files(folder / "mine", system, **topics))


def with_values(values: str, unit: str = "allowance", by: str = "") -> str:
    """A topic of one parameter `size` on lines 3 and following; its values begin on line 6 (line 7 with `by:`)."""
    table = f"    by: {by}\n" if by else ""
    lines = "".join(f"      - {line.strip()}\n" for line in values.strip().splitlines())
    return f"rules: []\nparameters:\n  size:\n    unit: {unit}\n{table}    values:\n{lines}"


def faults_of(folder: Path, system: str = SYSTEM, **topics: str) -> str:
    """The faults of a rulebook, one a line, as a user reads them."""
    try:
        book = made(folder, system, **topics)
    except RulebookError as error:
        return "\n".join(str(fault) for fault in error.faults)
    raise AssertionError(f"{book} was taken as sound")
