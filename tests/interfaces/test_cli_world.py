"""`tonne world`: what it says, what it writes, and what it does about a rulebook that is not sound."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tonne.interfaces.cli import app
from tonne.law import Fault, RulebookError

CHARTS = ("status", "coverage", "sectors", "prices", "credits", "revenue")


def call(*args: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, list(args))
    assert result.exit_code == code, result.output + str(result.exception)
    return result.output


def test_it_says_what_agrees_and_what_does_not() -> None:
    text = " ".join(call("world", "--on", "2026-11-20").split())
    assert "Demand for credits:" in text and "differs" in text and "same source" in text
    assert "agrees california: demand, Mt: published 10.7, ours 10.70. 4 % of 267.40 Mt (2025)" in text


def test_it_writes_pictures_and_one_page(tmp_path: Path) -> None:
    text = call("world", "--out", str(tmp_path / "world"), "--on", "2026-11-20")
    for name in CHARTS:
        assert (tmp_path / "world" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert "<svg" in (tmp_path / "world" / f"{name}.svg").read_text("utf-8")
        assert f"{name}.png" in text
    page = (tmp_path / "world" / "world.html").read_text("utf-8")
    assert page.count("<svg") == 6 and page.count("<section") == 6
    assert "prefers-color-scheme: dark" in page and "width=device-width" in page and "currentColor" in page
    assert not re.findall(r'(?:src|href)="(?!#)', re.sub(r'xlink:href="#', 'href="#', page)), "the page loads something"
    assert "@import" not in page and "<script" not in page


def test_some_charts_and_json(tmp_path: Path) -> None:
    found = json.loads(call("world", "credits", "revenue", "--json", "--out", str(tmp_path), "--on", "2026-11-20"))
    assert set(found["charts"]) == {"credits", "revenue"} and found["day"] == "2026-11-20"
    assert {Path(name).name for name in found["files"]} == {"credits.png", "credits.svg", "revenue.png", "revenue.svg", "world.html"}
    assert {check["chart"] for check in found["checks"]} == {"credits", "revenue"}
    assert {row["system"]: row for row in found["charts"]["credits"]}["rggi"]["printed"] == 2.08


def test_an_unknown_chart_is_refused() -> None:
    assert "no chart 'wheel'; there are status, coverage" in " ".join(call("world", "wheel", code=2).replace("│", " ").split())


def test_an_unsound_rulebook_is_left_out_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    from tonne.interfaces import api

    whole = api.rulebook

    def sometimes(system: Any, scenario: Any = None) -> Any:
        if system == "k-ets":
            raise RulebookError([Fault("k-ets/cap.yaml", 3, "cap", "not valid YAML")])
        return whole(system, scenario)

    monkeypatch.setattr(api, "rulebook", sometimes)
    found = json.loads(call("world", "status", "--json", "--on", "2026-11-20"))
    assert any(remark.startswith("k-ets is left out") for remark in found["remarks"])
    assert "k-ets" not in {row["system"] for row in found["charts"]["status"]["systems"]}
    assert any("k-ets (here not there)" in check["remark"] for check in found["checks"])
