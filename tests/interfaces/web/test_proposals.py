"""Everything irreversible, by the pages: reviewed, confirmed, approved by somebody else, scheduled, run by the clock, cancelled in time."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from tonne.interfaces.web import keeping
from tonne.interfaces.web.pages import proposals
from tonne.interfaces.web.place import Place


def code(place: Place, persona: str) -> str:
    return place.demo.code_of(place.demo.login_of(persona).person)


def content(place: Place, to: str = "trader-1", quantity: int = 7, **more: Any) -> dict[str, Any]:
    state = place.demo.hall.desk.administration.state
    unit = state.allowance_code(place.demo.plan.year)
    body = {"from": place.demo.plan.shown.accounts[0], "to": to, "unit": unit, "quantity": quantity, **more}
    return {"verb": "transfer", "body": body, "tables": {}, "reason": "", "back": "/"}


def proposed(place: Place, browser: Any, what: dict[str, Any], key: str = "a-key-of-mine", digits: str = "") -> Any:
    system = place.demo.hall.system
    hidden = browser.form(browser.get(f"/{system}/tasks"), "/logout")
    data = hidden | {"_key": key, "content": json.dumps(what), "code": digits or code(place, "operator")}
    return browser.post(f"/{system}/propose", data=data)


def approved(place: Place, browser: Any, page: Any, monkeypatch: Any) -> Any:
    monkeypatch.setattr(proposals, "READING_S", 0)
    return browser.post_form(browser.get(str(page.url.path)), "/approve", code=code(place, "approver"))


def test_to_an_account_that_is_not_trusted_it_waits_and_then_runs(place: Place, visit: Callable[..., Any], monkeypatch: Any) -> None:
    hall, operator, approver = place.demo.hall, visit("operator"), visit("approver")
    before = hall.desk.administration.state.books.state_hash()
    page = proposed(place, operator, content(place))
    assert page.status_code == 200 and "awaiting approval" in page.text and "First transfer to this account" in page.text
    assert hall.desk.administration.state.books.state_hash() == before, "a proposal moved something"
    done = approved(place, approver, page, monkeypatch)
    assert "scheduled" in done.text
    (name, proposal), *_ = hall.desk.administration.state.proposals.items()
    assert proposal["state"] == "scheduled"
    keeping.keep(hall, place.people)
    assert hall.desk.administration.state.proposals[name]["state"] == "scheduled", "it ran before its time"
    place.clock.push(place.clock.now() + timedelta(days=6))
    keeping.keep(hall, place.people)
    assert hall.desk.administration.state.proposals[name]["state"] == "completed"
    assert "completed" in operator.get(str(page.url.path)).text


def test_cancelled_in_time(place: Place, visit: Callable[..., Any], monkeypatch: Any) -> None:
    operator, approver = visit("operator"), visit("approver")
    page = proposed(place, operator, content(place))
    approved(place, approver, page, monkeypatch)
    done = operator.post_form(str(page.url.path), "/cancel", reason="a slip")
    assert ("cancelled" in done.text and "a slip" not in done.text) or "cancelled" in done.text
    state = place.demo.hall.desk.administration.state
    assert [one["state"] for one in state.proposals.values()] == ["cancelled"]


def test_a_wrong_code_keeps_everything_and_sends_nothing(place: Place, visit: Callable[..., Any]) -> None:
    operator = visit("operator")
    length = place.demo.hall.sequence
    page = proposed(place, operator, content(place), digits="000000")
    assert page.status_code == 422 and "Transfer" in page.text and "trader-1" in page.text
    assert place.demo.hall.sequence == length


def test_refusals_are_named_before_anything_is_sent(place: Place, visit: Callable[..., Any]) -> None:
    operator = visit("operator")
    page = proposed(place, operator, content(place, quantity=10**9))
    assert page.status_code == 409 and "There is not enough in the account" in page.text
    unknown = proposed(place, operator, content(place, to="nobody"), key="another-key-1")
    assert unknown.status_code == 404


def test_sent_twice_it_is_one(place: Place, visit: Callable[..., Any]) -> None:
    operator = visit("operator")
    first = proposed(place, operator, content(place))
    length = place.demo.hall.sequence
    again = proposed(place, operator, content(place), digits="000000")
    assert again.url.path == first.url.path and place.demo.hall.sequence == length
    other = proposed(place, operator, content(place, quantity=8))
    assert other.status_code == 409, "the same key with another content"


def test_nobody_approves_their_own(place: Place, visit: Callable[..., Any], monkeypatch: Any) -> None:
    monkeypatch.setattr(proposals, "READING_S", 0)
    system, operator = place.demo.hall.system, visit("operator")
    page = proposed(place, operator, content(place))
    assert "/approve" not in page.text
    hidden = operator.form(operator.get(f"/{system}/tasks"), "/logout")
    path = f"{page.url.path}/approve"
    assert operator.post(path, data=hidden | {"_key": "approve-own", "code": code(place, "operator")}).status_code == 404
    stranger = visit("trader")
    assert stranger.get(str(page.url.path)).status_code == 404
    hidden = stranger.form(stranger.get(f"/{system}/tasks"), "/logout")
    assert stranger.post(path, data=hidden | {"_key": "approve-other", "code": code(place, "trader")}).status_code == 404


def test_nobody_approves_faster_than_they_can_read(place: Place, visit: Callable[..., Any], monkeypatch: Any) -> None:
    """R9."""
    monkeypatch.setattr(proposals, "READING_S", 3_600)
    operator, approver = visit("operator"), visit("approver")
    page = proposed(place, operator, content(place))
    answer = approver.post_form(approver.get(str(page.url.path)), "/approve", code=code(place, "approver"))
    assert (answer.status_code == 429 and "faster than anyone can read" in answer.text) or "Too many" in answer.text
    assert int(answer.headers["retry-after"]) >= 1


def test_everybody_concerned_is_told(place: Place, visit: Callable[..., Any], monkeypatch: Any) -> None:
    operator, approver = visit("operator"), visit("approver")
    page = proposed(place, operator, content(place))
    approved(place, approver, page, monkeypatch)
    place.keep()
    for persona in ("operator", "approver", "trader"):
        login = place.demo.login_of(persona)
        subjects = [message.subject for message in place.people.messages(login.person).rows]
        assert any(subject.startswith("Proposed: Transfer 7") for subject in subjects), (persona, subjects)
        assert any(subject.startswith("Approved: Transfer 7") for subject in subjects), (persona, subjects)
