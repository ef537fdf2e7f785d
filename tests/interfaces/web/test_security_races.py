"""R1, R3 to R5, R7, R9, R11: what is sent twice, by many at once, too fast, or into a store that fails."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

from security_world import Actor, mine, opened, signed_in

from tonne.interfaces.web import keeping
from tonne.interfaces.web.pages import proposals
from tonne.interfaces.web.place import Place
from tonne.people import COMMAND

MANY = 64


def program(place: Place, persona: str, *scopes: str, approves: bool = False) -> Any:
    """A client with a key of a persona."""
    actor, now = signed_in(place, persona), datetime.now(UTC)
    secret, key = place.people.create_key(place.people.session(actor.token, now), "race", scopes, address="test", now=now)
    if approves:
        place.people.allow_key_to_approve(key.id, by=COMMAND, now=now)
    client = Actor(place).client
    client.headers.update({"authorization": f"Bearer {secret}", "accept": "application/json"})
    return client


def held(place: Place) -> tuple[str, str, int]:
    """(account, unit, all that is available on it) of the operator."""
    state, account = place.demo.hall.desk.administration.state, place.demo.plan.shown.accounts[0]
    unit = state.allowance_code(place.demo.plan.year)
    number = [one.code for one in state.books.unit_types].index(unit)
    return account, unit, int(state.books.available(state.accounts.number(account), number))


def wish(place: Place, quantity: int, to: str = "trader-1") -> dict[str, Any]:
    account, unit, _all = held(place)
    return {"verb": "transfer", "body": {"from": account, "to": to, "unit": unit, "quantity": quantity}}


def at_once(ways: list[Any]) -> list[Any]:
    """All of them begun at the same moment, in threads."""
    gate = Barrier(len(ways))

    def go(way: Any) -> Any:
        gate.wait(60)
        return way()

    with ThreadPoolExecutor(len(ways)) as pool:
        return [one.result(120) for one in [pool.submit(go, way) for way in ways]]


def test_one_of_many_takes_the_last_unit(market_folder: Path) -> None:
    """R1, R5: 64 transfers of the whole balance, each approved, at the same moment: one is, and the others are told why. Nothing is made or lost."""
    with opened(market_folder) as place:
        system, everything = place.demo.hall.system, held(place)[2]
        begins, ends = program(place, "operator", "read", "initiate"), program(place, "approver", "read", approves=True)
        books, names = place.demo.hall.desk.administration.state.books, []
        for number in range(MANY):
            answer = begins.post(f"/api/v1/{system}/tasks", json=wish(place, everything), headers={"idempotency-key": f"whole-{number:04d}"})
            assert answer.status_code == 200, answer.text
            names.append(answer.json()["command"])
        ways = [
            lambda name=name, n=n: ends.post(f"/api/v1/{system}/tasks/{name}/approve", json={}, headers={"idempotency-key": f"yes-{n:04d}"})
            for n, name in enumerate(names)
        ]
        answers = at_once(ways)
        good = [answer for answer in answers if answer.status_code == 200]
        assert len(good) == 1, [answer.status_code for answer in answers]
        assert {answer.json()["name"] for answer in answers if answer.status_code != 200} == {"insufficient_balance"}
        assert held(place)[2] == 0
        books.check()  # every unit's balances sum to zero
        states = [one["state"] for one in place.demo.hall.desk.administration.state.proposals.values()]
        assert states.count("scheduled") + states.count("completed") == 1
        place.clock.push(place.clock.now() + timedelta(days=6))
        keeping.keep(place.demo.hall, place.people)
        assert held(place)[2] == 0
        books.check()


def test_many_approvals_of_one_proposal_are_one(market_folder: Path) -> None:
    """R3, R4: the same yes 32 times with its key, and 32 times with others: approved once; the same key hears the same answer."""
    with opened(market_folder) as place:
        system = place.demo.hall.system
        begins, ends = program(place, "operator", "read", "initiate"), program(place, "approver", "read", approves=True)
        name = begins.post(f"/api/v1/{system}/tasks", json=wish(place, 5), headers={"idempotency-key": "only-one-of-it"}).json()["command"]
        length = place.demo.hall.sequence
        keys = ["the-very-same-key"] * 32 + [f"another-{n:03d}" for n in range(32)]
        path = f"/api/v1/{system}/tasks/{name}/approve"
        answers = at_once([lambda key=key: ends.post(path, json={}, headers={"idempotency-key": key}) for key in keys])
        good = {answer.json()["command"] for answer in answers if answer.status_code == 200}
        assert len(good) == 1, "one command approved it"
        accepted = [entry for entry in place.demo.hall.desk.log.read(after=length) if entry.kind == "approve" and entry.outcome == "accepted"]
        assert len(accepted) == 1


def test_sent_twice_from_two_tabs_and_after_going_back(place: Place) -> None:
    """R4: a double click, a second tab with the same form, the same form sent again an hour later: one entry of the log, one receipt."""
    operator, system = signed_in(place, "operator"), place.demo.hall.system
    content = json.dumps(wish(place, 5) | {"tables": {}, "reason": "", "back": "/"})
    first = operator.form(f"/{system}/propose", content=content, code=place.demo.code_of(operator.person), _key="one-form-one-key")
    length = place.demo.hall.sequence
    again = [operator.form(f"/{system}/propose", content=content, code="", _key="one-form-one-key") for _ in range(3)]
    place.clock.push(place.clock.now() + timedelta(hours=1))
    again.append(operator.form(f"/{system}/propose", content=content, code="", _key="one-form-one-key"))
    assert {answer.headers.get("location") for answer in [first, *again]} == {first.headers["location"]} and place.demo.hall.sequence == length
    other = json.dumps(wish(place, 6) | {"tables": {}, "reason": "", "back": "/"})
    assert operator.form(f"/{system}/propose", content=other, code="", _key="one-form-one-key").status_code == 409


def test_a_confirmation_is_for_its_content_and_a_code_for_once(place: Place) -> None:
    """S6: what a code confirmed is not confirmed with another quantity, and the code is spent."""
    operator, system, length = signed_in(place, "operator"), place.demo.hall.system, place.demo.hall.sequence
    code = place.demo.code_of(operator.person)
    first = operator.form(f"/{system}/propose", content=json.dumps(wish(place, 5) | {"tables": {}, "reason": "", "back": "/"}), code=code)
    assert first.status_code == 303 and place.demo.hall.sequence == length + 1
    other = operator.form(f"/{system}/propose", content=json.dumps(wish(place, 500) | {"tables": {}, "reason": "", "back": "/"}), code=code)
    assert other.status_code == 422 and place.demo.hall.sequence == length + 1


def test_scheduled_units_are_spent_once(place: Place, monkeypatch: Any) -> None:
    """R5: what a scheduled transfer holds back cannot be approved away, nor ordered against."""
    monkeypatch.setattr(proposals, "READING_S", 0)
    system, everything = place.demo.hall.system, held(place)[2]
    begins, ends = program(place, "operator", "read", "initiate", "trade"), program(place, "approver", "read", approves=True)
    names = [
        begins.post(f"/api/v1/{system}/tasks", json=wish(place, everything), headers={"idempotency-key": f"spend-{n}-it-all"}).json()["command"]
        for n in (1, 2)
    ]
    answers = [
        ends.post(f"/api/v1/{system}/tasks/{name}/approve", json={}, headers={"idempotency-key": f"yes-to-{n}-of-it"}) for n, name in enumerate(names)
    ]
    assert [answer.status_code for answer in answers] == [200, 409] and answers[1].json()["name"] == "insufficient_balance"
    third = begins.post(f"/api/v1/{system}/tasks", json=wish(place, 1), headers={"idempotency-key": "not-one-is-left"})
    assert third.status_code == 409 and third.json()["name"] == "insufficient_balance"


def test_no_step_before_the_one_before_it(place: Place) -> None:
    """R3: no approval of what was not proposed, was taken back or refused; nobody but the clock runs what is scheduled."""
    system = place.demo.hall.system
    begins, ends = program(place, "operator", "read", "initiate"), program(place, "approver", "read", approves=True)
    assert ends.post(f"/api/v1/{system}/tasks/web:x:none/approve", json={}, headers={"idempotency-key": "yes-to-nothing"}).status_code == 404
    name = begins.post(f"/api/v1/{system}/tasks", json=wish(place, 5), headers={"idempotency-key": "to-be-taken-back"}).json()["command"]
    assert begins.post(f"/api/v1/{system}/tasks/{name}/withdraw", json={}, headers={"idempotency-key": "taken-back-now"}).status_code == 200
    late = ends.post(f"/api/v1/{system}/tasks/{name}/approve", json={}, headers={"idempotency-key": "too-late-a-yes"})
    assert late.status_code == 409 and late.json()["name"] == "proposal_closed"
    for kind in ("run_scheduled", "lapse", "approve", "propose"):
        answer = begins.post(
            f"/api/v1/{system}/commands", json={"kind": kind, "body": {"proposal": name}}, headers={"idempotency-key": f"by-hand-{kind}"}
        )
        assert answer.status_code == 422, kind


def test_an_approval_faster_than_reading(place: Place, monkeypatch: Any) -> None:
    """R9: by the moment at which the page was shown, signed; a made-up moment, another page's and yesterday's are none."""
    operator, approver = signed_in(place, "operator"), signed_in(place, "approver")
    content = json.dumps(wish(place, 5) | {"tables": {}, "reason": "", "back": "/"})
    path = str(operator.form(f"/{place.demo.hall.system}/propose", content=content, code=place.demo.code_of(operator.person)).headers["location"])
    shown = approver.get(path).text.partition('name="_shown" value="')[2].partition('"')[0]
    assert shown
    monkeypatch.setattr(proposals, "READING_S", 3_600)
    fast = approver.form(f"{path}/approve", _shown=shown, code=place.demo.code_of(approver.person))
    assert fast.status_code == 429 and fast.headers["retry-after"]
    monkeypatch.setattr(proposals, "READING_S", 0)
    name, _, rest = shown.rpartition("|")
    forged = ("", "x", shown[:-2] + ("aa" if not shown.endswith("aa") else "bb"), f"{name}|1.0.{rest.rpartition('.')[2]}")
    for text in forged:
        assert approver.form(f"{path}/approve", _shown=text, code=place.demo.code_of(approver.person)).status_code == 403
    monkeypatch.setattr(proposals, "SHOWN_FOR_S", -1)
    assert approver.form(f"{path}/approve", _shown=shown, code=place.demo.code_of(approver.person)).status_code == 403
    (one,) = place.demo.hall.desk.administration.state.proposals.values()
    assert one["state"] == "awaiting_approval" and one["participant"] == mine(place)


def test_a_failing_store_acknowledges_nothing(place: Place, monkeypatch: Any) -> None:
    """R11: 503 with when to come back; nothing is read from a state that may not be stored; afterwards the log is whole and the same key works."""
    desk, system = place.demo.hall.desk, place.demo.hall.system
    begins, length = program(place, "operator", "read", "initiate"), place.demo.hall.sequence
    operator = signed_in(place, "operator")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(desk.log, "append", full)
    answer = begins.post(f"/api/v1/{system}/tasks", json=wish(place, 5), headers={"idempotency-key": "into-a-full-disk"})
    assert answer.status_code == 503 and answer.json()["name"] == "store_stopped" and int(answer.headers["retry-after"]) >= 1
    assert "No space" not in answer.text
    for path in (f"/{system}/tasks", f"/api/v1/{system}/tasks", f"/{system}/home"):
        assert operator.get(path).status_code == 503, path
    assert operator.get("/readyz").status_code == 503 and operator.get("/healthz").status_code == 200
    place.keep()
    monkeypatch.undo()
    assert begins.post(f"/api/v1/{system}/tasks", json=wish(place, 5), headers={"idempotency-key": "still-not-taken"}).status_code == 503
    desk.resume(desk.log)
    assert list(desk.log.verify_chain()) == [] and place.demo.hall.sequence == length
    again = begins.post(f"/api/v1/{system}/tasks", json=wish(place, 5), headers={"idempotency-key": "into-a-full-disk"})
    assert again.status_code == 200 and not again.json()["repeated"] and place.demo.hall.sequence == length + 1


def test_the_stop_button_and_the_days_limits_come_before_the_book(place: Place) -> None:
    """R7: an order beyond the day's limits is answered by name; after the stop nothing of that account enters, and nothing stays."""
    state, system = place.demo.hall.desk.administration.state, place.demo.hall.system
    account = place.demo.plan.people["trader"].accounts[0]
    code = next(one["code"] for one in state.exchange.listed if one["code"].startswith("spot"))
    client = program(place, "trader", "read", "trade")

    def order(key: str, **given: Any) -> Any:
        row = {"account": account, **({"instrument": code, "side": "buy", "quantity": 1, "price": "1.00"} | given if "verb" not in given else given)}
        return client.post(f"/api/v1/{system}/orders", json={"orders": [row]}, headers={"idempotency-key": key})

    def outcome(answer: Any) -> str:
        return json.dumps(answer.json().get("events", answer.json()))

    for key, price in (("far-beyond-limits", "99999.00"), ("beyond-the-collar", "250.00")):
        far = order(key, price=price)
        (event,) = far.json()["events"]
        assert event["executions"] == {"refused": 1} and set(event["refusals"]) <= {"bad_price", "price_limit", "no_cover"}, far.text[:600]
    assert order("stop-everything", verb="kill").status_code == 200
    later = order("after-the-stop", price="70.00")
    assert "killed" in outcome(later), later.text[:600]
    number = state.accounts.number(account)
    assert state.exchange.book.is_killed(number)
    assert client.get(f"/api/v1/{system}/trader").json()["orders"] == []


def test_rights_come_back_only_with_a_code(place: Place) -> None:
    """S6: a stolen session of a manager takes rights away at most; it gives none back, and begins no replacement of a second factor."""
    manager, system, approver = signed_in(place, "operator"), place.demo.hall.system, place.demo.login_of("approver").person
    membership = place.people.memberships_of(approver)[0].id
    base = f"/{system}/organisation/{membership}"
    for digits in ("", "000000"):
        assert manager.form(f"{base}/replace-factor", code=digits).status_code == 422
    assert place.people.replacement_effective_at(approver) is None
    assert manager.form(f"{base}/suspend").status_code == 303
    assert manager.form(f"{base}/restore", code="000000").status_code == 422
    assert place.people.membership(membership).state == "suspended"
    assert manager.form(f"{base}/restore", code=place.demo.code_of(manager.person)).status_code == 303
    assert place.people.membership(membership).state == "active"
