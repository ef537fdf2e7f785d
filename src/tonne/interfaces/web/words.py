"""Texts in the reader's language, by gettext: English is the key, `words/<language>.po` the translations."""

from __future__ import annotations

import gettext
import io
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

FOLDER = Path(__file__).with_name("words")
#: code in addresses and `lang` -> (own name, Babel's locale)
LANGUAGES: Mapping[str, tuple[str, str]] = {
    "en": ("English", "en"),
    "zh-Hans": ("简体中文", "zh_Hans_CN"),
    "zh-Hant": ("繁體中文", "zh_Hant_HK"),
}
DEFAULT = "en"


class Texts(gettext.GNUTranslations):
    """A language's texts. No text stays none: gettext itself would answer with the file's header."""

    def gettext(self, message: str) -> str:
        return super().gettext(message) if message else message


@cache
def translations(language: str) -> gettext.NullTranslations:
    """gettext's object for a language: what has no translation comes back in English."""
    file = FOLDER / f"{language}.po"
    if language == DEFAULT or not file.exists():
        return gettext.NullTranslations()
    with file.open("rb") as source:
        catalog = read_po(source, locale=LANGUAGES[language][1])
    made = io.BytesIO()
    write_mo(made, catalog)
    made.seek(0)
    return Texts(made)


@cache
def locale(language: str) -> Locale:
    return Locale.parse(LANGUAGES[language][1])


def best(accepted: str) -> str:
    """The language for an Accept-Language header: traditional script for Taiwan, Hong Kong, Macao."""
    for part in accepted[:500].split(","):
        tag = part.split(";")[0].strip().lower()
        if tag.startswith("zh"):
            return "zh-Hant" if any(mark in tag for mark in ("hant", "tw", "hk", "mo")) else "zh-Hans"
        if tag.startswith("en"):
            return "en"
    return DEFAULT


def N_(text: str) -> str:
    """Marks a text for translation where it stands in a table; it is translated where it is shown."""
    return text


def named(names: Mapping[str, str] | str | None, language: str) -> str:
    """A text that a rulebook gives in several languages, in the reader's or else in English."""
    if names is None:
        return ""
    if isinstance(names, str):
        return names
    return names.get(language) or names.get("en") or next(iter(names.values()), "")
