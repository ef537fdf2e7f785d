"""One box for everything public: systems, participants, installations, accounts, contracts, auctions, the law."""

from __future__ import annotations

from typing import Any

from fastapi.responses import Response

from tonne.interfaces.views import search as finder
from tonne.interfaces.views.cache import Cache
from tonne.interfaces.web import law_words as lw
from tonne.interfaces.web import shelf
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.guard import PUBLIC, pages
from tonne.interfaces.web.pages.common import cache_of
from tonne.interfaces.web.words import N_, named

router = pages()
GROUPS = {
    "systems": N_("Systems"),
    "participants": N_("Participants"),
    "installations": N_("Installations"),
    "accounts": N_("Accounts"),
    "instruments": N_("Contracts"),
    "auctions": N_("Auctions"),
    "law": N_("Law"),
}
#: What is asked of the rulebooks, and what of an open market.
OF_BOOKS, OF_MARKETS = ("systems", "law"), ("participants", "installations", "accounts", "instruments", "auctions")
_BOOKS = Cache(1_024)
LIMIT = 10


@router.get("/search", allow=PUBLIC)
def search(ask: Asked) -> Response:
    """What a text is found in, group by group, ten of each."""
    text = ask.query.get("q", "").strip()[: finder.LONGEST]
    only = ask.query.get("in", "")
    groups = [one for one in GROUPS if not only or one == only]
    found: dict[str, list[dict[str, Any]]] = {}
    more: set[str] = set()
    if text:
        limit = 100 if only else LIMIT
        day = ask.place.clock.now().date()
        answers = [finder.search(text, day, books=_books(ask), limit=limit, groups=[one for one in OF_BOOKS if one in groups], cache=_BOOKS)]
        for _name, hall in sorted(ask.place.halls.items()):
            with hall.read() as state:
                answers.append(
                    finder.search(
                        text, hall.today, state=state, limit=limit, groups=[one for one in OF_MARKETS if one in groups], cache=cache_of(hall)
                    )
                )
        for answer in answers:
            more |= set(answer.more)
            for group, hits in answer.hits.items():
                found.setdefault(group, []).extend(_shown(ask, hit) for hit in hits)
    listed = [(group, ask._(GROUPS[group]), found[group], group in more and not only) for group in groups if group in found]
    if ask.suffix:
        raise ask.file("search", _as_frame(listed), ask.suffix)
    nearest = (
        [(ask.url(f"/{one}"), named(shelf.books()[one].system.name, ask.language)) for one in shelf.near(text, shelf.books())]
        if text and not listed
        else []
    )
    return ask.page("search.html", text=text, groups=listed, near_systems=nearest, count=sum(len(one[2]) for one in listed))


def _as_frame(listed: list[Any]) -> Any:
    import polars as pl

    rows = [(group, hit["system"], hit["id"], hit["name"], hit["about"], hit["href"]) for group, _words, hits, _more in listed for hit in hits]
    return pl.DataFrame(rows, schema=dict.fromkeys(("group", "system", "id", "name", "about", "address"), pl.String), orient="row")


def _books(ask: Ask) -> list[Any]:
    return [hall.rulebook for name, hall in ask.place.halls.items() if name not in shelf.books()] + list(shelf.books().values())


def _shown(ask: Ask, hit: finder.Hit) -> dict[str, Any]:
    """A hit with its address, in the reader's language where the rulebook has it."""
    book = shelf.books().get(hit.system)
    name, about = hit.name, hit.about
    if hit.group == "systems" and book is not None:
        name = named(book.system.name, ask.language)
        about = f"{lw.said({code: words for code, (words, *_r) in lw.STATUSES.items()}, book.system.status, ask._)}, {book.system.jurisdiction}"
    elif hit.group == "law":
        topic, _, parameter = hit.id.partition(".")
        if book is not None:
            name = named(book.parameters[hit.id].label, ask.language) or parameter.replace("_", " ")
            about = f"{named(book.system.name, ask.language)}: {lw.said(lw.TOPICS, topic, ask._)}"
    else:
        about = about.replace("_", " ")
    addresses = {
        "systems": f"/{hit.id}",
        "participants": f"/{hit.system}/participants/{hit.id}",
        "installations": f"/{hit.system}/installations/{hit.id}",
        "accounts": f"/{hit.system}/transactions",
        "instruments": f"/{hit.system}/market/{hit.id}",
        "auctions": f"/{hit.system}/auctions/{hit.id}",
        "law": f"/{hit.system}/law/{hit.id.replace('.', '/', 1)}",
    }
    href = ask.url(addresses[hit.group], **({"account": hit.id} if hit.group == "accounts" else {}))
    return {"system": hit.system, "id": hit.id, "name": name, "about": about, "href": href}
