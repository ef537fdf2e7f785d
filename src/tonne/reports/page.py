"""The report: one HTML file that needs nothing else. Charts are inline, styles are inline, nothing is loaded from anywhere."""

from __future__ import annotations

import importlib.metadata
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from tonne.reports import charts, lawpage, sheets
from tonne.reports.charts import INK

if TYPE_CHECKING:
    from tonne.reports.data import RunData

TEMPLATE = "page.html"


def render(data: RunData) -> str:
    """The page as text."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    drawn, missing = charts.charts(data)
    law = lawpage.read_by_rules(data.law)
    text: str = environment.get_template(TEMPLATE).render(
        data=data,
        names=_names(data),
        yearly=sheets.yearly(data),
        charts=[(name, inline(charts.svg(picture), name), charts.spec(picture)) for name, picture in drawn.items()],
        missing=missing,
        statement=sheets.statement(data),
        explanations=sheets.explanations(data),
        unexplained=int((data.statement["unexplained"] != 0).sum()),
        compliance=sheets.compliance(data),
        sectors=sheets.sectors(data),
        flows=sheets.flows(data),
        money=sheets.money(data),
        auctions=sheets.auctions(data),
        law=law,
        confidences=lawpage.confidences(law),
        version=_version(),
    )
    return text


def write(path: str | os.PathLike[str], data: RunData) -> Path:
    """Write the page and give its path back. A report of that name is replaced; the file is there complete or not at all.

    Raises FileNotFoundError for a folder that is not there.
    """
    target = Path(path)
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{target}: there is no folder {target.parent}")
    text = render(data)
    draft = target.with_name(f".{target.name}.{os.getpid()}.draft")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(target)
    except OSError as error:
        # A full disk names no file, and the draft's name says nothing to anybody.
        raise OSError(error.errno, error.strerror, str(target)) from error
    finally:
        draft.unlink(missing_ok=True)
    return target


def inline(picture: str, name: str) -> str:
    """An SVG for use inside a page: text in the page's own colour, ids that no other picture has."""
    picture = re.sub(r'\bid="', f'id="{name}-', picture)
    picture = re.sub(r"url\((['\"]?)#", rf"url(\1#{name}-", picture)
    picture = re.sub(r'(xlink:href|href)="#', rf'\1="#{name}-', picture)
    return picture.replace(INK, "currentColor")


def _names(data: RunData) -> list[tuple[str, str]]:
    """(language, name), English first, no name twice."""
    names = data.system.name
    ordered = [language for language in lawpage.LANGUAGES if language in names] + [n for n in names if n not in lawpage.LANGUAGES]
    found: dict[str, str] = {}
    for language in ordered:
        if names[language] not in found.values():
            found[language] = names[language]
    return list(found.items())


def _version() -> str:
    try:
        return importlib.metadata.version("tonne")
    except importlib.metadata.PackageNotFoundError:
        return ""
