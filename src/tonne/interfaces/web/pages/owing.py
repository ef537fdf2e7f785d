"""Where an operator stands, in words and in one bar: what is owed, held and missing, and the one thing to do next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from tonne.administration.agenda import day_of
from tonne.interfaces.views.obligation import Period
from tonne.interfaces.views.working_days import working_days
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.pages import proposals
from tonne.interfaces.web.pages.standing import Standing
from tonne.interfaces.web.render import day as written_day
from tonne.interfaces.web.render import money, quantity
from tonne.interfaces.web.words import N_

#: States of a report that its operator has to file, or to file again.
TO_FILE = ("no_entry", "not_reported", "rejected")
BASES: dict[str, str] = {
    "verified": N_("verified"),
    "estimated": N_("estimated by the administrator"),
    "corrected": N_("corrected"),
    "reported": N_("reported, not verified yet"),
    "last_year": N_("estimated: last year's figure"),
    "none": N_("no figure yet"),
}


@dataclass(frozen=True)
class Step:
    """What to do next. when: by when; working: working days until then. href is empty where the visitor cannot do it."""

    text: str
    verb: str = ""
    href: str = ""
    when: date | None = None
    working: int | None = None


@dataclass(frozen=True)
class Part:
    """A part of the one bar: share of it in thousandths, from `at` on."""

    name: str
    label: str
    units: int
    at: int
    wide: int


def own_proposals(ask: Ask) -> list[dict[str, Any]]:
    """What of the own organisation is not ended yet: those that wait for the visitor first."""
    found = []
    for name, one in proposals.proposals_of(ask).items():
        if one["participant"] == ask.visitor.participant and one["state"] in ("awaiting_approval", "scheduled"):
            said = proposals.sentence(ask, one["verb"], one["body"], one["effect"])
            found.append(
                {
                    "name": name,
                    "verb": one["verb"],
                    "state": one["state"],
                    "said": said,
                    "mine": proposals.may_approve(ask, one),
                    "expires": one["expires"],
                }
            )
    return sorted(found, key=lambda one: not one["mine"])


def next_step(ask: Ask, standing: Standing, waiting: Sequence[Mapping[str, Any]] = ()) -> Step:
    """The one thing to do now: approve what waits, report, buy what is missing, surrender."""
    owes, rights = standing.owes, ask.visitor.rights
    mine = [one for one in waiting if one["mine"]]
    if mine:
        href = ask.here(f"/tasks/{mine[0]['name']}" if len(mine) == 1 else "/tasks")
        text = ask.ngettext("%(num)s task waits for your approval.", "%(num)s tasks wait for your approval.", len(mine)) % {"num": len(mine)}
        return Step(text, ask._("Look and approve"), href)
    initiates = "initiate" in rights
    to_file = [(one.installation, year.year) for one in standing.now for year in one.years if year.year < owes.today.year and year.state in TO_FILE]
    if to_file:
        with ask.market.read() as state:
            due = day_of(state, "report", to_file[0][1])
        if due is None or due >= owes.today:
            text = ask.say("Report the emissions of %(year)s.", year=to_file[0][1])
            href = ask.here(f"/reports/{to_file[0][0]}/{to_file[0][1]}" if len(to_file) == 1 else "/reports") if initiates else ""
            return Step(text, ask._("Report"), href, due, None if due is None else working_days(owes.today, due, None))
    units = {"quantity": quantity(owes.gap), "unit": owes.unit}
    if owes.gap:
        href = ask.here("/buy", quantity=owes.gap) if "trade" in rights and standing.spot is not None else ""
        return Step(ask.say("You lack %(quantity)s %(unit)s.", **units), ask._("Buy"), href, owes.deadline, owes.working_days_left)
    begun = next((one for one in waiting if one["verb"] == "surrender"), None)
    if begun is not None:
        return Step(
            ask._("A surrender waits for a second person."),
            ask._("See it"),
            ask.here(f"/tasks/{begun['name']}"),
            owes.deadline,
            owes.working_days_left,
        )
    if owes.expected_missing:
        text = ask.say("You hold enough to surrender %(quantity)s %(unit)s.", quantity=quantity(owes.expected_missing), unit=owes.unit)
        return Step(text, ask._("Surrender"), ask.here("/surrender") if initiates else "", owes.deadline, owes.working_days_left)
    if owes.period is None:
        return Step(ask._("Nothing is owed at the moment."))
    return Step(ask.say("Nothing is missing for %(year)s.", year=owes.period), when=owes.deadline, working=owes.working_days_left)


def basis_of(ask: Ask, standing: Standing) -> str:
    """What the figure rests on, in words; the least certain of all."""
    found = {year.basis for one in standing.now for year in one.years}
    name = next((name for name in ("none", "last_year", "reported", "estimated", "corrected", "verified") if name in found), "none")
    return ask._(BASES[name])


def figures(ask: Ask, standing: Standing) -> list[tuple[str, Any, str, str]]:
    """The four figures: (label, value, unit, note)."""
    owes = standing.owes
    held = owes.admissible + owes.elsewhere
    years = ", ".join(sorted({str(year.year) for one in standing.now for year in one.years}))
    owed_note = ask.say("for %(years)s; %(basis)s", years=years, basis=basis_of(ask, standing)) if years else ""
    cost = (
        ask.say("about %(money)s at today's price", money=money(owes.cost_minor, owes.currency)) if owes.gap and owes.cost_minor is not None else ""
    )
    last = ask.say("until %(day)s", day=written_day(owes.deadline, ask.language, True)) if owes.deadline is not None else ask._("no deadline is set")
    return [
        (ask._("You still owe"), owes.expected_missing, owes.unit, owed_note),
        (ask._("You hold"), held, owes.unit, ask._("that can be surrendered")),
        (ask._("Missing"), owes.gap, owes.unit, cost or (ask._("nothing to buy") if not owes.gap else ask._("no price is known"))),
        (ask._("Days left"), owes.days_left, "", last),
    ]


def parts(ask: Ask, rows: Sequence[Period]) -> list[Part]:
    """The one bar: surrendered, held for it, missing, and what is held beyond it. Empty where nothing is or was owed."""
    due = sum(year.owed or 0 for one in rows for year in one.years)
    missing = sum(one.expected_missing for one in rows)
    gap = sum(one.gap for one in rows)
    held = sum(one.admissible for one in rows) + (max((one.elsewhere for one in rows), default=0) if len(rows) == 1 else 0)
    whole = max(due, missing)
    spans = (
        ("done", ask._("surrendered"), whole - missing),
        ("held", ask._("held for it"), missing - gap),
        ("lack", ask._("missing"), gap),
        ("more", ask._("held beyond it"), max(held - (missing - gap), 0)),
    )
    total = sum(units for _, _, units in spans)
    found, at = [], 0
    for name, label, units in spans:
        wide = 1_000 * units // total if total else 0
        if units:
            found.append(Part(name, label, units, at, max(wide, 4)))
        at += wide
    return found


def sentence(ask: Ask, standing: Standing) -> str:
    """Where one stands, to be read aloud."""
    owes = standing.owes
    if owes.period is None:
        return str(ask._("No period is open for which you owe units."))
    if not owes.expected_missing:
        return str(ask.say("Nothing is missing for %(year)s: what you owe is surrendered.", year=owes.period))
    said = {
        "owed": quantity(owes.expected_missing),
        "unit": owes.unit,
        "day": written_day(owes.deadline, ask.language, True) if owes.deadline else ask._("a day not set yet"),
        "held": quantity(owes.admissible + owes.elsewhere),
    }
    text = ask.say("You still owe %(owed)s %(unit)s by %(day)s. You hold %(held)s %(unit)s.", **said)
    if owes.low_minor:
        low, high = (money(amount, owes.currency) for amount in (owes.low_minor, owes.high_minor))
        fine = low if owes.low_minor == owes.high_minor else f"{low} – {high}"
        text += ask.gap + ask.say("If nothing happens, the penalty is %(fine)s.", fine=fine)
    return str(text)
