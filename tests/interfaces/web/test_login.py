"""Signing in and out in two steps: what a password alone opens, what the cookies are, where one lands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tonne.interfaces.web.place import Place


def test_a_password_alone_opens_nothing(place: Place, visit: Callable[..., Any]) -> None:
    """A4: between password and code nobody acts."""
    browser = visit()
    login = place.demo.login_of("operator")
    answer = browser.post_form("/login", "/login", email=login.email, password=login.password)
    assert answer.url.path == "/login/factor"
    system = place.demo.hall.system
    assert browser.get(f"/{system}/tasks").url.path == "/login"
    done = browser.post_form(answer, "/login/factor", code=place.demo.code_of(login.person))
    assert done.url.path == f"/{system}/home"
    assert browser.get(f"/{system}/tasks").url.path == f"/{system}/tasks"


def test_wrong_and_unknown_are_answered_alike(place: Place, visit: Callable[..., Any]) -> None:
    """A7: neither the words nor the status tell whether somebody is known."""
    known = visit().post_form("/login", "/login", email="operator@demo.example", password="not the password at all")
    unknown = visit().post_form("/login", "/login", email="nobody@demo.example", password="not the password at all")
    assert known.status_code == unknown.status_code == 422
    assert "E-mail address or password is not right." in known.text
    strip = lambda page: page.text.replace("operator@demo.example", "").replace("nobody@demo.example", "")  # noqa: E731
    import re

    hidden = re.compile(r'(value|content)="[0-9a-f]{20,}"|reference">.*?<|<code>.*?</code>|datetime="[^"]*"|\d\d:\d\d:\d\d')
    assert hidden.sub("", strip(known)) == hidden.sub("", strip(unknown))


def test_after_the_login_back_to_the_same_place(place: Place, visit: Callable[..., Any]) -> None:
    system = place.demo.hall.system
    browser = visit()
    asked = browser.get(f"/{system}/tasks?state=completed")
    assert asked.url.path == "/login" and asked.url.params["next"] == f"/{system}/tasks?state=completed"
    login = place.demo.login_of("operator")
    step = browser.post_form(asked, "/login", email=login.email, password=login.password)
    done = browser.post_form(step, "/login/factor", code=place.demo.code_of(login.person))
    assert str(done.url).endswith(f"/{system}/tasks?state=completed")


def test_other_hosts_are_no_place_to_go_on_to(place: Place, visit: Callable[..., Any]) -> None:
    """W10: a redirect stays here."""
    for evil in ("//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"):
        browser = visit()
        login = place.demo.login_of("trader")
        page = browser.get("/login", params={"next": evil})
        step = browser.post_form(page, "/login", email=login.email, password=login.password)
        done = browser.post_form(step, "/login/factor", code=place.demo.code_of(login.person))
        assert done.url.host == "testserver" and "evil" not in str(done.url), evil


def test_a_login_makes_a_new_session_and_a_logout_ends_it(place: Place, visit: Callable[..., Any]) -> None:
    """S1, S4: the old cookie is dead, and so is the one after the logout."""
    browser = visit("operator")
    token = browser.cookies["tonne"]
    system = place.demo.hall.system
    page = browser.get(f"/{system}/tasks")
    browser.post_form(page, "/logout")
    assert not browser.cookies.get("tonne")
    thief = visit()
    thief.cookies.set("tonne", token)
    assert thief.get(f"/{system}/tasks").url.path == "/login"


def test_a_form_without_its_token_does_nothing(place: Place, visit: Callable[..., Any]) -> None:
    """W4: forms are our own, by token and by origin."""
    browser = visit("operator")
    assert browser.post("/logout", data={}).status_code == 403
    page = browser.get(f"/{place.demo.hall.system}/tasks")
    hidden = browser.form(page, "/logout")
    assert browser.post("/logout", data=hidden, headers={"origin": "https://evil.example"}).status_code == 403
    assert browser.post("/logout", data=hidden, headers={"sec-fetch-site": "cross-site"}).status_code == 403
    other = visit("trader")
    assert other.post("/logout", data=hidden).status_code == 403
    assert browser.get(f"/{place.demo.hall.system}/tasks").url.path.endswith("/tasks")
