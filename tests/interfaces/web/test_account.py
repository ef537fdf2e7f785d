"""From an invitation to the first act, keys and rights, a forgotten password: by the pages, as people go."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pyotp

from tonne.interfaces.web.place import Place

PASSWORD = "seven quiet herons over the estuary"


def code(place: Place, persona: str) -> str:
    return place.demo.code_of(place.demo.login_of(persona).person)


def link(place: Place, email: str, kind: str) -> str:
    """The token in the letter that waits for the mail."""
    return next(letter.link for letter in place.people.letters_to_send() if letter.mail_to == email and letter.kind == kind)


def test_invited_to_first_act(place: Place, visit: Callable[..., Any]) -> None:
    system = place.demo.hall.system
    manager = visit("operator")
    given = {"email": "new@works.example", "name": "Nia New", "right_approve": "yes", "code": code(place, "operator")}
    answer = manager.post_form(f"/{system}/organisation", "/organisation/invite", **given)
    assert answer.status_code == 200 and "Nia New" in answer.text, answer.text[:3000]
    token = link(place, "new@works.example", "invitation")
    browser = visit()
    weak = browser.post_form(f"/invitation/{token}", "", password="password1234", again="password1234")
    assert weak.status_code == 422 and "common words" in weak.text
    other = browser.post_form(f"/invitation/{token}", "", password=PASSWORD, again=PASSWORD + "!")
    assert "The two are not the same." in other.text
    page = browser.post_form(f"/invitation/{token}", "", password=PASSWORD, again=PASSWORD)
    assert page.url.path == "/login/enrol"
    secret = re.search(r"<p><code>([A-Z2-7 ]+)</code></p>", page.text).group(1).replace(" ", "")
    assert browser.post_form(page, "/login/enrol", code="000000").status_code == 422
    page = browser.get("/login/enrol")
    secret = re.search(r"<p><code>([A-Z2-7 ]+)</code></p>", page.text).group(1).replace(" ", "")
    done = browser.post_form(page, "/login/enrol", code=pyotp.TOTP(secret).now())
    assert len(re.findall(r"<li><code>", done.text)) == 10
    assert browser.get(f"/{system}/tasks").url.path == f"/{system}/tasks"
    assert visit().get(f"/invitation/{token}").status_code == 410, "the link worked twice"


def test_a_key_is_shown_once_and_its_rights_are_cut(place: Place, visit: Callable[..., Any]) -> None:
    """P2: prefix and hash are all that is stored; a key cannot approve."""
    system = place.demo.hall.system
    browser = visit("operator")
    page = browser.post_form(f"/{system}/organisation", "/organisation/keys", label="feed", days=30, right_read="yes", code=code(place, "operator"))
    secret = re.search(r"<p><code>([^<]{30,})</code></p>", page.text).group(1)
    assert secret not in browser.get(f"/{system}/organisation").text
    assert "right_approve" not in page.text.partition('action="/' + system + '/organisation/keys"')[2]
    program = visit()
    program.headers["authorization"] = f"Bearer {secret}"
    assert program.get(f"/{system}/tasks").status_code == 200
    assert program.post("/logout", data={}).status_code in (403, 404)
    program.headers["authorization"] = f"Bearer {secret}x"
    assert program.get(f"/{system}/tasks").status_code == 401


def test_a_reset_does_not_pass_the_second_factor(place: Place, visit: Callable[..., Any]) -> None:
    """A8: a new password by a link, and still the factor is asked for."""
    browser = visit()
    known = browser.post_form("/reset", "", email="trader@demo.example")
    unknown = browser.post_form("/reset", "", email="nobody@demo.example")
    assert known.status_code == unknown.status_code == 200 and "a letter is on its way" in unknown.text
    token = link(place, "trader@demo.example", "reset")
    browser.post_form(f"/reset/{token}", "", password=PASSWORD, again=PASSWORD)
    step = browser.post_form("/login", "/login", email="trader@demo.example", password=PASSWORD)
    assert step.url.path == "/login/factor"
    assert browser.get(f"/{place.demo.hall.system}/tasks").url.path == "/login"


def test_rights_that_end_end_the_session(place: Place, visit: Callable[..., Any]) -> None:
    """S4: whoever was suspended is out with the next click."""
    system = place.demo.hall.system
    manager, approver = visit("operator"), visit("approver")
    assert approver.get(f"/{system}/tasks").status_code == 200
    page = manager.get(f"/{system}/organisation")
    person = place.demo.login_of("approver").person
    membership = next(one.id for one in place.people.memberships_of(person))
    manager.post_form(page, f"/organisation/{membership}/suspend")
    assert approver.get(f"/{system}/tasks").url.path != f"/{system}/tasks"


def test_only_managers_change_people(place: Place, visit: Callable[..., Any]) -> None:
    system = place.demo.hall.system
    approver = visit("approver")
    assert 'action="/' + system + '/organisation/invite"' not in approver.get(f"/{system}/organisation").text
    page = approver.get(f"/{system}/organisation")
    hidden = approver.form(page, "/logout")
    assert approver.post(f"/{system}/organisation/invite", data=hidden | {"email": "x@y.example", "name": "X"}).status_code == 404


def test_settings_keep_language_and_password(place: Place, visit: Callable[..., Any]) -> None:
    browser = visit("verifier")
    browser.post_form("/settings", "/settings/looks", language="zh-Hant")
    assert 'lang="zh-Hant"' in browser.get("/settings").text
    wrong = browser.post_form("/settings", "/settings/password", old="not it", password=PASSWORD, again=PASSWORD)
    assert wrong.status_code == 422
    login = place.demo.login_of("verifier")
    done = browser.post_form("/settings", "/settings/password", old=login.password, password=PASSWORD, again=PASSWORD)
    assert done.url.params.get("changed") == "password"
