"""`tonne new`: the starter passes the check and runs, whatever system it is made like."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

import tonne
from tonne.interfaces.cli import app


def call(*args: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, list(args))
    assert result.exit_code == code, result.output + str(result.exception)
    return result.output


@pytest.mark.parametrize("like", tonne.systems())
def test_a_starter_made_like_any_system_is_sound(like: str, tmp_path: Path) -> None:
    call("new", "my-country", "--like", like, "--to", str(tmp_path), "--begins", "2027-01-01")
    text = call("check", str(tmp_path / "my-country"), "--cases")
    assert "my-country: sound" in text
    for path in (tmp_path / "my-country").rglob("*.yaml"):
        assert path.read_text("utf-8").startswith("#")


def test_a_starter_runs(tmp_path: Path) -> None:
    call("new", "my-country", "--like", "rggi", "--to", str(tmp_path), "--begins", "2027-01-01")
    text = call("run", str(tmp_path / "my-country"), "--synthetic", "20")
    assert "My Country, 2027 to 2029" in text and "no differences" in text


def test_nothing_is_written_over_and_ids_are_checked(tmp_path: Path) -> None:
    (tmp_path / "my-country").mkdir()
    (tmp_path / "my-country" / "mine.yaml").write_text("mine", "utf-8")
    assert "exists already; choose another name" in call("new", "my-country", "--like", "rggi", "--to", str(tmp_path), code=1)
    assert "an id is made of small letters" in call("new", "My Country", "--like", "rggi", code=2)
    assert "rggi ships with tonne already" in call("new", "rggi", "--like", "eu-ets", code=2)
    assert "did you mean 'rggi'" in call("new", "mine", "--like", "rgi", "--to", str(tmp_path), code=1)
