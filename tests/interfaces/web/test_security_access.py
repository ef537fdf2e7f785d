"""Z1 to Z8: who may what. Every route as everybody, others' things by their ids, unknown fields, rights that end between two steps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from security_world import PRIVATE, Actor, Walk, filled, mine, opened, operator_who, routes, signed_in, things, walk

from tonne.interfaces.web import keeping
from tonne.interfaces.web.app import _require_guarded, allowed, create_app
from tonne.interfaces.web.guard import ROLES
from tonne.interfaces.web.pages import proposals
from tonne.interfaces.web.place import Place
from tonne.people import COMMAND

#: What an entitled visitor may be answered: found, sent on, not there, a link that is over, a parameter that is missing.
FINE = (200, 303, 404, 410, 422)


@pytest.fixture(scope="module")
def walked(built_market: Path) -> Walk:
    return walk(built_market)


@pytest.fixture(scope="module")
def stage(built_market: Path, tmp_path_factory: Any) -> Iterator[tuple[Place, dict[str, str], dict[str, Actor]]]:
    """One place for the refused ways: (place, the operator's things, actors)."""
    import shutil

    folder = tmp_path_factory.mktemp("stage") / "market"
    shutil.copytree(built_market, folder)
    with opened(folder) as place:
        actors = {name: signed_in(place, name) for name in ("", "stranger", "operator", "trader", "verifier", "auditor")}
        yield place, things(place, actors["operator"]), actors


# -- every route


def test_every_route_says_who_may_and_names_known_roles() -> None:
    for (method, path), allow in allowed().items():
        assert allow.roles and allow.roles <= frozenset(ROLES), f"{method} {path}: {sorted(allow.roles)}"


def test_a_route_that_does_not_say_it_does_not_start(place: Place) -> None:
    app = create_app(place)
    while not isinstance(app, FastAPI):
        app = app.app
    app.add_api_route("/open", lambda: "open")
    with pytest.raises(RuntimeError, match="/open does not say who may use it"):
        _require_guarded(app)


def test_everybody_gets_what_their_role_may_and_nothing_fails(walked: Walk) -> None:
    wrong = [f"{one.actor or 'nobody'} {one.path}: {one.status}" for one in walked.seen if one.may and one.status not in FINE]
    assert not wrong, "\n".join(wrong)
    assert len({one.route for one in walked.seen if one.may and one.status == 200}) > 100, "the walk sees hardly anything"


def test_everybody_is_turned_away_elsewhere(walked: Walk) -> None:
    """Signed out: to the login. Signed in: as if it were not there. Programs: said plainly."""
    wrong = []
    for one in walked.seen:
        if one.may:
            continue
        expected = (401 if one.route.startswith("/api/") else 303) if not one.actor else (403 if one.route.startswith("/api/") else 404)
        if one.status != expected or (one.status == 303 and "/login" not in one.headers["location"]):
            wrong.append(f"{one.actor or 'nobody'} {one.path}: {one.status}")
    assert not wrong, "\n".join(wrong)
    assert sum(not one.may for one in walked.seen) > 100


def test_no_get_changes_anything(walked: Walk) -> None:
    """W4: whatever is only looked at leaves the log as long as it was."""
    assert walked.before == walked.after


def test_nothing_is_sent_without_the_right(stage: Any) -> None:
    """Every way to send, as everybody who may not: refused before a body is looked at, and the log is as long as before."""
    place, known, actors = stage
    length, wrong, tried = place.demo.hall.sequence, [], 0
    for actor in actors.values():
        csrf = actor.csrf
        for method, route, allow in routes("POST", "PUT", "DELETE"):
            if actor.may(allow):
                continue
            tried += 1
            headers = {"x-csrf-token": csrf, "idempotency-key": f"walk-{tried:08d}"}
            options = (
                {"content": b"{", "headers": headers | {"content-type": "application/json"}}
                if route.startswith("/api/")
                else {"data": {"_csrf": csrf}}
            )
            answer = actor.client.request(method, filled(route, known), **options)
            expected = (401 if route.startswith("/api/") else 303) if not actor.name else (403 if route.startswith("/api/") else 404)
            if answer.status_code != expected:
                wrong.append(f"{actor.name or 'nobody'} {method} {route}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)
    assert tried > 150 and place.demo.hall.sequence == length


# -- others' things


def test_what_is_anothers_is_not_there(walked: Walk) -> None:
    """Z2: another operator with every right finds none of this operator's things: 404, not 403."""
    tried = [one for one in walked.seen if one.actor == "stranger" and any(f"{{{name}}}" in one.route for name in PRIVATE)]
    assert {one.status for one in tried} == {404}, [(one.path, one.status) for one in tried if one.status != 404]
    assert len(tried) >= 5
    own = [one for one in walked.seen if one.actor == "operator" and one.route in ("/{system}/accounts/{account}", "/{system}/tasks/{proposal}")]
    assert {one.status for one in own if not one.path.endswith(".csv")} == {200}


def test_anothers_figures_are_on_no_page(walked: Walk) -> None:
    """The operator's own installation is not named on the pages of another operator that show own things."""
    for one in walked.seen:
        if (
            one.actor == "stranger"
            and one.status == 200
            and any(part in one.route for part in ("/reports", "/obligation", "/history", "/allocation", "/tasks"))
        ):
            assert walked.known["account"] not in one.text and walked.known["proposal"] not in one.text, one.path


def test_nobody_acts_on_what_is_anothers(stage: Any) -> None:
    """Z2 for what is sent: proposals, documents, members, keys, drafts and reports of another organisation."""
    place, known, actors = stage
    stranger, length = actors["stranger"], place.demo.hall.sequence
    before = place.people.application(known["application"], by=COMMAND), place.people.membership(known["membership"])
    named = (*PRIVATE, "installation")
    ways = [(route, allow) for _m, route, allow in routes("POST") if stranger.may(allow) and any(f"{{{name}}}" in route for name in named)]
    wrong = []
    for route, _allow in ways:
        path = filled(route, known)
        if route.startswith("/api/"):
            headers = {"x-csrf-token": stranger.csrf, "idempotency-key": "of-a-stranger"}
            answer = stranger.client.post(path, json={"reason": "mine now"}, headers=headers)
        else:
            answer = stranger.form(path, check="extract", quantity="5", reason="mine now", code="000000", emissions="5", remove="x")
        gone = (303, 403, 404) if "{order}" in route else (403, 404)  # an order that is not one's own: back to the list
        wrong += [f"{route}: {answer.status_code}"] if answer.status_code not in gone else []
    assert not wrong, "\n".join(wrong)
    assert len(ways) >= 15 and place.demo.hall.sequence == length
    assert before == (place.people.application(known["application"], by=COMMAND), place.people.membership(known["membership"]))
    assert [one.id for one in place.people.keys_of(actors["operator"].person) if one.revoked_at is None] == [known["key"]]


def test_a_draft_and_a_message_are_ones_own(stage: Any) -> None:
    place, _known, actors = stage
    place.people.save_draft(actors["operator"].person, "report", {"figure": "424242"}, now=datetime.now(UTC))
    assert place.people.draft(actors["stranger"].person, "report") is None
    place.people.message(actors["operator"].person, "task.note", "Only for one's own eyes", "x", now=datetime.now(UTC))
    assert "Only for one" in actors["operator"].get("/settings").text and "Only for one" not in actors["stranger"].get("/settings").text


def test_fields_that_nobody_asked_for_do_nothing(stage: Any) -> None:
    """Z3: forms read the fields they have; the API names what it does not know (test_api_rules)."""
    place, _known, actors = stage
    actor = actors["verifier"]
    before = place.people.person(actor.person), place.people.memberships_of(actor.person)
    answer = actor.form(
        "/settings/looks", language="en", is_admin="1", state="erased", email="evil@else.example", participant="administrator", rights="manage"
    )
    assert answer.status_code == 303
    assert (place.people.person(actor.person), place.people.memberships_of(actor.person)) == before


# -- rights that end


def _proposed(place: Place, operator: Actor, quantity: int = 3) -> str:
    state = place.demo.hall.desk.administration.state
    unit = state.allowance_code(place.demo.plan.year)
    body = {"from": place.demo.plan.shown.accounts[0], "to": "trader-1", "unit": unit, "quantity": quantity}
    content = {"verb": "transfer", "body": body, "tables": {}, "reason": "", "back": "/"}
    answer = operator.form(f"/{place.demo.hall.system}/propose", content=json.dumps(content), code=place.demo.code_of(operator.person))
    assert answer.status_code == 303, answer.text[:800]
    return str(answer.headers["location"])


def _approve(place: Place, actor: Actor, path: str) -> Any:
    page = actor.get(path)
    shown = page.text.partition('name="_shown" value="')[2].partition('"')[0]
    return actor.form(f"{path}/approve", _shown=shown or "none", code=place.demo.code_of(actor.person))


def test_the_initiator_is_never_the_approver(place: Place, monkeypatch: Any) -> None:
    """Z4, four ways: a second log-in, a key of the same person, another membership of theirs, rights changed in between."""
    monkeypatch.setattr(proposals, "READING_S", 0)
    system, operator, now = place.demo.hall.system, signed_in(place, "operator"), datetime.now(UTC)
    path = _proposed(place, operator)
    name = path.rpartition("/")[2]
    kept = place.people.memberships_of(operator.person)[0]
    place.people.grant(operator.person, system, mine(place), ("read", "initiate", "approve", "trade", "manage"), by=COMMAND, now=now)
    second = signed_in(place, "operator")
    assert "approve" in second.rights, "rights were changed, and the person is still the one who proposed"
    assert _approve(place, second, path).status_code == 403

    session = place.people.session(second.token, now)
    secret, key = place.people.create_key(session, "machine", ["read", "initiate"], address="test", now=now)
    place.people.allow_key_to_approve(key.id, by=COMMAND, now=now)
    program = Actor(place)
    program.client.headers["authorization"] = f"Bearer {secret}"
    answer = program.client.post(f"/api/v1/{system}/tasks/{name}/approve", json={}, headers={"idempotency-key": "by-a-key-of-mine"})
    assert (answer.status_code, answer.json()["name"]) == (403, "own_proposal")

    other = place.people.grant(operator.person, system, place.demo.plan.people["trader"].participant, ("read", "approve"), by=COMMAND, now=now)
    third = signed_in(place, "operator")
    place.people.act_as(third.token, other.id, now=now)
    assert _approve(place, third, path).status_code == 404, "of another organisation it is not even there"
    assert place.demo.hall.desk.administration.state.proposals[name]["state"] == "awaiting_approval"
    assert kept.person == operator.person


def test_rights_are_asked_for_again_when_it_runs(place: Place, monkeypatch: Any) -> None:
    """Z5: scheduled by two persons, one of whom lost the right before its time: refused, and the log says so."""
    monkeypatch.setattr(proposals, "READING_S", 0)
    hall = place.demo.hall
    operator, approver = signed_in(place, "operator"), signed_in(place, "approver")
    path = _proposed(place, operator)
    assert _approve(place, approver, path).status_code == 303
    (name,) = hall.desk.administration.state.proposals
    assert hall.desk.administration.state.proposals[name]["state"] == "scheduled"
    place.people.revoke(place.people.memberships_of(operator.person)[0].id, by=COMMAND, now=datetime.now(UTC))
    place.clock.push(place.clock.now() + timedelta(days=6))
    keeping.keep(hall, place.people)
    found = hall.desk.administration.state.proposals[name]
    assert found["state"] == "refused" and found["refusal"], found


def test_a_right_taken_between_proposal_and_approval(place: Place, monkeypatch: Any) -> None:
    """Z5 once more: whoever proposed left before the approval."""
    monkeypatch.setattr(proposals, "READING_S", 0)
    operator, approver = signed_in(place, "operator"), signed_in(place, "approver")
    path = _proposed(place, operator)
    place.people.suspend_person(operator.person, by=COMMAND, now=datetime.now(UTC))
    answer = _approve(place, approver, path)
    (one,) = place.demo.hall.desk.administration.state.proposals.values()
    assert one["state"] != "scheduled" and one["state"] != "completed", answer.status_code


def test_a_suspended_person_is_out_everywhere(place: Place) -> None:
    """Z6, S4: session and key are dead with the suspension; what the person's program sends afterwards is not taken."""
    trader, now, system = signed_in(place, "trader"), datetime.now(UTC), place.demo.hall.system
    secret, _key = place.people.create_key(place.people.session(trader.token, now), "robot", ["read", "trade"], address="test", now=now)
    program = Actor(place)
    program.client.headers["authorization"] = f"Bearer {secret}"
    assert program.get(f"/api/v1/{system}/trader").status_code == 200
    place.people.suspend_person(trader.person, by=COMMAND, now=now)
    length = place.demo.hall.sequence
    order = {"orders": [{"account": "trader-1", "instrument": "x", "side": "buy", "quantity": 1, "price": "1.00"}]}
    sent = program.client.post(f"/api/v1/{system}/orders", json=order, headers={"idempotency-key": "after-suspension"})
    assert sent.status_code == 401 and trader.get(f"/{system}/trade").status_code == 303 and place.demo.hall.sequence == length


def test_names_of_persons_are_on_no_public_page(walked: Walk) -> None:
    """Z8: HTML, CSV, JSON and drawings, to strangers and to other organisations."""
    for one in walked.seen:
        if one.actor in ("", "trader", "verifier"):
            own = {"trader": "Tom Okafor", "verifier": "Vera Lindqvist"}.get(one.actor, "")
            found = [name for name in walked.personal if name in one.text and name != own and not _is_staff(name, one)]
            assert not found, f"{one.actor or 'nobody'} {one.path}: {found}"
    assert any("Ana Costa" in one.text for one in walked.seen if one.actor == "administrator")


def _is_staff(name: str, one: Any) -> bool:
    """Who decides about an application, or gave rights, is named to those concerned."""
    return one.actor != "" and one.route in ("/settings",) and name in ("Ada Moreau", "Chen Yu")


def test_the_applicant_and_the_administrators_alone_see_a_file(stage: Any) -> None:
    place, known, actors = stage
    path = f"/{known['system']}/apply/{known['application']}"
    assert actors["operator"].get(path).status_code == 200
    assert actors["stranger"].get(path).status_code == actors["trader"].get(path).status_code == 404
    assert place.people.application(known["application"], by=operator_who(actors["operator"], place)).id == known["application"]


def test_a_session_bids_by_no_script(stage: Any) -> None:
    """S6: what needs a fresh second factor on a page has no way round it by the API: bids, proposals, approvals, acts, commands."""
    place, known, actors = stage
    trader, system = actors["trader"], place.demo.hall.system
    headers = {"x-csrf-token": trader.csrf, "idempotency-key": "by-a-script-1"}
    bodies = {
        "bids/any": {"bids": [{"account": "trader-1", "price": "1.00", "quantity": 1}]},
        "tasks": {"verb": "transfer", "body": {}},
        f"tasks/{known['proposal']}/withdraw": {},
        "commands": {"kind": "open_account", "body": {"account": "x", "kind": "trading"}},
        "accounts": {"account": "x", "kind": "trading"},
    }
    for path, body in bodies.items():
        answer = trader.client.post(f"/api/v1/{system}/{path}", json=body, headers=headers)
        assert answer.status_code == 403 and answer.json()["name"] == "not_permitted", (path, answer.status_code)
