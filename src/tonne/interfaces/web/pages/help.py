"""Is it working, how to use it, and what the words mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import yaml
from fastapi.responses import Response

from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.guard import PUBLIC, pages
from tonne.interfaces.web.tables import Column, Filter
from tonne.interfaces.web.words import LANGUAGES, N_
from tonne.people import PeopleUnavailable

router = pages()
GLOSSARY = Path(__file__).resolve().parent.parent / "glossary.yaml"
GROUPS = {
    "market": N_("Markets and units"),
    "rules": N_("Rules"),
    "compliance": N_("Compliance"),
    "credits": N_("Credits and claims"),
    "trading": N_("Trading"),
    "treaties": N_("Treaties and policy"),
}
#: What a person asks, and where the answer is done. An address with {} is of the first market that is open here.
ANSWERS: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...] = (
    (
        N_("What do I owe, and until when?"),
        N_(
            "Sign in as an operator: the first page shows what you owe, what you hold, what is missing and how many working days are "
            "left. To surrender, propose the units; a second person of your organisation approves."
        ),
        (("/{}/home", N_("Home")), ("/{}/calendar", N_("Calendar"))),
    ),
    (
        N_("Why do I need a second person and a second factor?"),
        N_(
            "Units that have left cannot be called back. So whoever proposes a transfer never approves it, each approval takes a "
            "fresh code for that very transfer, and units leave for an account that is not on your trusted list only after a delay in "
            "which both sides can cancel."
        ),
        (),
    ),
    (
        N_("Where does a figure come from?"),
        N_(
            "Every value of the law has a page with its day, its source and how sure it is. Figures of a market come from its log: "
            "every entry holds the hash of the one before, and the hash of each day's last entry is published."
        ),
        (("/{}/law", N_("Law")), ("/data", N_("Data"))),
    ),
    (
        N_("What did the law say on a day?"),
        N_(
            "Open the law of a system and change the day. \u201cAs known on\u201d leaves out what was published later. \u201cWhat "
            "changed\u201d puts two days side by side."
        ),
        (("/{}/law", N_("Law")),),
    ),
    (
        N_("Who complied, and when do I get to know?"),
        N_(
            "Compliance is public from the day on which a year is judged, with late and short first. Single transactions are public "
            "after the delay that the law sets; until then only sums by month are."
        ),
        (("/{}/compliance", N_("Compliance")), ("/{}/transactions", N_("Transactions"))),
    ),
    (
        N_("How do I get the data?"),
        N_(
            "Put .csv, .json or .parquet at the end of a page's address: you get all rows of its table with the filters you set, "
            "never only the first. Charts have their own rows. The API offers the same with a key."
        ),
        (("/data", N_("Data")), ("/api", N_("API"))),
    ),
    (
        N_("Can I use the keyboard?"),
        N_(
            "Press ? on any page for the list of keys: / searches, j and k walk rows, Enter opens one, g h goes home, g t to your "
            "tasks. Single keys can be switched off there."
        ),
        (),
    ),
    (
        N_("What does a dash mean?"),
        N_("A figure that nobody knows. It is never shown as zero; the reason stands beside it or appears when you rest on it."),
        (),
    ),
)


@router.get("/help", allow=PUBLIC)
def help_page(ask: Asked) -> Response:
    """Short answers with the way to where the thing is done."""
    first = next(iter(sorted(ask.place.halls)), "")
    answers = [
        (ask._(asked), ask._(told), [(ask.url(path.replace("{}", first)), ask._(words)) for path, words in ways if first or "{}" not in path])
        for asked, told, ways in ANSWERS
    ]
    return ask.page("help.html", answers=answers)


@router.get("/status", allow=PUBLIC)
def status(ask: Asked) -> Response:
    """What runs now. Nothing is said of times that nobody recorded."""
    _ = ask._
    place = ask.place
    rows: list[tuple[str, bool, str]] = [
        (_("This server"), place.started and not place.stopping, _("takes requests") if not place.stopping else _("is stopping"))
    ]
    alive = _people_answer(place.people)
    rows.append((_("Sign-in"), alive, _("people can sign in") if alive else _("nobody can sign in now")))
    for system, hall in sorted(place.halls.items()):
        alive = hall.desk.failure is None
        told = (
            ask.say("takes commands; %(entries)s entries in its log", entries=f"{hall.sequence:,}".replace(",", "\u202f"))
            if alive
            else _("reads only: its store has stopped")
        )
        rows.append((system, alive, told))
    good = all(one for _name, one, _told in rows)
    if ask.suffix:
        raise ask.file("status", pl.DataFrame(rows, schema={"part": pl.String, "works": pl.Boolean, "told": pl.String}, orient="row"), ask.suffix)
    stops: Sequence[Any] = getattr(place.settings, "planned_stops", ())
    return ask.page("status.html", rows=rows, good=good, stops=stops, real_now=place.real_now())


def _people_answer(people: Any) -> bool:
    """Whether the logins' database gives anything at all."""
    try:
        people.find_persons(limit=1)
    except PeopleUnavailable:
        return False
    return True


@cache
def terms() -> tuple[Mapping[str, Any], ...]:
    """The glossary: id, group, en, zh-Hans, zh-Hant, and what it means in each language where it says so."""
    return tuple(yaml.safe_load(GLOSSARY.read_text(encoding="utf-8")))


@router.get("/glossary", allow=PUBLIC)
def glossary(ask: Asked) -> Response:
    """The words in three languages."""
    _ = ask._
    rows = [
        {
            "term": one["id"],
            "group": one["group"],
            **{code: one[code] for code in LANGUAGES},
            "means": (one.get("means") or {}).get(ask.language) or (one.get("means") or {}).get("en"),
        }
        for one in terms()
    ]
    order = [ask.language, *(code for code in LANGUAGES if code != ask.language)]
    columns = [Column(code, LANGUAGES[code][0]) for code in order]
    columns += [
        Column("means", _("Meaning"), sortable=False),
        Column("group", _("Group"), show=lambda value, row: _(GROUPS[value])),
        Column("term", _("Term"), hidden=True),
    ]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(("term", "group", *LANGUAGES, "means"), pl.String))
    frame = frame.with_columns(find=pl.concat_str([pl.col(code) for code in LANGUAGES], separator=" ")).sort(pl.col(ask.language).str.to_lowercase())
    filters = [Filter("find", _("Word")), Filter("group", _("Group"), "choice", [(code, _(words)) for code, words in GROUPS.items()])]
    table = ask.table("glossary", _("Glossary"), frame, columns, filters=filters, empty=_("No word is like that."), rows_each=200, as_of="")
    return ask.page("glossary.html", table=table)
