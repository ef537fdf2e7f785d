"""A first rulebook for somebody who has none: the skeleton of another system, with comments, that passes `tonne check` as it stands."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from tonne.law import LawError

ROWS = 5  # of a table by year that are carried over, at least
WIDTH = 150

TOPIC_WORDS = {
    "scope": "Who is in the system.",
    "cap": "How many units there are.",
    "allocation": "Who gets units, and for what.",
    "auction": "How units are sold.",
    "stability": "What happens when there are too many or too few, or the price runs away.",
    "obligation": "What an emitter owes, and how it may be met.",
    "credits": "Which credits count, and how many.",
    "registry": "Banking, borrowing, vintages, accounts.",
    "calendar": "When the law acts: +1 09-30 is 30 September of the year after the emissions.",
    "penalty": "What a missing unit costs.",
    "trading": "Where and how units are traded.",
    "monitoring": "How emissions are measured.",
    "statistics": "Published figures; no rule reads them.",
}


def write_starter(folder: Path, system: str, like: Any, begins: date) -> list[Path]:
    """Write the folder of a new system made like another (its rulebook, able to answer). Returns the files written.

    Chosen mechanisms and the parameters that they read are carried over, each with its newest figure, marked as the other system's and to be
    replaced. Tables by year are moved to the first years of the new one. Raises FileExistsError when the folder holds anything.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"{folder} exists already; choose another name, or --to another folder")
    files = {"system.yaml": _head(system, like, begins)}
    for topic in like.rules:
        text = _topic(topic, like, begins)
        if text:
            files[f"{topic}.yaml"] = text
    files["cases/first.yaml"] = _cases(system, like, begins)
    population = Path(like.place) / "synthetic" / "population.yaml"
    if population.is_file():  # illustration, not law: the shapes of generated installations whose sectors and products this law names
        files["synthetic/population.yaml"] = population.read_text(encoding="utf-8")
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in files]


def _head(system: str, like: Any, begins: date) -> str:
    s = like.system
    name = system.replace("-", " ").title()
    code = f", code: {_yaml(s.unit_code)}" if s.unit_code != s.unit_name else ""
    return f"""\
# Who the system is. Every key is explained in docs/write-a-rulebook.md; `tonne check` says what is wrong, where, and what to do.
id: {system}                      # small letters, digits and hyphens; the folder's name
name: {{en: {name}, zh-Hans: {name}, zh-Hant: {name}}}   # replace by the names in the languages you need; en is enough
status: under_development        # in_force | under_development | under_consideration | ended
design: {s.design}
begins: {begins}               # the first day with any law; asking about an earlier day is an error
unit: {{name: {_yaml(s.unit_name)}{code}, measure: {s.measure}}}
currency: {s.currency}                    # ISO code; every price of the law is in it
jurisdiction: {name}             # replace by where the law holds
time_zone: {s.time_zone}
summary: Replace this by one or two sentences. Made like {s.id}; every figure is still that system's own.
"""


def _topic(topic: str, like: Any, begins: date) -> str:
    from tonne.administration.soundness import CLERKS_OWN
    from tonne.rules import mechanisms

    chosen = [name for name in like.rules.get(topic, ())]
    needed = [p for path, p in like.parameters.items() if path.startswith(f"{topic}.") and (not p.informative or path in CLERKS_OWN)]
    kept = [(p, _content(p, like, begins)) for p in needed]
    if not chosen and not kept:
        return ""
    lines = [f"# {TOPIC_WORDS.get(topic, topic)}"]
    known = mechanisms()
    for name in chosen:
        answers = ", ".join(known[name])
        lines += _comment(f"{name} answers {answers}: {next(iter(known[name].values())).summary}")
    lines.append(f"rules: [{', '.join(chosen)}]")
    if kept:
        lines.append("parameters:")
    for parameter, content in kept:
        lines += _parameter(parameter, content, like, begins)
    return "\n".join(lines) + "\n"


def _parameter(parameter: Any, content: Any, like: Any, begins: date) -> Iterator[str]:
    label = parameter.label.get("en") or next(iter(parameter.label.values()), "")
    yield f"  {parameter.path.partition('.')[2]}:"
    yield f"    label: {_yaml(label)}"
    yield f"    unit: {parameter.unit}"
    if parameter.by:
        yield f"    by: {parameter.by}"
    yield "    values:"
    yield f"      - from: {begins}"
    yield from _entry(content)
    yield f"        source: carried over from {like.system.id}; replace the figure and name your own law here"
    yield "        confidence: recall"


def _entry(content: Any) -> Iterator[str]:
    if isinstance(content, Mapping):
        yield "        value:"
        for key, value in content.items():
            yield f"          {_yaml(key)}: {_yaml(value)}"
    else:
        yield f"        value: {_yaml(content)}"


def _newest(parameter: Any, like: Any) -> Any:
    """The newest figure that is law (or that a scenario laid over it makes law); of one that is nowhere law yet, the newest proposed."""
    in_law = like.includes_proposed or any(v.status != "proposed" for v in parameter.values)
    return parameter.at(date.max, None, like.includes_proposed or not in_law)


def _content(parameter: Any, like: Any, begins: date) -> Any:
    """The newest figure of a parameter, moved to the new system's years; None where it was repealed."""
    content = _newest(parameter, like)
    if content is None and parameter.by is not None:  # a table that was repealed as a whole: its last rows still show its form
        content = next((v.content for v in reversed(parameter.values) if v.content is not None), None)
    if not isinstance(content, Mapping):
        if parameter.unit == "year" and isinstance(content, list) and content:
            return [year - min(content) + begins.year for year in content]
        return begins.year if parameter.unit == "year" and isinstance(content, int) else content
    if parameter.by == "year":
        return _moved(parameter, {k: v for k, v in content.items() if v is not None}, _reference(like), begins.year)
    years = [match.group(1) for key in content if (match := _YEAR_FIRST.match(str(key)))]
    if len(years) == len(content) and years:  # rows like `2024 power`: those of the newest year
        return {f"{begins.year}{str(key)[4:]}": value for key, value in content.items() if str(key).startswith(max(years))}
    return content


_YEAR_FIRST = re.compile(r"(\d{4})\b")


def _reference(like: Any) -> int | None:
    """The year of the other system that becomes the first of the new one: that with which its last whole period begins; None where it has none."""
    from tonne.simulation.periods import whole_period

    try:
        return whole_period(like, datetime.now().astimezone().date())[0]
    except (LawError, ValueError):
        return None


def _moved(parameter: Any, table: Mapping[int, Any], reference: int | None, first: int) -> dict[int, Any] | None:
    """A table's rows from a year of reference on, moved to the years from `first` on; all tables of a law by the same number of years.

    What holds in the year of reference because an earlier row says so is written for the first year. Where no row is that late, the last row is.
    What is counted in years itself, as the end of a period or a vintage, moves with its key.
    """
    years = sorted(table)
    if not years:
        return None
    start = reference if reference is not None else max(years[-1] - ROWS + 1, years[0])
    begun = [year for year in years if year <= start]
    kept = {start: table[begun[-1]]} if begun else {}
    kept |= {year: table[year] for year in years if start <= year < start + 2 * ROWS}
    if not kept:
        kept = {start: table[years[0]]}
    by = first - start
    in_years = parameter.unit == "year"
    return {year + by: value + by if in_years and isinstance(value, int) else value for year, value in kept.items()}


def _cases(system: str, like: Any, begins: date) -> str:
    head = f"""\
# Numbers that this law must reproduce: `tonne check {system} --cases` runs them. Ask for whatever the mechanisms answer (`tonne asks {system}`).
# A case stands on a source. Until you have one for a figure, it is an illustration and says so.
"""
    calendar = like.parameters.get("calendar.agenda")
    agenda = (_newest(calendar, like) or {}) if calendar is not None else {}
    if not agenda:
        return head + "[]\n"
    task, rule = next(((task, rule) for task, rule in agenda.items() if task == "surrender"), next(iter(agenda.items()), ("", "")))
    return f"""{head}- name: the day of {task} is the one that the calendar says     # write it as a sentence of law
  on: {begins}
  value: calendar.agenda
  key: {task}
  expect: {_yaml(rule)}
  kind: illustration               # published | edge | story | illustration
  source: the starter itself; replace it by a published figure
  confidence: recall
"""


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH - 2, initial_indent="# ", subsequent_indent="#   ")


def _yaml(value: Any) -> str:
    """A plain value as YAML in one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, (int, Decimal)):
        return f"{value:f}" if isinstance(value, Decimal) else str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_yaml(k)}: {_yaml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_yaml(v) for v in value) + "]"
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
