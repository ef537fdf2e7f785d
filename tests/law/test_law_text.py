"""YAML as a lawyer wrote it: nothing turns into something else, and every fault says its line."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tonne.law import RulebookError
from tonne.law.text import read


def parsed(tmp_path: Path, text: str | bytes) -> Any:
    path = tmp_path / "f.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read(path, "my/f.yaml").data


def fault(tmp_path: Path, text: str | bytes) -> str:
    with pytest.raises(RulebookError) as caught:
        parsed(tmp_path, text)
    return "\n".join(str(f) for f in caught.value.faults)


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("on", "on"),
        ("no", "no"),
        ("Yes", "Yes"),
        ("off", "off"),
        ("true", True),
        ("False", False),
        ("12:30", "12:30"),
        ("12:30:15.5", "12:30:15.5"),
        ("0.24", Decimal("0.24")),
        ("1.10", Decimal("1.10")),
        ("1.", Decimal(1)),
        (".5", Decimal("0.5")),
        ("1.5e+3", Decimal("1.5E+3")),
        ("1_000", 1000),
        ("1_000.5", Decimal("1000.5")),
        ("017", 17),
        ("0x1F", 31),
        ("+7", 7),
        ("-7", -7),
        ("9223372036854775808", 2**63),
        ("0.1234567890123456789012345678901234567890", Decimal("0.1234567890123456789012345678901234567890")),
        ("2024-06-01", date(2024, 6, 1)),
        ("2024-06-01T12:00:00Z", "2024-06-01T12:00:00Z"),
        ("'2024'", "2024"),
        ('"0.24"', "0.24"),
        ("04-30", "04-30"),
        ("+1 04-30", "+1 04-30"),
        ("~", None),
        ("null", None),
        ("", None),
        ("!!str 5", "5"),
    ],
)
def test_a_value_stays_what_it_looks_like(tmp_path: Path, written: str, read_as: object) -> None:
    value = parsed(tmp_path, f"key: {written}\n")["key"]
    assert value == read_as
    assert type(value) is type(read_as)
    if isinstance(value, Decimal):
        assert str(value) == str(read_as)


def test_keys_stay_words_and_years_are_numbers(tmp_path: Path) -> None:
    data = parsed(tmp_path, "on: 1\nno: 2\ntrue: 3\n2024: 4\n2024-06-01: 5\n'2024': 6\n")
    assert list(data) == ["on", "no", "true", 2024, "2024-06-01", "2024"]


@pytest.mark.parametrize("written", [".nan", ".NaN", ".inf", "-.Inf"])
def test_what_is_no_number_is_no_law(tmp_path: Path, written: str) -> None:
    assert fault(tmp_path, f"a: 1\nb: {{c: {written}}}\n") == f"my/f.yaml:2: b.c: {written} is not a number a law can hold"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "my/f.yaml:3: a: written twice in the same place (first on line 1)"),
        ("t: {2013: 1,\n    2_013: 2}\n", "my/f.yaml:2: t.2013: written twice in the same place (first on line 1)"),
        ("a: 2024-02-30\n", "my/f.yaml:1: a: 2024-02-30 is no day of the calendar"),
        ("~: 1\n", "my/f.yaml:1: '~' cannot be a key (put it in quotes)"),
        ("t:\n  0.5: 1\n", "my/f.yaml:2: t: '0.5' cannot be a key (put it in quotes)"),
        ("? [a, b]\n: 1\n", "my/f.yaml:1: a list or a mapping cannot be a key"),
        ("a: !!int many\n", "my/f.yaml:1: a: many is not a whole number a law can hold"),
        ("a: !money 5\n", "my/f.yaml:1: a: the tag '!money' means nothing here (remove it)"),
        ("a: !!set {x, y}\n", "my/f.yaml:1: a: the tag 'tag:yaml.org,2002:set' means nothing here (remove it)"),
        ("a: !!python/object/apply:os.system [ls]\n", "means nothing here (remove it)"),
        ("a: &x 1\nb: *x\n", "my/f.yaml:2: the alias *x stands for something else (write the value out at each place)"),
        ("a: &x [*x]\n", "my/f.yaml:1: the alias *x"),
        ("a: 1\n---\nb: 2\n", "my/f.yaml:2: not valid YAML: but found another document"),
        ("a:\n\t- b\n", "my/f.yaml:2: not valid YAML: found character that cannot start any token (use spaces, no tabs)"),
        ("a: [1, 2\nb: 3\n", "my/f.yaml:2: not valid YAML:"),
        ("a: 'open\n", "not valid YAML:"),
        ("a: " + "9" * 5000, "... (5000 digits) is not a whole number a law can hold"),
        ('a: "\0"\n', "my/f.yaml: not valid YAML: unacceptable character #x0000"),
        ("[" * 100_000, "my/f.yaml:1: nested more than 50 deep"),
        ("- " * 100_000, "my/f.yaml:1: nested more than 50 deep"),
        ("name: \u914d\u989d\n".encode("utf-16"), "my/f.yaml: not UTF-8 text (byte 0) (save the file as UTF-8)"),
        ("name: \u914d\u989d\n".encode("gb18030"), "my/f.yaml: not UTF-8 text (byte 6) (save the file as UTF-8)"),
    ],
)
def test_a_fault_of_the_file_says_where_and_what_to_do(tmp_path: Path, text: str | bytes, message: str) -> None:
    assert message in fault(tmp_path, text)


def test_all_faults_of_a_file_are_listed(tmp_path: Path) -> None:
    assert fault(tmp_path, "a: .nan\nb: 1\nb: 2\nc: 2023-02-29\n").count("my/f.yaml:") == 3


def test_a_short_file_that_would_grow_without_end_is_refused_at_once(tmp_path: Path) -> None:
    names = "abcdefghijklmnop"
    bomb = "a: &a [x]\n" + "".join(f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in pairwise(names))
    assert "the alias *a stands for something else" in fault(tmp_path, bomb)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(RulebookError, match=r"my/none\.yaml: cannot be read: No such file or directory"):
        read(tmp_path / "none.yaml", "my/none.yaml")
    with pytest.raises(RulebookError, match="cannot be read: Is a directory"):
        read(tmp_path, "my")


def test_an_empty_file_and_a_byte_order_mark_are_no_faults(tmp_path: Path) -> None:
    assert parsed(tmp_path, "# nothing yet\n") is None
    assert parsed(tmp_path, b"\xef\xbb\xbfa: 1\n") == {"a": 1}


def test_every_key_knows_its_line(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_text("# head\na:\n  - b: 1\n  - b: 2\n    c: 3\n", encoding="utf-8")
    document = read(path)
    assert [document.line(p) for p in ((), ("a",), ("a", 0), ("a", 1, "c"), ("a", 1, "none"))] == [2, 2, 3, 5, 4]
    part = document.below("a", 1)
    assert (part.data, part.line(("c",))) == ({"b": 2, "c": 3}, 5)
