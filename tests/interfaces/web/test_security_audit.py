"""G1, G2, G4 to G10: what stands in the trail, what never stands in a log, how secrets change, how a person goes."""

from __future__ import annotations

import io
import json
import re
import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from security_world import Actor, mine, opened, signed_in

from tonne.interfaces.api import open_market
from tonne.interfaces.web import demo
from tonne.interfaces.web.outer import log_to, plain_path
from tonne.interfaces.web.place import Place
from tonne.interfaces.web.settings import SettingsRefused, read
from tonne.people import COMMAND

ROOT = Path(__file__).parents[3]
SECRET, NEXT = "uY7-qZ3_mK9wP2xR5tB8nD4fG6hJ1sLa-old", "Tz4_bN8-cV2kM6pQ9rW3xE7yA1dF5gHj-new"


def wish(place: Place, quantity: int = 5) -> str:
    state = place.demo.hall.desk.administration.state
    body = {"from": place.demo.plan.shown.accounts[0], "to": "trader-1", "unit": state.allowance_code(place.demo.plan.year), "quantity": quantity}
    return json.dumps({"verb": "transfer", "body": body, "tables": {}, "reason": "", "back": "/"})


def a_day(place: Place) -> tuple[Actor, list[str]]:
    """A login that failed and one that did not, views, an export, a refusal, a confirmed proposal, a key that was made and used, a log-out.

    Answers the operator and every secret that went through.
    """
    system, login = place.demo.hall.system, place.demo.login_of("operator")
    Actor(place).form("/login", email=login.email, password="a-phrase-that-is-not-right", next="/")
    operator = signed_in(place, "operator")
    first, code = operator.token, place.demo.code_of(operator.person)
    operator.get(f"/{system}/accounts")
    operator.get(f"/{system}/accounts.csv")
    operator.get(f"/{system}/organisation")
    operator.get("/systems", params={"q": "what-somebody-looks-for"})
    assert operator.form(f"/{system}/propose", content=wish(place), code=code).status_code == 303
    operator.form(f"/{system}/propose", content=wish(place, 10**9), code=place.demo.code_of(operator.person))
    made = operator.form(f"/{system}/organisation/keys", label="feed", days="30", right_read="yes", code=place.demo.code_of(operator.person))
    secret = re.findall(r"<p><code>([^<]{30,})</code></p>", made.text)[0]
    program = Actor(place)
    program.client.headers["authorization"] = f"Bearer {secret}"
    assert program.get(f"/api/v1/{system}/accounts").status_code == 200
    now = datetime.now(UTC)
    person = place.people.add_person("nia@else.example", "Nia New", by=COMMAND, now=now)
    link = place.people.invite(person.id, by=COMMAND, now=now)
    Actor(place).get(f"/invitation/{link}")
    Actor(place).get(f"/zh-Hans/reset/{link}")
    tokens = [first, operator.token, operator.csrf, secret, link, code, login.password, "a-phrase-that-is-not-right"]
    operator.form("/logout")
    return operator, tokens


def test_a_day_in_the_trail(place: Place) -> None:
    """G1, G2: each row says who, for whom, as what, from where, what, with what result, when; and all that must be there is there."""
    operator, _tokens = a_day(place)
    rows = place.people.audit.page(limit=500).rows
    verbs = [row.verb for row in rows]
    for verb, least in {
        "login": 2,
        "login.code": 1,
        "logout": 1,
        "step_up": 2,
        "confirm": 1,
        "propose": 2,
        "view": 2,
        "export": 1,
        "key.create": 1,
    }.items():
        assert verbs.count(verb) >= least, f"{verb}: {verbs.count(verb)} of {sorted(set(verbs))}"
    proposed = next(row for row in rows if row.verb == "propose" and row.result == "accepted")
    told = (proposed.person, proposed.system, proposed.participant, proposed.right, proposed.address, proposed.result)
    assert told == (operator.person, place.demo.hall.system, mine(place), "operator", "testclient", "accepted")
    assert proposed.session and proposed.reference and proposed.at.tzinfo is not None and proposed.what.startswith("web:")
    assert any(row.result not in ("accepted", "done", "shown", "ok") for row in rows), "refusals stand there too"
    assert place.people.audit.first_fault() is None


def test_no_secret_and_no_name_in_any_line_of_the_log(place: Place) -> None:
    """G6: over the same day, in both forms of the log and in the trail: no password, code, token, key, link, e-mail, name or search."""
    for form in ("json", "text"):
        lines = io.StringIO()
        log_to(lines, form)
        _operator, tokens = a_day(place) if form == "json" else (None, [])
        log_to(io.StringIO(), "json")
        text = lines.getvalue() + json.dumps([row.what for row in place.people.audit.page(limit=500).rows])
        for secret in [*tokens, "operator@demo.example", "nia@else.example", "Ana Costa", "Nia New", "what-somebody-looks-for"]:
            if len(secret) > 6:
                assert secret not in text, secret
    assert (
        plain_path("/zh-Hant/reset/abc") == "/zh-Hant/reset/..."
        and plain_path("/invitation/abc") == "/invitation/..."
        and plain_path("/x/reset/1") == "/x/reset/1"
    )


def test_control_characters_make_no_lines(place: Place) -> None:
    """G5: in paths, reports and traces, in both forms."""
    import structlog

    for form in ("json", "text"):
        lines = io.StringIO()
        log_to(lines, form)
        Actor(place).get("/nothing%0d%0a2026-01-01 event='request' person='forged'")
        try:
            raise RuntimeError("first\r\nevent='forged' \x1b[31m\u2028")
        except RuntimeError:
            structlog.get_logger("x").exception("bad\nevent='forged'")
        log_to(io.StringIO(), "json")
        found = lines.getvalue().split("\n")
        assert not [
            line for line in found if line.startswith(("event='forged'", "2026-01-01")) or "\x1b" in line or "\r" in line or "\u2028" in line
        ], found
        if form == "json":
            assert all(json.loads(line) for line in found if line)


def test_the_copy_elsewhere_is_in_order_and_goes_on(market_folder: Path, tmp_path: Path) -> None:
    """G4: every row once, in its order, also after a restart."""
    sink = tmp_path / "sink.jsonl"
    for _ in range(2):
        with opened(market_folder, sink=str(sink)) as place:
            signed_in(place, "trader").get(f"/{place.demo.hall.system}/orders")
            place.keep()
            total = place.people.audit.head()[0]
            place.keep()
    numbers = [json.loads(line)["number"] for line in sink.read_text(encoding="ascii").splitlines()]
    assert numbers == list(range(1, total + 1))


@pytest.mark.parametrize("secret", ["", "changeme", "changeme" * 5, "a" * 40, "password123!" * 3, "0123456789" * 4, "short-one"])
def test_no_start_on_a_weak_secret(market_folder: Path, secret: str) -> None:
    """G7: by the server's settings or by the logins', and the message does not show it."""
    from tonne.interfaces.web.serve import people_settings

    with pytest.raises(ValueError) as refused:
        people_settings(read(None, {}, secrets=(secret,) if secret else (), databases=("x",)).check())
    assert not secret or secret not in str(refused.value)


def test_no_plain_http_beyond_this_machine() -> None:
    """G8."""
    for host in ("0.0.0.0", "::", "192.0.2.1", "registry.example"):
        with pytest.raises(SettingsRefused, match="without TLS"):
            read(None, {}, host=host, secrets=(SECRET,)).check()
        assert read(None, {}, host=host, secrets=(SECRET,), behind_tls=True).check().behind_tls
    assert read(None, {}, host="127.0.0.1", secrets=(SECRET,)).check().host == "127.0.0.1"


def test_secrets_rotate_without_a_logout(market_folder: Path) -> None:
    """G7: a new secret before the old one: sessions, forms that are open, and second factors go on; without the old one, old forms do not."""
    with opened(market_folder) as place:
        old = place.settings.secrets
        operator = signed_in(place, "operator")
        token, form = operator.token, operator.csrf
    with rotated(market_folder, (NEXT, *old)) as place:
        actor = Actor(place, "operator", token=token, person=operator.person)
        assert actor.get(f"/{place.demo.hall.system}/tasks").status_code == 200
        assert actor.csrf != form
        assert actor.form(f"/{place.demo.hall.system}/propose", content=wish(place), code=place.demo.code_of(operator.person)).status_code == 303
        assert actor.client.post("/settings/looks", data={"_csrf": form, "language": "en"}).status_code == 303
        place.keep()  # what was sealed under the old secret is sealed anew
    with rotated(market_folder, (NEXT,)) as place:
        fresh = Actor(place, "operator", token=actor.token, person=operator.person)
        assert fresh.client.post("/settings/looks", data={"_csrf": form, "language": "en"}).status_code == 403
        assert fresh.form("/settings/looks", language="en").status_code == 303
        assert fresh.form(f"/{place.demo.hall.system}/propose", content=wish(place), code=place.demo.code_of(operator.person)).status_code == 303
        assert signed_in(place, "verifier").get("/settings").status_code == 200, "a second factor from before both changes"


def rotated(folder: Path, secrets: tuple[str, ...]) -> Any:
    """The same place with other secrets."""
    from contextlib import contextmanager

    from tonne.interfaces.web.app import create_app
    from tonne.interfaces.web.clock import Clock
    from tonne.interfaces.web.serve import open_place

    @contextmanager
    def made() -> Any:
        where = str(folder / "market.db")
        settings = read(None, {}, databases=(where,), people=str(folder / "logins.db"), secrets=secrets, demo=True)
        with opened_quietly(folder) as plan:
            place = open_place(settings, Clock(plan.opens), code_drift_steps=demo.AHEAD, context_words=())
            hall = next(iter(place.halls.values()))
            place.demo = demo.Demo(place, hall, plan, demo._logins(place.people, hall.system, plan, folder / "people.json"), folder / "demo.json")
            place.app = create_app(place)  # type: ignore[attr-defined]
            try:
                yield place
            finally:
                place.close()

    @contextmanager
    def opened_quietly(_folder: Path) -> Any:
        from tonne.interfaces.api import rulebook
        from tonne.simulation.living_market import plan_of
        from tonne.simulation.living_plan import living_system

        yield plan_of(rulebook(living_system()), two_persons=True)

    return made()


def test_a_person_goes_and_the_log_stays(market_folder: Path) -> None:
    """G10: erased, the name is on no page and in no file of the logins; the log, replayed, is the same to the byte."""
    with opened(market_folder) as place:
        system, operator = place.demo.hall.system, signed_in(place, "operator")
        answer = operator.form(f"/{system}/propose", content=wish(place), code=place.demo.code_of(operator.person))
        task = str(answer.headers["location"])
        colleague = signed_in(place, "approver")
        assert "Ana Costa" in colleague.get(task).text
        before = place.demo.hall.desk.administration.state.books.state_hash(), place.demo.hall.desk.log.head()
        place.people.erase_person(operator.person, by=COMMAND, now=datetime.now(UTC))
        for actor, path in ((colleague, task), (colleague, f"/{system}/organisation"), (signed_in(place, "administrator"), f"/{system}/tasks")):
            assert "Ana Costa" not in actor.get(path).text and "operator@demo.example" not in actor.get(path).text, path
        assert operator.person in colleague.get(task).text, "the id stays, and says that it was one person"
    with open_market(str(market_folder / "market.db"), system) as desk:
        assert (desk.administration.state.books.state_hash(), desk.log.head()) == before
        assert list(desk.log.verify_chain()) == []
    for file in market_folder.glob("logins.db*"):
        assert b"Ana Costa" not in file.read_bytes() and b"operator@demo.example" not in file.read_bytes(), file.name


def test_every_dependency_is_locked() -> None:
    """G9: one version each for what is asked for, and for what that brings."""
    locked = {}
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            name, _, version = line.partition("==")
            assert version, f"{line!r} locks no version"
            locked[_plain(name)] = version
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"]["server"]]
    missing = [one for one in asked if _plain(re.split(r"[\[<>=!~; ]", one)[0]) not in locked]
    assert not missing, missing


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.strip().partition("[")[0]).lower()


def test_the_browsers_files_are_locked_with_hashes() -> None:
    """W8, G9: every package of the browser's files has one version and one digest."""
    packages = json.loads((ROOT / "src/tonne/interfaces/web/npm/package-lock.json").read_text(encoding="utf-8"))["packages"]
    loose = [name for name, one in packages.items() if name and not str(one.get("integrity", "")).startswith("sha512-") and not one.get("link")]
    assert not loose and len(packages) > 5


def test_what_is_past_its_time_goes_by_itself(place: Place, monkeypatch: Any) -> None:
    """G10: the keeper removes it once a day."""
    days: list[Any] = []
    monkeypatch.setattr(place.people, "tidy", lambda now: days.append(now.date()))
    place.keep()
    place.keep()
    assert days == [datetime.now(UTC).date()] or len(set(days)) == len(days)


def test_ids_have_no_signs_that_cannot_be_seen(place: Place) -> None:
    """G5: no line end, no turned direction, nothing invisible in what an account or a participant is called by."""
    from tonne.administration.commands import Command

    hall = place.demo.hall
    for number, name in enumerate(("a\nb", "a\r\nx: y", "\u202egnp.x", "a\u200bb", " a", "a\x7f")):
        for kind, body in (
            ("open_account", {"account": name, "kind": "trading", "holder": mine(place)}),
            ("register_participant", {"participant": name, "name": "N", "role": "trader"}),
        ):
            reply = hall.desk.call(Command(f"odd-{kind}-{number}", kind, "administrator", hall.today, body))
            assert reply.outcome == "malformed", (kind, name, reply.outcome)


def test_a_webhooks_secret_outlives_the_secret_that_sealed_it(market_folder: Path) -> None:
    """G7: sealed anew when the server starts with a new secret before the old one."""
    from tonne.interfaces.web.webhooks import Webhooks, hooks

    with rotated(market_folder, (SECRET,)) as place:
        place.settings = replace(place.settings, webhook_hosts=("hooks.example",))
        found = Webhooks(place)
        name, secret = found.add(place.demo.hall.system, "x", "m-1", "p-1", "https://hooks.example/x", ["market"], datetime.now(UTC))
        found.close()
        for secrets in ((NEXT, SECRET), (NEXT,)):
            place.settings = replace(place.settings, secrets=secrets)
            found = Webhooks(place)
            with found._db.begin() as connection:
                (row,) = connection.execute(sa.select(hooks).where(hooks.c.id == name)).all()
            assert found.secret_of(row) == secret
            found.close()
