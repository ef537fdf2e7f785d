"""Collects every text of the pages into `words/<language>.po`: `python -m tonne.interfaces.web.words_build`. Translations stay, new texts are empty.

What is lacking a translation is counted; a test holds that nothing is. The files hold no dates and no places, and are sorted: collected again
without a change, they stay as they are.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from tonne.administration.refusals import REFUSALS
from tonne.interfaces.web.words import DEFAULT, FOLDER, LANGUAGES
from tonne.people.errors import REFUSALS as PEOPLES
from tonne.people.outbox import LETTERS

KEYWORDS = {"_": None, "N_": None, "say": None, "gettext": None, "ngettext": (1, 2)}
METHODS = [("**/templates/**.html", "jinja2.ext.babel_extract"), ("**.py", "python")]
OPTIONS = {"**/templates/**.html": {"newstyle_gettext": "true", "trimmed": "true", "extensions": "jinja2.ext.i18n,jinja2.ext.do"}}
#: Babel's own header asks for dates and authors; this one is all that a reader of the file needs.
HEADER = """\
# The texts of the pages in {own}. Collected by `python -m tonne.interfaces.web.words_build`.
msgid ""
msgstr ""
"Project-Id-Version: tonne\\n"
"Language: {locale}\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""


def collected() -> Catalog:
    """Every text of pages, refusals and letters."""
    catalog = Catalog(project="tonne", version="1", charset="utf-8", fuzzy=False)
    here = Path(__file__).parent
    for file, _line, message, comments, context in extract_from_dir(here, METHODS, OPTIONS, KEYWORDS):
        catalog.add(message, None, [(file, 0)], auto_comments=comments, context=context)
    for name, text in _refusals():
        catalog.add(text, None, [(f"refusal {name}", 0)])
    for kind, texts in LETTERS.items():
        for text in texts:
            catalog.add(text, None, [(f"letter {kind}", 0)])
    return catalog


def _refusals() -> Iterator[tuple[str, str]]:
    yield from REFUSALS.items()
    yield from PEOPLES.items()


def translated(language: str) -> dict[str, str]:
    """English text (of a text with a plural, its singular) -> what stands for it in the language's file; an empty string where nothing does yet."""
    file = FOLDER / f"{language}.po"
    if not file.exists():
        return {}
    with file.open("rb") as source:
        known = read_po(source, locale=LANGUAGES[language][1])
    return {_key(message.id): _key(message.string) for message in known if message.id}


def _key(texts: object) -> str:
    return str(texts[0]) if isinstance(texts, (tuple, list)) else str(texts)


def lacking(language: str, texts: Catalog) -> list[str]:
    """Texts without a translation, in one language."""
    known = translated(language)
    return [_key(message.id) for message in texts if message.id and not known.get(_key(message.id))]


def written(language: str, texts: Catalog, translations: Mapping[str, str]) -> bytes:
    """The language's file: every text with its translation, in the order of the English."""
    own, locale = LANGUAGES[language]
    catalog = Catalog(locale=locale, charset="utf-8", fuzzy=False)
    for message in texts:
        if message.id:
            there = translations.get(_key(message.id), "")
            catalog.add(message.id, (there,) if isinstance(message.id, (tuple, list)) else there)
    made = io.BytesIO()
    write_po(made, catalog, width=0, omit_header=True, sort_output=True, no_location=True)
    return HEADER.format(own=own, locale=locale).encode() + made.getvalue()


def main() -> None:
    texts = collected()
    FOLDER.mkdir(exist_ok=True)
    for language in LANGUAGES:
        if language != DEFAULT:
            (FOLDER / f"{language}.po").write_bytes(written(language, texts, translated(language)))
            sys.stdout.write(f"{language}: {len(list(texts)) - 1} texts, {len(lacking(language, texts))} not translated\n")


if __name__ == "__main__":
    main()
