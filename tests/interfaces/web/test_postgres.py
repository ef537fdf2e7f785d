"""A server on PostgreSQL: market and logins in one database, the way of two persons on it, and all of it there after a restart."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from conftest import HASHING, Browser
from stores import own_schema, postgres, postgres_url  # noqa: F401
from tonne.interfaces.web import demo
from tonne.interfaces.web.app import create_app
from tonne.interfaces.web.pages import proposals
from tonne.interfaces.web.serve import beside


def test_propose_approve_and_restart(postgres: str, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.setattr(proposals, "READING_S", 0)

    with own_schema(postgres_url) as people:
        _both_ways(postgres, people, tmp_path)


def test_the_logins_lie_beside_the_market() -> None:
    assert beside("postgresql://u@h/d?host=/run/pg&schema=market") == "postgresql://u@h/d?host=%2Frun%2Fpg&schema=people"
    assert beside("somewhere/market.db") == "somewhere/market.db.people"


def _both_ways(market: str, people: str, tmp_path: Path) -> None:
    def opened() -> Any:
        place, _logins = demo.prepared(tmp_path, port=0, database=market, people=people, hashing=HASHING)
        return place

    place = opened()
    app, hall = create_app(place), place.demo.hall
    operator, approver = Browser(app), Browser(app)
    operator.sign_in("operator")
    approver.sign_in("approver")
    body = {
        "from": place.demo.plan.shown.accounts[0],
        "to": "trader-1",
        "unit": hall.desk.administration.state.allowance_code(place.demo.plan.year),
        "quantity": 3,
    }
    content = {"verb": "transfer", "body": body, "tables": {}, "reason": "", "back": "/"}
    hidden = operator.form(operator.get(f"/{hall.system}/tasks"), "/logout")
    code = place.demo.code_of(place.demo.login_of("operator").person)
    page = operator.post(f"/{hall.system}/propose", data=hidden | {"_key": "on-postgresql", "content": json.dumps(content), "code": code})
    assert "awaiting approval" in page.text
    code = place.demo.code_of(place.demo.login_of("approver").person)
    done = approver.post_form(approver.get(str(page.url.path)), "/approve", code=code)
    assert "scheduled" in done.text
    left = hall.desk.administration.state.hash()
    place.close()

    again = opened()
    state = again.demo.hall.desk.administration.state
    assert state.hash() == left
    assert [one["state"] for one in state.proposals.values()] == ["scheduled"]
    assert again.people.audit.first_fault() is None
    assert again.people.find_persons(limit=1).total == len(demo.PERSONAS)
    again.people.tidy(datetime.now(UTC))
    again.close()
