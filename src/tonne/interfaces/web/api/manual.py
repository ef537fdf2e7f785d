"""The API in words: its OpenAPI description, a page of all endpoints with examples, and one of all names of refusals."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from fastapi import FastAPI, Response
from fastapi.openapi.utils import get_openapi
from pydantic_core import to_json

from tonne.administration.refusals import REFUSALS
from tonne.interfaces.web import problems
from tonne.interfaces.web.api.commands import verbs
from tonne.interfaces.web.api.reading import Read
from tonne.interfaces.web.api.shared import COMMON, ProblemBody, routes
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.guard import PUBLIC, REGISTER, Allow, pages
from tonne.interfaces.web.words import N_
from tonne.people import REFUSALS as OF_LOGINS

router = routes("", "description")
page_router = pages()
PROBLEM = {"schema": {"$ref": "#/components/schemas/ProblemBody"}}
#: tag -> what its endpoints are about
TAGS: dict[str, str] = {
    "law": N_("The law of every system"),
    "public": N_("What everybody may know of a market"),
    "market": N_("Instruments, prices, auctions"),
    "me": N_("Who you are here"),
    "own": N_("What your organisation has and owes"),
    "trading": N_("Orders"),
    "tasks": N_("What two persons decide"),
    "filing": N_("Reports, verifications, bids, transfers"),
    "acts": N_("Acts of the bank, the venue, the auctioneer and the administrator"),
    "commands": N_("Every other command"),
    "audit": N_("The log and the trail"),
    "stream": N_("What is new, as it comes"),
    "webhooks": N_("Calls to an address of yours"),
    "description": N_("This description"),
}


def description(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI description, made once."""
    known: dict[str, Any] | None = getattr(app.state, "description", None)
    if known is None:
        known = app.state.description = _described(app)
    return known


def _described(app: FastAPI) -> dict[str, Any]:
    found = get_openapi(
        title="tonne",
        version="1",
        description=app.description,
        routes=app.routes,
        tags=[{"name": name, "description": text} for name, text in TAGS.items()],
    )
    parts = found.setdefault("components", {})
    parts.setdefault("schemas", {})["ProblemBody"] = ProblemBody.model_json_schema(ref_template="#/components/schemas/{model}")
    parts["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer", "description": "an API key: /organisation makes them"}}
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            allow = REGISTER.allowed.get((method.upper(), path))
            operation["security"] = [] if allow is None or "public" in allow.roles else [{"key": []}]
            operation["x-roles"] = sorted(allow.roles) if allow is not None else []
            if allow is not None and allow.right:
                operation["x-right"] = allow.right
            for status, answer in operation.get("responses", {}).items():
                if status.isdigit() and int(status) >= 400:
                    answer["content"] = {"application/problem+json": PROBLEM}
                    answer["headers"] = {"X-Reference": {"schema": {"type": "string"}, "description": "say it when you ask for help"}}
            operation["responses"].pop("default", None)
    return found


@router.get(
    "/openapi.json",
    allow=PUBLIC,
    responses={**COMMON, 200: {"description": "the description", "content": {"application/json": {"schema": {"type": "object"}}}}},
    response_class=Response,
)
def openapi(ask: Read) -> Response:
    """This description, in OpenAPI 3.1."""
    return Response(to_json(description(ask.request.app)), media_type="application/json", headers={"cache-control": "public, max-age=60"})


# -- pages


@page_router.get("/api", allow=PUBLIC)
def manual(ask: Asked) -> Response:
    """All endpoints, by what they are about, with examples."""
    found = description(ask.request.app)
    base = ask.place.settings.public_url.rstrip("/") or f"{ask.request.url.scheme}://{ask.request.headers.get('host', 'localhost')}"
    system = next(iter(ask.place.halls), "SYSTEM")
    groups: dict[str, list[dict[str, Any]]] = {name: [] for name in TAGS}
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            for tag in operation.get("tags", ("description",)):
                groups.setdefault(tag, []).append(_row(found, base, system, method.upper(), path, operation))
    shown = [(ask._(TAGS.get(name, name)), name, rows) for name, rows in groups.items() if rows]
    return ask.page("api.html", groups=shown, base=base, verbs=verbs(), first=system)


def _row(found: Mapping[str, Any], base: str, system: str, method: str, path: str, operation: Mapping[str, Any]) -> dict[str, Any]:
    body = _example(found, operation)
    parameters = [_parameter(one) for one in operation.get("parameters", ()) if one["name"] not in ("system", "Idempotency-Key")]
    place = path.replace("{system}", system)
    return {
        "method": method,
        "path": path,
        "id": re.sub(r"[^a-z0-9]+", "-", f"{method} {path}".lower()).strip("-"),
        "about": " ".join(str(operation.get("description", "")).split()),
        "roles": [] if "public" in operation["x-roles"] else operation["x-roles"],
        "right": operation.get("x-right", ""),
        "parameters": parameters,
        "answers": [
            (status, answer["description"]) for status, answer in operation["responses"].items() if status.startswith("2") or status == "409"
        ],
        "curl": _curl(base, method, place, operation, body),
        "python": _python(method, place, operation, body),
    }


def _parameter(one: Mapping[str, Any]) -> dict[str, str]:
    schema = one.get("schema", {})
    kinds = [part.get("type", "") for part in schema.get("anyOf", [schema]) if part.get("type") != "null"]
    return {
        "name": one["name"],
        "in": one["in"],
        "kind": " or ".join(kind for kind in kinds if kind),
        "about": one.get("description", schema.get("description", "")),
    }


def _example(found: Mapping[str, Any], operation: Mapping[str, Any]) -> Any:
    """A body: the example that the endpoint has, or one put together from its schema's own."""
    content = operation.get("requestBody", {}).get("content", {})
    if "text/csv" in content:
        return content["text/csv"].get("example", "")
    body = content.get("application/json", {})
    for one in body.get("examples", {}).values():
        return one["value"]
    return _from_schema(found, body.get("schema", {})) if body else None


def _from_schema(found: Mapping[str, Any], schema: Mapping[str, Any], depth: int = 0) -> Any:
    if "$ref" in schema:
        schema = found["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if schema.get("examples"):
        return schema["examples"][0]
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    for part in schema.get("anyOf", schema.get("oneOf", ())):
        if part.get("type") != "null":
            return _from_schema(found, part, depth)
    kind = schema.get("type")
    if kind == "object" and depth < 4:
        needed = schema.get("required", [])
        return {name: _from_schema(found, part, depth + 1) for name, part in schema.get("properties", {}).items() if name in needed}
    if kind == "array":
        return [_from_schema(found, schema.get("items", {}), depth + 1)]
    return {"integer": 1, "boolean": True, "string": "..."}.get(str(kind))


def _curl(base: str, method: str, place: str, operation: Mapping[str, Any], body: Any) -> str:
    lines = [f"curl {'' if method == 'GET' else f'-X {method} '}{base}{place}"]
    if operation["security"]:
        lines.append('-H "Authorization: Bearer $TONNE_KEY"')
    if any(one["name"] == "Idempotency-Key" for one in operation.get("parameters", ())):
        lines.append('-H "Idempotency-Key: my-own-number-0001"')
    if isinstance(body, str):
        lines += ["-H 'Content-Type: text/csv'", "--data-binary @rows.csv"]
    elif body is not None:
        lines += ["-H 'Content-Type: application/json'", f"-d '{json.dumps(body)}'"]
    return " \\\n  ".join(lines)


def _python(method: str, place: str, operation: Mapping[str, Any], body: Any) -> str:
    rest = place.removeprefix("/api/v1")
    if method == "GET":
        return f'client.get("{rest}")'
    if isinstance(body, str):
        return f'client.send_file("{rest}", "rows.csv")'
    keyed = any(one["name"] == "Idempotency-Key" for one in operation.get("parameters", ()))
    given = f", {body!r}" if body is not None else ""
    return f'client.{"send" if keyed else "post" if method == "POST" else method.lower()}("{rest}"{given})'


@lru_cache(maxsize=1)
def _names() -> tuple[str, ...]:
    return tuple(sorted({*REFUSALS, *problems.ADVICE, *OF_LOGINS}))


@page_router.get("/api/problems", allow=PUBLIC)
def problem_page(ask: Asked) -> Response:
    """Every name under which something is refused: what it means, and what to do."""
    rows = [
        {
            "name": name,
            "title": problems.title(name, ask._),
            "meaning": REFUSALS.get(name, ""),
            "advice": problems.advice(name, ask._),
            "status": problems.status_of(name) if name in REFUSALS else None,
        }
        for name in _names()
    ]
    return ask.page("api_problems.html", rows=rows)


def allowed() -> dict[tuple[str, str], Allow]:
    return {key: allow for key, allow in REGISTER.allowed.items() if key[1].startswith("/api/")}
