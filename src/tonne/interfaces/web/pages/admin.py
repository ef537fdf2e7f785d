"""The administrator's first page: what the law does next, what is due, what waits for a second person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fastapi.responses import Response

from tonne.administration.moments import when
from tonne.administration.permissions import ADMINISTRATOR
from tonne.interfaces.views import agenda_view
from tonne.interfaces.views import reports as reports_view
from tonne.interfaces.web import keeping, law_words
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.guard import AUDIT, pages
from tonne.interfaces.web.pages import admin_common as own
from tonne.interfaces.web.pages.common import cache_of
from tonne.interfaces.web.pages.proposals import VERBS, may_approve, sentence
from tonne.interfaces.web.render import moment as written
from tonne.interfaces.web.render import quantity

router = pages()
AHEAD, NEXT_SHOWN = timedelta(days=400), 8
#: A proposal of somebody else that ends within this time and that nobody approved.
EXPIRING = timedelta(hours=24)
APPLICATIONS_MOST = 200


@dataclass(frozen=True)
class Item:
    """One line of the agenda: what, where it is done, since or until when, whether the visitor is the one who can do it. tone: of its badge."""

    text: str
    href: str
    note: str = ""
    mine: bool = False
    tone: str = ""
    badge: str = ""


@router.get("/{system}/admin", allow=AUDIT)
def admin(ask: Asked, system: str) -> Response:
    return home(ask)


def home(ask: Ask) -> Response:
    """The agenda."""
    market = ask.market
    now, today = market.now(), market.today
    with market.read() as state:
        cache = cache_of(market)
        ahead = [one for one in agenda_view.calendar(state, today, first=today, last=today + AHEAD, cache=cache) if one.state != "done"]
        waiting = agenda_view.waiting(state, today, cache=cache)
        proposals = {name: one for name, one in state.proposals.items() if one["state"] == "awaiting_approval"}
        freezes = dict(state.freezes)
        sales = {name: (sale["held_on"], sum(row["quantity"] for row in sale["offers"])) for name, sale in state.exchange.sales.items()}
        reported = next((one for one in ahead if one.task in ("report", "verify")), None)
        counts = reports_view.counts(state, reported.year, today, cache=cache) if reported is not None else {}
    due = _due(ask, waiting)
    approvals = _approvals(ask, proposals, now) + _prepared(ask)
    frozen = _freezes(ask, freezes)
    files = _applications(ask)
    deadlines = [one for one in ahead if one.deadline]
    ask.record("view", "agenda", "shown")
    missing = counts.get("no_entry", 0) + counts.get("not_reported", 0)
    figures = [
        (ask._("Due and not done"), len(due), "", ""),
        (
            ask._("Wait for a second person"),
            len(approvals),
            "",
            ask.say("%(count)s for you", count=sum(one.mine for one in approvals)) if approvals else "",
        ),
        (ask._("Applications"), len(files), "", ""),
        (ask._("Frozen accounts"), len(freezes), "", ""),
    ]
    if reported is not None:
        figures.append(
            (
                ask.say("Reports of %(year)s missing", year=reported.year),
                missing,
                "",
                ask.say("%(count)s wait for a verifier", count=counts.get("reported", 0)),
            )
        )
    return ask.page(
        "admin_home.html",
        admin_tabs=own.tabs(ask),
        figures=figures,
        due=due,
        approvals=approvals,
        frozen=frozen,
        files=files,
        deadline=deadlines[0] if deadlines else None,
        deadline_text=law_words.said(law_words.TASKS, deadlines[0].task, ask._) + f"{ask._(', ')}{deadlines[0].year}" if deadlines else "",
        deadline_href=_task_href(ask, deadlines[0]) if deadlines else "",
        ahead=[
            (one.day, _task_text(ask, one, sales), _task_href(ask, one), one.days_left, one.task in keeping.BY_THEMSELVES)
            for one in ahead[:NEXT_SHOWN]
        ],
        first=next((one for one in (*due, *(one for one in approvals if one.mine), *frozen) if one.href), None),
    )


def _task_text(ask: Ask, one: agenda_view.Task, sales: dict[str, Any]) -> str:
    if one.task == "auction_held":
        return f"{own.auction_title(ask, one.name)}{ask._(', ')}{quantity(sales[one.name][1])} {ask.market.rulebook.system.unit_code}"
    return f"{law_words.said(law_words.TASKS, one.task, ask._)}{ask._(', ')}{one.year}"


def _task_href(ask: Ask, one: agenda_view.Task) -> str:
    if one.task == "auction_held":
        return ask.here(f"/admin/auctions/{one.name}")
    return ask.here(f"/admin/deadline/{one.year}") if one.task == "surrender" else ask.here(f"/admin/runs/{one.task}/{one.year}")


def _due(ask: Ask, waiting: tuple[agenda_view.Waiting, ...]) -> list[Item]:
    found = []
    for one in waiting:
        since = ask.say("since %(day)s", day=one.since)
        if one.what == "task":
            text = f"{law_words.said(law_words.TASKS, one.name, ask._)}{ask._(', ')}{one.year}"
            note = since if one.name not in keeping.BY_THEMSELVES else ask.say("since %(day)s, runs by itself", day=one.since)
            found.append(Item(text, ask.here(f"/admin/runs/{one.name}/{one.year}"), note))
        elif one.what == "auction":
            found.append(
                Item(ask.say("%(auction)s is to be held", auction=own.auction_title(ask, one.name)), ask.here(f"/admin/auctions/{one.name}"), since)
            )
        elif one.what == "reports":
            text = ask.ngettext(
                "%(count)s installation has no verified figure for %(year)s",
                "%(count)s installations have no verified figure for %(year)s",
                one.count,
            )
            found.append(Item(text % {"count": one.count, "year": one.year}, ask.here(f"/admin/deadline/{one.year}"), since))
        elif one.what == "agreements":
            text = ask.ngettext("%(count)s agreement is to be settled", "%(count)s agreements are to be settled", one.count)
            found.append(Item(text % {"count": one.count}, "", ask.say("since %(day)s, by the venue", day=one.since)))
        else:
            text = ask.ngettext("%(count)s margin call is not met", "%(count)s margin calls are not met", one.count)
            found.append(Item(text % {"count": one.count}, "", ask.say("since %(day)s, by the venue", day=one.since)))
    return found


def _approvals(ask: Ask, proposals: dict[str, dict[str, Any]], now: datetime) -> list[Item]:
    """What administrators proposed; of others what nobody has approved and what soon ends."""
    found = []
    for name, one in proposals.items():
        ends = when(one["expires"])
        own_side = one["participant"] == ADMINISTRATOR
        if not own_side and ends - now > EXPIRING:
            continue
        said = sentence(ask, one["verb"], one["body"], one["effect"]) if own_side else f"{one['participant']}: {ask._(VERBS[one['verb']])}"
        found.append(
            Item(
                said, ask.here(f"/tasks/{name}"), ask.say("until %(moment)s", moment=written(ends.astimezone(ask.market.zone))), may_approve(ask, one)
            )
        )
    return found


def _prepared(ask: Ask) -> list[Item]:
    """What one of the administrators prepared, for another to carry out."""
    found = []
    for one in own.preparations(ask):
        if one.what.startswith("run:"):
            _run, task, year = one.what.split(":")
            text, href = f"{law_words.said(law_words.TASKS, task, ask._)}{ask._(', ')}{year}", ask.here(f"/admin/runs/{task}/{year}")
        else:
            text, href = own.auction_title(ask, one.what.partition(":")[2]), ask.here(f"/admin/prepared/{one.what}")
        mine = one.person != ask.visitor.person and own.may(ask, "approve")
        found.append(Item(text, href, ask.say("prepared by %(name)s", name=one.name), mine))
    return found


def _freezes(ask: Ask, freezes: dict[str, dict[str, Any]]) -> list[Item]:
    found = []
    for account, one in freezes.items():
        open_ = one["confirmed"] is None
        note = (
            ask.say("confirm until %(moment)s, or it lifts", moment=written(when(one["confirm_by"]).astimezone(ask.market.zone)))
            if open_
            else one["reason"]
        )
        mine = open_ and one["person"] != ask.visitor.person and own.may(ask, "approve")
        found.append(Item(account, ask.here(f"/admin/accounts/{account}"), note, mine, "danger", "frozen"))
    return found


def _applications(ask: Ask) -> list[Item]:
    rows: tuple[Any, ...] = ask.place.people.applications(system=ask.market.system, states=("sent", "checked"), limit=APPLICATIONS_MOST).rows
    found = []
    for one in rows:
        mine = one.state == "checked" and one.checked_by != ask.visitor.person and own.may(ask, "approve")
        note = ask._("checked, waits for a second administrator") if one.state == "checked" else ask._("to be checked")
        found.append(Item(one.organisation, ask.here(f"/admin/applications/{one.id}"), note, mine))
    return found
