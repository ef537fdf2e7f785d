"""What all reads share: their parameters, how a view is taken and sent, how a table is paged, filtered, sorted, or sent whole as a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Literal

import polars as pl
from fastapi import Depends, Query, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import to_json

from tonne.administration.state import State
from tonne.interfaces.views.cache import Cache
from tonne.interfaces.views.found import NotFound
from tonne.interfaces.views.plain import plain
from tonne.interfaces.web import tables
from tonne.interfaces.web.api import shape
from tonne.interfaces.web.api.shared import COMMON, WHOLE
from tonne.interfaces.web.app import ask_of
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.place import Hall
from tonne.interfaces.web.problems import Problem, not_found
from tonne.law import LawError

PAGE_MOST = 10**9
FORMS = {"text/csv": "csv", "application/vnd.apache.parquet": "parquet"}


async def _read(ask: Annotated[Ask, Depends(ask_of)]) -> Ask:
    """A request whose parameters each stand once in its address. Raises Problem 400."""
    assert ask.query is not None
    return ask


#: What reads take as their first argument.
Read = Annotated[Ask, Depends(_read)]


def _digits(value: Any) -> Any:
    if isinstance(value, str):
        if not WHOLE.fullmatch(value):
            raise ValueError("a whole number")
        return int(value)
    return value


def whole(least: int, most: int) -> Any:
    """A whole number of an address."""
    return Annotated[int, BeforeValidator(_digits), Field(ge=least, le=most), WithJsonSchema({"type": "integer", "minimum": least, "maximum": most})]


YearOf = whole(1990, 2200)
Text = Annotated[str, Field(min_length=1, max_length=200)]


class Given(BaseModel):
    """Parameters of an address. One that nobody knows is an error: a filter that is misspelt would otherwise show everything."""

    model_config = ConfigDict(extra="forbid")


class Paging(Given):
    """How a list is cut, ordered and written."""

    page: whole(1, PAGE_MOST) = Field(1, description="from 1")  # type: ignore[valid-type]
    per_page: whole(1, tables.PER_PAGE_MOST) = Field(tables.PER_PAGE, description="rows of a page; at most 500")  # type: ignore[valid-type]
    sort: Annotated[str, Field(max_length=60)] | None = Field(None, description="a column; with - before it, the largest first")
    format: Literal["json", "csv", "parquet"] | None = Field(None, description="csv and parquet hold all rows; or say so by Accept")


class Days(Paging):
    """A list whose rows have days."""

    first: date | None = Field(None, description="first day")
    last: date | None = Field(None, description="last day")


Paged = Annotated[Paging, Query()]


# -- how reads are described


def gives(kind: Any, *, example: Any = None) -> dict[str, Any]:
    """What an endpoint answers: a view's type."""
    return _answers({"application/json": {"schema": shape.of(kind), **({"example": example} if example is not None else {})}})


def lists(columns: Mapping[str, Any]) -> dict[str, Any]:
    """What an endpoint answers: pages of a table, or all of it as a file."""
    file = {"schema": {"type": "string", "format": "binary"}}
    return _answers({"application/json": {"schema": shape.of_table(columns)}, "text/csv": file, "application/vnd.apache.parquet": file})


def _answers(content: dict[str, Any]) -> dict[str, Any]:
    return {"responses": {**COMMON, 200: {"description": "found", "content": content}}, "response_class": Response}


# -- views


def kept(hall: Hall) -> Cache:
    """What views of this market keep between two requests."""
    found: Cache = hall.cache.setdefault("views", Cache())
    return found


def seen(ask: Ask, make: Callable[[State, Cache], Any]) -> Any:
    """A view, taken under the market's gate. Raises Problem 404 for what the view does not find, 409 for what the law has no figure for."""
    market = ask.market
    cache = kept(market)
    try:
        with market.read() as state:
            return make(state, cache)
    except NotFound as missing:
        raise not_found(str(missing), missing.near) from None
    except LawError as error:
        raise Problem(409, "not_in_force", str(error)) from None


def shown(ask: Ask, make: Callable[[State, Cache], Any], about: str = "") -> Response:
    """A view as JSON. about: what stands in the trail, for what is not public."""
    value = seen(ask, make)
    if about:
        ask.record("view", about, "shown")
    return as_json(value)


def as_json(value: Any, status: int = 200) -> Response:
    return Response(to_json(plain(value)), status, {"cache-control": "no-store"}, "application/json")


# -- tables


def page_of(ask: Ask, name: str, frame: pl.DataFrame, given: Paging, filters: Sequence[pl.Expr] = (), about: str = "") -> Response:
    """The rows that the address asks for: a page of them as JSON, or all as CSV or Parquet."""
    if filters:
        frame = frame.filter(*filters)
    if given.sort:
        by = given.sort.removeprefix("-")
        if by not in frame.columns:
            raise Problem(400, "malformed", f"rows are not sorted by {by[:40]!r}; choose {', '.join(frame.columns)}")
        frame = frame.sort(by, descending=given.sort.startswith("-"), nulls_last=True, maintain_order=True)
    form = given.format or _accepted(ask)
    if form in ("csv", "parquet"):
        ask.record("export", name, "done")
        return ask.attachment(tables.file_bytes(frame, form), f"{name}.{form}", tables.TYPES[form])
    if about:
        ask.record("view", about, "shown")
    pages = max(1, -(-frame.height // given.per_page))
    rows = frame.slice((given.page - 1) * given.per_page, given.per_page)
    return as_json({"rows": rows, "total": frame.height, "page": given.page, "pages": pages, "as_of": ask.as_of})


def _accepted(ask: Ask) -> str:
    accept = ask.request.headers.get("accept", "").partition(",")[0].partition(";")[0].strip().lower()
    return FORMS.get(accept, "json")


def same(given: BaseModel, *names: str) -> list[pl.Expr]:
    """Filters by equality, for those parameters that were given."""
    values = {name: getattr(given, name) for name in names}
    return [pl.col(name) == value for name, value in values.items() if value is not None]


def between(given: Days, column: str = "day") -> list[pl.Expr]:
    edges = []
    if given.first is not None:
        edges.append(pl.col(column) >= given.first)
    if given.last is not None:
        edges.append(pl.col(column) <= given.last)
    return edges


def holding(text: str | None, *columns: str) -> list[pl.Expr]:
    """Rows that hold a text in one of the columns, in any case. No pattern: the text is looked for as it is."""
    if not text:
        return []
    return [pl.any_horizontal(pl.col(name).str.to_lowercase().str.contains(text.lower(), literal=True) for name in columns)]


def frame_of(rows: Sequence[Any], columns: Mapping[str, Any] | None = None) -> pl.DataFrame:
    """Views that are tuples of small records, as a table."""
    return pl.DataFrame(plain(list(rows)), schema=columns, infer_schema_length=None) if rows or columns else pl.DataFrame()
