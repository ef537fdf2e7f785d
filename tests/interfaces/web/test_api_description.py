"""The description is what the server does: every answer documented, no fault for whatever is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from api_market import PARTICIPANTS, PERSONAS, SYSTEM, Api, api, server
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import CHECKS

SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]
WANTED = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")
EXAMPLES = 4
WHO = ("admin", "anna", "mill", "venue", "vera")


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with api(tmp_path_factory.mktemp("description")) as found:
        yield found


def test_every_operation_says_what_it_is(there: Api) -> None:
    found = there.get("/openapi.json").json()
    assert found["openapi"].startswith("3.1")
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            assert operation["description"], f"{method} {path}"
            assert operation["tags"], f"{method} {path}"
            answers = operation["responses"]
            assert {"400", "401", "403", "404", "422", "429", "503"} <= set(answers), f"{method} {path}"
            assert any(status.startswith("2") for status in answers), f"{method} {path}"
            assert ("security" in operation) and (operation["security"] or "public" in operation["x-roles"]), f"{method} {path}"
            if method == "post" and "/webhooks" not in path and not path.endswith(("/ask", "/preview")):
                assert "Idempotency-Key" in {one["name"] for one in operation["parameters"]}, path


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with server(tmp_path_factory.mktemp("walked")) as found:
        yield found


def test_whatever_is_sent_is_answered_as_described(running: Any) -> None:
    """Bodies, parameters and keys by their schemas, to every endpoint, as somebody who may use it."""
    world, address = running
    description = httpx.get(f"{address}/api/v1/openapi.json").json()
    schema = schemathesis.openapi.from_dict(description)
    checks = [CHECKS.get_one(name) for name in WANTED]
    asked: list[int] = []
    faults: list[str] = []
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path.endswith("/stream"):
            continue
        roles = description["paths"][operation.path][operation.method]["x-roles"]
        headers = world.headers(next((name for name in WHO if there_is(name, roles)), ""))

        def run(case: schemathesis.Case) -> None:
            case.path_parameters = {**(case.path_parameters or {}), **{name: SYSTEM for name in ("system", "name") if f"{{{name}}}" in case.path}}
            response = case.call(headers=headers, base_url=address)  # noqa: B023
            asked.append(response.status_code)
            case.validate_response(response, checks=checks)

        bounds = settings(max_examples=EXAMPLES, database=None, deadline=None, suppress_health_check=SLOW, phases=[Phase.generate], derandomize=True)
        try:
            bounds(given(case=operation.as_strategy())(run))()
        except Exception as error:  # all endpoints are walked, and all faults told
            faults.append(f"{operation.method.upper()} {operation.path}: {str(error)[:1_500]}")
    assert not faults, "\n\n".join(faults)
    assert len(asked) > 150 and {200, 422} <= set(asked)


def there_is(persona: str, roles: list[str]) -> bool:
    who, _ = PERSONAS[persona]
    return PARTICIPANTS.get(who, who) in roles


def test_the_manual_lists_every_endpoint(there: Api) -> None:
    text = there.client.get("/api").text
    for path in there.get("/openapi.json").json()["paths"]:
        assert path in text, path
    assert "Idempotency-Key" in text and "curl" in text and "client.send" in text
    assert "cdn" not in text.lower()


def test_the_page_of_problems_has_every_name(there: Api) -> None:
    from tonne.administration.refusals import REFUSALS

    for prefix in ("", "/zh-Hans", "/zh-Hant"):
        text = there.client.get(f"{prefix}/api/problems").text
        assert all(f'id="{name}"' in text for name in REFUSALS)


def test_examples_in_the_description_are_taken(there: Api) -> None:
    """The example of an order is one that the server reads: it is refused for its account, not for its form."""
    operation = there.get("/openapi.json").json()["paths"]["/api/v1/{system}/orders"]["post"]
    example = operation["requestBody"]["content"]["application/json"]["examples"]["one"]["value"]
    answer = there.post(f"/{SYSTEM}/orders", json.loads(json.dumps(example)), "anna")
    assert answer.json()["name"] == "unknown_account"
