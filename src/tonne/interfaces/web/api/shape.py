"""JSON schemas of what views give out, read off their own declarations: the description cannot differ from what is sent."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import polars as pl

Schema = dict[str, Any]
_PLAIN: dict[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    float: {"type": "number"},
    Decimal: {"type": "string", "description": "an exact decimal, as text"},
    Fraction: {"type": "string", "description": "an exact fraction, as text"},
    date: {"type": "string", "format": "date"},
    datetime: {"type": "string", "format": "date-time"},
    time: {"type": "string"},
    NoneType: {"type": "null"},
    bytes: {"type": "string", "description": "hexadecimal"},
    Any: {},
    pl.DataFrame: {"type": "array", "items": {"type": "object"}},
}


def of(kind: Any) -> Schema:
    """The schema of a type: dataclasses by their fields, tuples and lists as arrays, mappings as objects, Polars frames as lists of rows."""
    if kind in _PLAIN:
        return dict(_PLAIN[kind])
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return {"anyOf": [of(one) for one in inner]}
    if origin in (tuple, list, set, frozenset):
        return {"type": "array", "items": of(inner[0]) if inner and not (origin is tuple and inner[-1] is not Ellipsis) else {}}
    if kind in (dict, Mapping) or (isinstance(origin, type) and issubclass(origin, Mapping)):
        return {"type": "object", "additionalProperties": of(inner[1]) if inner else {}}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return of(type(next(iter(kind)).value))
    if is_dataclass(kind):
        hints = get_type_hints(kind, vars(sys.modules[kind.__module__]))  # type: ignore[arg-type]
        shown = [field.name for field in fields(kind) if field.repr]
        about = (kind.__doc__ or "").strip()
        return {"type": "object", "properties": {name: of(hints[name]) for name in shown}, "required": shown, "description": about}
    return {}


def of_column(kind: Any) -> Schema:
    """A cell of a table; any may be empty."""
    if kind == pl.String:
        found = _PLAIN[str]
    elif kind == pl.Boolean:
        found = _PLAIN[bool]
    elif kind == pl.Decimal:
        found = _PLAIN[Decimal]
    elif kind == pl.Date:
        found = _PLAIN[date]
    elif kind == pl.Datetime:
        found = _PLAIN[datetime]
    elif kind in (pl.Float32, pl.Float64):
        found = _PLAIN[float]
    elif kind in (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt32, pl.UInt64):
        found = _PLAIN[int]
    else:
        return {}
    return {**found, "type": [found["type"], "null"]}


def of_table(columns: Mapping[str, Any]) -> Schema:
    """A page of rows."""
    row = {"type": "object", "properties": {name: of_column(kind) for name, kind in columns.items()}}
    whole = {name: {"type": "integer"} for name in ("total", "page", "pages")}
    properties = {"rows": {"type": "array", "items": row}, **whole, "as_of": {"type": "string"}}
    return {"type": "object", "properties": properties, "required": list(properties)}
