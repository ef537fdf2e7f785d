"""Templates: how numbers, money, days and addresses are written, in every language alike. Figures are never abbreviated and never invented."""

from __future__ import annotations

import json
from datetime import date, datetime, tzinfo
from decimal import Decimal
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from babel.dates import format_date, get_timezone_name
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from tonne.interfaces.web import words
from tonne.units import decimals_of

HERE = Path(__file__).parent
THIN = "\u202f"  # narrow, and no line breaks at it
NOTHING = "\u2013"


def quantity(number: int | None, reason: str = "") -> str | Markup:
    """Whole units, grouped by thin spaces; a dash, with the reason on focus, where there is none."""
    if number is None:
        return missing(reason)
    return f"{number:,}".replace(",", THIN).replace("-", "\u2212")


def missing(reason: str = "") -> str | Markup:
    return Markup('<span class="missing" tabindex="0" title="{}">{}</span>').format(reason, NOTHING) if reason else NOTHING


def decimal_text(value: Decimal) -> str:
    whole, dot, part = f"{abs(value):f}".partition(".")
    return ("\u2212" if value < 0 else "") + quantity(int(whole)) + (dot + part if dot else "")  # type: ignore[operator]


def money(minor: int | None, currency: str, reason: str = "") -> str | Markup:
    """Minor units as money, the currency's code before it."""
    if minor is None:
        return missing(reason)
    places = decimals_of(currency)
    sign, whole = ("\u2212", -minor) if minor < 0 else ("", minor)
    units, rest = divmod(whole, 10**places)
    part = f".{rest:0{places}d}" if places else ""
    return f"{currency}\u00a0{sign}{f'{units:,}'.replace(',', THIN)}{part}"


def price(value: Decimal | str | None, currency: str = "", reason: str = "") -> str | Markup:
    if value is None or value == "":
        return missing(reason)
    text = decimal_text(Decimal(value))
    return f"{currency}\u00a0{text}" if currency else text


def percent(value: Any) -> str:
    return NOTHING if value is None else f"{Decimal(str(value)) * 100:.1f}{THIN}%"


def day(value: date | str | None, language: str = "en", weekday: bool = False) -> str:
    """2026-09-30, or Wed 2026-09-30 for a deadline."""
    if value is None or value == "":
        return NOTHING
    value = date.fromisoformat(value) if isinstance(value, str) else value
    iso = value.isoformat() if not isinstance(value, datetime) else value.date().isoformat()
    return f"{format_date(value, 'EEE', locale=words.locale(language))} {iso}" if weekday else iso


def moment(value: datetime | str | None, seconds: bool = False, zone: tzinfo | None = None) -> str:
    """2026-09-30 10:00 CET: on the clock of a zone (the registry's), or as it comes."""
    if value is None or value == "":
        return NOTHING
    value = datetime.fromisoformat(value) if isinstance(value, str) else value
    if zone is not None and value.tzinfo is not None:
        value = value.astimezone(zone)
    name = get_timezone_name(value, width="short", locale="en_GB") if value.tzinfo is not None else ""
    return f"{value:%Y-%m-%d %H:%M:%S} {name}".strip() if seconds else f"{value:%Y-%m-%d %H:%M} {name}".strip()


def address(prefix: str, path: str, **query: Any) -> str:
    """An address of ours in the reader's language."""
    asked = urlencode({name: value for name, value in query.items() if value not in (None, "")}, doseq=True)
    joined = "&" if "?" in path else "?"
    return f"{prefix}{path}{joined + asked if asked else ''}"


@cache
def manifest() -> dict[str, str]:
    """Built files: name -> name with its hash. Empty before they are built."""
    file = HERE / "assets" / "manifest.json"
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else {}


def asset(name: str) -> str:
    """Raises KeyError for a file that is not built: pages without their looks are a fault of the installation."""
    return f"/assets/{manifest()[name]}"


@cache
def picture(name: str, extra: str = "") -> Markup:
    """One of the pictures in icons.svg, drawn some sixty times on a page. It says nothing to a screen reader: the text beside it does."""
    classes = f"icon {extra}".strip()
    return Markup('<svg class="{}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>').format(classes, asset("icons.svg"), name)


@cache
def environment(language: str) -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.install_gettext_translations(words.translations(language), newstyle=True)  # type: ignore[attr-defined]
    made.globals |= {
        "quantity": quantity,
        "money": money,
        "price": price,
        "percent": percent,
        "moment": moment,
        "day": partial(day, language=language),
        "asset": asset,
        "picture": picture,
        "named": partial(words.named, language=language),
        "lang": language,
        "missing": missing,
        "NOTHING": NOTHING,
    }
    made.filters |= {"quantity": quantity, "day": partial(day, language=language), "moment": moment}
    return made


def plain_text(value: Any) -> str:
    return str(escape(value))
