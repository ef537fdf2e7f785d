"""One box for everything: systems, participants, installations, accounts, instruments, auctions, figures of the law. Ten of each at most.

Every word must be found. Letters count without their case and accents, wide ones as narrow; Chinese is found as it is written, in either script where
the rulebook has both. One pass over each list.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

import polars as pl

from tonne.administration.state import State
from tonne.interfaces.views.cache import Cache
from tonne.interfaces.views.participants import participants, register
from tonne.law import Rulebook

GROUPS = ("systems", "participants", "installations", "accounts", "instruments", "auctions", "law")
#: A text longer than this, and words beyond so many, are not looked for.
LONGEST, WORDS = 100, 6
#: Kinds of accounts whose ids are public.
PUBLIC_ACCOUNTS = ("operator", "trading", "auction", "stability_reserve", "surrendered", "cancelled", "invalidated", "total_quantity", "issuance")


@dataclass(frozen=True)
class Hit:
    """group: one of GROUPS; system: where; id: what the page's address carries; name: what it is called; about: one more fact (a sector, a value's
    unit, a day)."""

    group: str
    system: str
    id: str
    name: str
    about: str


@dataclass(frozen=True)
class Hits:
    """hits: by group, best first, at most `limit` a group; more: groups of which there are more."""

    text: str
    hits: Mapping[str, tuple[Hit, ...]]
    more: tuple[str, ...]


def folded(text: str) -> str:
    """A text for comparing: compatibility forms, no accents, no case, blanks as one."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text))
    return " ".join("".join(letter for letter in plain if not unicodedata.combining(letter)).casefold().split())


def search(
    text: str,
    today: date,
    *,
    books: Iterable[Rulebook] = (),
    state: State | None = None,
    limit: int = 10,
    groups: Iterable[str] = GROUPS,
    cache: Cache | None = None,
) -> Hits:
    """What a text is found in: of rulebooks (systems and law) and of a market. Nothing for a text without a letter or digit."""
    asked = folded(text[:LONGEST])
    words = asked.split()[:WORDS]
    if not any(letter.isalnum() for letter in asked):
        return Hits(text, {}, ())
    cache = cache or Cache()
    listed = list(books)
    if state is not None and all(book.system.id != state.rulebook.system.id for book in listed):
        listed.append(state.rulebook)
    wanted = set(groups)
    found: dict[str, tuple[Hit, ...]] = {}
    more = []
    for group in GROUPS:
        if group not in wanted:
            continue
        rows = _candidates(group, listed, state, cache)
        best = _best(group, rows, asked, words, limit + 1)
        if best:
            found[group] = tuple(best[:limit])
        if len(best) > limit:
            more.append(group)
    return Hits(text, found, tuple(more))


def _candidates(group: str, books: list[Rulebook], state: State | None, cache: Cache) -> list[pl.DataFrame]:
    """Frames with system, id, name, about, hay (all that is looked through, folded)."""
    if group == "systems":
        return [cache.get(("find systems", book.system.id), (book,), partial(_systems, book)) for book in books]
    if group == "law":
        return [cache.get(("find law", book.system.id), (book,), partial(_law, book)) for book in books]
    if state is None:
        return []
    system = state.rulebook.system.id
    if group in ("participants", "installations"):
        make = _participants if group == "participants" else _installations
        depends: tuple[Any, ...] = (state.installations, len(state.accounts), state.participants)
        return [cache.get(("find", group), depends, lambda: make(state, system, cache))]
    if group == "accounts":
        return [cache.get("find accounts", (len(state.accounts), state.participants), lambda: _accounts(state, system))]
    if group == "instruments":
        rows = [(one["code"], one["code"], one["kind"], f"{one['code']} {one['contract']} {one['kind']}") for one in state.exchange.listed]
        return [_frame(system, rows)]
    sales = [(name, name, sale["held_on"], name) for name, sale in state.exchange.sales.items()]
    return [_frame(system, sales + [(name, name, "", name) for name in state.exchange.auctioned])]


def _frame(system: str, rows: Iterable[tuple[str, str, str, str]]) -> pl.DataFrame:
    """id, name, about, and the text to look through of each."""
    schema = {"id": pl.String, "name": pl.String, "about": pl.String, "hay": pl.String}
    told = [(key, name, about, f"{folded(key)}\n{folded(text)}") for key, name, about, text in rows]
    return pl.DataFrame(told, schema=schema, orient="row").with_columns(system=pl.lit(system))


def _systems(book: Rulebook) -> pl.DataFrame:
    s = book.system
    text = " ".join([*s.name.values(), s.jurisdiction, s.unit_name, s.unit_code, s.summary])
    return _frame(s.id, [(s.id, s.name.get("en", s.id), s.status, text)])


def _law(book: Rulebook) -> pl.DataFrame:
    rows = [
        (path, one.label.get("en", path), one.unit, " ".join([*one.label.values(), path.replace("_", " ").replace(".", " ")]))
        for path, one in book.parameters.items()
    ]
    return _frame(book.system.id, rows)


def _participants(state: State, system: str, cache: Cache) -> pl.DataFrame:
    rows = participants(state, cache=cache).iter_rows(named=True)
    return _frame(system, [(row["participant"], row["name"], row["role"], row["name"]) for row in rows])


def _installations(state: State, system: str, cache: Cache) -> pl.DataFrame:
    names = ("name", "operator_name", "permit", "registry_account", "sector", "country")
    rows = register(state, cache).iter_rows(named=True)
    return _frame(system, [(row["installation"], row["name"], row["sector"] or "", " ".join(row[n] or "" for n in names)) for row in rows])


def _accounts(state: State, system: str) -> pl.DataFrame:
    register_ = state.accounts
    each = zip(register_.ids, register_.kinds, register_.holders, strict=True)
    return _frame(system, [(name, name, kind, holder) for name, kind, holder in each if kind in PUBLIC_ACCOUNTS])


def _best(group: str, frames: list[pl.DataFrame], asked: str, words: list[str], most: int) -> list[Hit]:
    """Rows in which every word is found: an id that is the text, one that begins so, a name that begins so, a word that does, the rest; of each the
    ids in their order."""
    found: list[tuple[int, str, dict[str, Any]]] = []
    hay = pl.col("hay")
    signs = (hay.str.starts_with(f"{asked}\n"), hay.str.starts_with(asked), hay.str.contains(f"\n{asked}", literal=True))
    rank = pl.lit(4)
    for place, sign in reversed(list(enumerate([*signs, hay.str.contains(f" {asked}", literal=True)]))):
        rank = pl.when(sign).then(place).otherwise(rank)
    for frame in frames:
        if not frame.height:
            continue
        rows = frame.filter(*(hay.str.contains(word, literal=True) for word in words)).with_columns(rank=rank).sort("rank", "id").head(most)
        found += [(row["rank"], row["id"], row) for row in rows.iter_rows(named=True)]
    found.sort(key=lambda one: one[:2])
    return [Hit(group, row["system"], row["id"], row["name"], row["about"]) for _, _, row in found[:most]]
