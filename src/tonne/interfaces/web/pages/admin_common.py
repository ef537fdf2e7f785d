"""What the administrator's pages share: their tabs, the code that confirms, words for what events say, and preparations by one of two persons.

A command of the law has an id of its own (`allocate:2025`) and no sender who could propose it. Where the market was founded with two persons, one
administrator prepares it: what was seen is signed and kept with the login (people's drafts), bound to a hash of what it would do. Another one carries
it out, with a code of their own, while it would still do the same. Nothing of it is in the log before that; afterwards the log names both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer

from tonne.administration.permissions import ADMINISTRATOR
from tonne.interfaces.views.explain import Formula
from tonne.interfaces.web import law_words
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.forms import Field
from tonne.interfaces.web.render import money, quantity
from tonne.interfaces.web.words import N_

TABS: tuple[tuple[str, str], ...] = (
    ("", N_("Agenda")),
    ("/runs", N_("Runs")),
    ("/auctions", N_("Auctions")),
    ("/participants", N_("Participants")),
    ("/installations", N_("Installations")),
    ("/accounts", N_("Accounts")),
    ("/applications", N_("Applications")),
    ("/law", N_("Law")),
)
#: kind of a transfer -> what it is
KINDS: dict[str, str] = {
    "transfer": N_("transfer"),
    "issue": N_("issue"),
    "allocate": N_("free allocation"),
    "return_allocation": N_("allocation returned"),
    "offer": N_("put up for auction"),
    "sell": N_("sale"),
    "pay": N_("payment"),
    "surrender": N_("surrender"),
    "cancel": N_("cancellation"),
    "withhold": N_("withheld"),
    "release": N_("release"),
    "invalidate": N_("end of validity"),
    "carry_over": N_("carried over"),
    "opening": N_("opening balance"),
    "convert": N_("conversion"),
    "retire": N_("retirement"),
    "deduct": N_("deduction"),
    "set_aside": N_("set aside"),
    "set_free": N_("set free again"),
}
#: number in what is published -> what it counts
NUMBERS: dict[str, str] = {
    "year": N_("Year"),
    "tnac": N_("Units in circulation"),
    "quantity": N_("Units"),
    "rows": N_("Installations"),
    "installations": N_("Installations"),
    "returned": N_("Taken back"),
    "arrears": N_("Could not be taken back"),
    "limit": N_("Limits together"),
    "intake": N_("Into the reserve"),
    "release": N_("Out of the reserve"),
    "placed": N_("Placed in the reserve by law"),
    "months": N_("Months over which it is spread"),
    "supply": N_("Supply so far"),
    "demand": N_("Verified or cancelled so far"),
    "holding": N_("Held by the reserve"),
    "computed": N_("By these books"),
    "published": N_("Published by the authority"),
    "void": N_("Lost validity"),
    "shortfall": N_("Units missing"),
    "units": N_("Units on top"),
    "released": N_("No longer owed"),
    "owed": N_("Owed"),
    "surrendered": N_("Surrendered"),
    "planned": N_("Planned"),
    "offered": N_("Offered"),
    "sold": N_("Sold"),
    "unsold": N_("Not sold"),
    "added": N_("Added at the ceiling"),
    "withheld": N_("Withheld for good"),
    "bidders": N_("Bidders"),
    "winners": N_("Winners"),
}
MONEY = {"low_minor": N_("Fines, lowest"), "high_minor": N_("Fines, highest"), "paid_minor": N_("Proceeds")}
PRICES = {
    "price": N_("Clearing price"),
    "reserve": N_("Lowest price of the law"),
    "ceiling": N_("Highest price of the law"),
    "cover_ratio": N_("Cover"),
}
EVENTS: dict[str, str] = {
    "task_done": N_("The task is marked as done"),
    "entitled": N_("Entitlements are put on record"),
    "statuses_set": N_("Everybody is judged"),
    "fined": N_("Fines are put on record"),
    "reports_missing": N_("Missing reports are marked"),
    "unit_type_added": N_("A unit type is added"),
    "auction_cleared": N_("The auction is cleared"),
    "auction_held": N_("The auction is held"),
    "auction_announced": N_("The auction is announced"),
    "participant_registered": N_("The participant is registered"),
    "installations_registered": N_("The installations are registered"),
    "accounts_opened": N_("Accounts are opened"),
    "account_opened": N_("The account is opened"),
    "members_admitted": N_("The account may trade"),
    "installation_closed": N_("The installation is closed"),
    "report_corrected": N_("The verified figure is corrected"),
    "amended": N_("The law is amended"),
    "account_frozen": N_("The account is frozen"),
    "freeze_confirmed": N_("The freeze is confirmed"),
    "account_unfrozen": N_("The freeze is lifted"),
    "flags_set": N_("The account's flags are set"),
}


def tabs(ask: Ask) -> list[tuple[str, str, bool]]:
    """address, label, whether it is this page."""
    base = f"/{ask.market.system}/admin"
    here = ask.path
    found = []
    for path, label in TABS:
        own = here == base or here.endswith("/home") if not path else here == base + path or here.startswith(f"{base}{path}/")
        found.append((ask.url(base + path), ask._(label), own))
    return found


def auction_title(ask: Ask, name: str) -> str:
    """An auction as people name it: what its name says beside the word itself."""
    return ask.say("Auction %(name)s", name=name.removeprefix("auction:"))


def code_field(ask: Ask) -> Field:
    return Field(
        "code", ask._("Code of your app"), "code", hint=ask._("It confirms exactly what stands above; after a change it is asked for again.")
    )


def code_hint(ask: Ask) -> str:
    return ask.place.demo.code_for(ask.visitor) if ask.place.demo is not None else ""


def may(ask: Ask, right: str) -> bool:
    return ask.visitor.role == ADMINISTRATOR and right in ask.visitor.rights


# -- what events say


def figures_of(ask: Ask, events: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """What is published with a decision, number by number, as people read it."""
    system = ask.market.rulebook.system
    found: list[tuple[str, str]] = []
    for event in events:
        if event.get("event") not in ("published", "auction_cleared", "auction_held"):
            continue
        if event["event"] != "published" and any(other.get("what") == "auction_result" for other in events):
            continue  # the notice holds the same
        for name, value in event.items():
            if name != "year" and name in NUMBERS and isinstance(value, int) and not isinstance(value, bool):
                found.append((ask._(NUMBERS[name]), str(quantity(value))))
            elif name in MONEY and isinstance(value, int):
                found.append((ask._(MONEY[name]), str(money(value, system.currency))))
            elif name in PRICES and value is not None:
                found.append((ask._(PRICES[name]), str(value) if name == "cover_ratio" else f"{system.currency} {value}"))
            elif name == "statuses":
                found += [(ask.say("Installations judged %(letter)s", letter=letter), str(quantity(count))) for letter, count in value.items()]
            elif name == "unpriced":
                found.append((ask._("Fines"), ask._("none: the law's fine cannot be worked out")))
            elif name in ("reason", "called_off") and value:
                found.append((ask._("Reason"), str(value).replace("_", " ")))
    return list(dict.fromkeys(found))


def events_of(ask: Ask, events: Sequence[Mapping[str, Any]]) -> list[str]:
    """What happens, line by line, in the order of the log."""
    said = []
    for event in events:
        if event["event"] == "published":
            what = law_words.said(law_words.NOTICES, str(event.get("what")), ask._)
            said.append(ask.say("Published: %(what)s, %(year)s", what=what, year=event.get("year")))
        elif event["event"] == "unit_type_added":
            said.append(ask.say("A unit type is added: %(code)s", code=event["code"]))
        else:
            said.append(law_words.said(EVENTS, event["event"], ask._))
    return said


@dataclass(frozen=True)
class RuleShown:
    """A rule as a page shows it. says: its own words; inputs (name, value); pieces (label, address, value, source)."""

    says: str
    mechanism: str
    inputs: list[tuple[str, str]]
    pieces: list[tuple[str, str, str, str]]


def rules_shown(ask: Ask, rules: Sequence[Formula]) -> list[RuleShown]:
    from tonne.interfaces.web.words import named

    found = []
    for rule in rules:
        pieces = []
        for piece in rule.pieces:
            if piece.value is None:
                continue
            topic, _dot, name = piece.path.partition(".")
            label = named(piece.labels, ask.language) or name.replace("_", " ")
            if piece.row is not None:
                label = f"{label} ({piece.row})"
            value = ask._("a table") if isinstance(piece.value, Mapping) else _figure(piece.value)
            unit = law_words.unit_words(piece.unit) if not isinstance(piece.value, (Mapping, bool)) and piece.unit != "year" else ""
            pieces.append((label, ask.here(f"/law/{topic}/{name}"), f"{value} {unit}".strip(), piece.source))
        inputs = [
            (ask._(NUMBERS[name]) if name in NUMBERS else name.replace("_", " "), _figure(value, name))
            for name, value in rule.inputs.items()
            if value is not None
        ]
        found.append(RuleShown(rule.says, rule.mechanism.replace("_", " "), inputs, pieces))
    return found


def _figure(value: Any, name: str = "") -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and name != "year" and value > 9_999:
        return str(quantity(value))
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


# -- prepared by one, carried out by another


@dataclass(frozen=True)
class Preparation:
    """what: the deed's name; print: of what it would do; body, tables, verb: of its command, where the deed's name does not say it all."""

    what: str
    person: str
    name: str
    at: datetime
    print: str
    content: dict[str, Any]


def _signer(ask: Ask) -> URLSafeSerializer:
    return URLSafeSerializer(list(reversed(ask.place.settings.secrets)), salt="preparation")


def _form(ask: Ask, what: str) -> str:
    return f"prepared:{ask.market.system}:{what}"[:200]


def prepare(ask: Ask, what: str, print_: str, content: Mapping[str, Any]) -> None:
    """Keep what the visitor has seen and confirmed, for another administrator to carry out; in the place of what the same person prepared before."""
    now = ask.place.real_now()
    signed = _signer(ask).dumps(
        {"system": ask.market.system, "what": what, "person": ask.visitor.person, "at": now.isoformat(), "print": print_, "content": dict(content)}
    )
    ask.place.people.save_draft(ask.visitor.person, _form(ask, what), {"signed": signed}, now=now)
    ask.record("prepare", f"{what} {print_[:16]}", "done")


def preparations(ask: Ask, what: str = "") -> list[Preparation]:
    """Those of administrators who may still act, newest first; of one deed, or all."""
    people, found = ask.place.people, []
    prefix = _form(ask, what)
    for member in people.members_of(ask.market.system, ADMINISTRATOR):
        if member.state != "active" or "initiate" not in member.rights:
            continue
        for draft in people.drafts_of(member.person):
            if not (draft.form == prefix if what else draft.form.startswith(prefix)):
                continue
            try:
                told = _signer(ask).loads(str(draft.body.get("signed", "")))
            except BadSignature:
                continue
            if (told["system"], told["person"]) != (ask.market.system, member.person):
                continue
            name = people.person(member.person).name
            found.append(Preparation(told["what"], member.person, name, datetime.fromisoformat(told["at"]), told["print"], told["content"]))
    return sorted(found, key=lambda one: one.at, reverse=True)


def others(ask: Ask, found: Sequence[Preparation]) -> list[Preparation]:
    """Those that the visitor could carry out: what another person prepared."""
    return [one for one in found if one.person != ask.visitor.person]


def drop(ask: Ask, what: str, persons: Sequence[str]) -> None:
    for person in persons:
        ask.place.people.drop_draft(person, _form(ask, what))


def two_persons(ask: Ask) -> bool:
    found: bool = ask.market.cached("two_persons", lambda state: state.two_persons)
    return found
