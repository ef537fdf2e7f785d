"""What only a demonstration has: signing in with one click, and a hand on the clock."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from fastapi.responses import Response

from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.forms import Field, Form
from tonne.interfaces.web.guard import ADMIN, PUBLIC, pages
from tonne.interfaces.web.pages.login import welcomed
from tonne.interfaces.web.problems import not_found

router = pages()


@router.post("/demo/sign-in", allow=PUBLIC)
def sign_in(ask: Asked) -> Response:
    """Password and code of one of the demo's persons, typed by the demo itself. There is no such address on another server."""
    demo = ask.place.demo
    login = demo.login_of(str(ask.form.get("persona", ""))) if demo is not None else None
    if login is None:
        raise not_found()
    people, now, address = ask.place.people, ask.place.real_now(), ask.visitor.address
    if ask.visitor.signed_in:
        people.logout(ask.visitor.token, now=now)
    begun = people.login(login.email, login.password, address=address, agent=ask.request.headers.get("user-agent", "")[:200], device="demo", now=now)
    found = people.prove(begun.token, demo.code_of(login.person), address=address, end_oldest=True, now=now)
    return welcomed(ask, found, str(ask.form.get("next", "/")))


@router.get("/{system}/clock", allow=ADMIN)
def clock(ask: Asked, system: str) -> Response:
    """The demo's clock, and the days of the law that come next."""
    if ask.place.demo is None:
        raise not_found()
    return ask.page("clock.html", form=_form(ask))


def _form(ask: Asked) -> Form:
    tomorrow = ask.market.today + timedelta(days=1)
    fields = [
        Field(
            "day",
            ask._("Go on to this day"),
            "date",
            hint=ask._("The law acts on its days meanwhile. The clock never goes back."),
            value=tomorrow.isoformat(),
        )
    ]
    return Form(ask, fields, action=ask.here("/clock"), verb=ask._("Move the clock"))


@router.post("/{system}/clock", allow=ADMIN.with_right("approve"))
def move(ask: Asked, system: str) -> Response:
    """Push the clock on to the morning of a later day."""
    if ask.place.demo is None:
        raise not_found()
    form = _form(ask)
    if form.check():
        market = ask.market
        opens = ask.place.demo.plan.opens.astimezone(market.zone).timetz()
        target = datetime.combine(form.values["day"], time(opens.hour, opens.minute), market.zone)
        if form.values["day"] <= market.today or form.values["day"] > market.today + timedelta(days=400):
            form.fault("day", ask._("A day after today, within the next year."))
        else:
            ask.place.clock.push(target)
            ask.record("clock", f"moved to {target.isoformat()}", "done")
            return ask.see(f"/{system}/clock")
    return ask.page("clock.html", 422, form=form)
