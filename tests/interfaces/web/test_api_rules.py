"""What holds for every endpoint: exact numbers, keys that make nothing happen twice, no unknown fields, bounded pages, and who may what."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from api_market import PARTICIPANTS, PERSONAS, SYSTEM, Api, api

from tonne.interfaces.web.api.manual import allowed
from tonne.interfaces.web.guard import REGISTER, role_in

M = f"/{SYSTEM}"


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with api(tmp_path_factory.mktemp("rules")) as found:
        yield found


def order(**changed: Any) -> dict[str, Any]:
    return {"orders": [{"account": "anna", "instrument": "SPOT", "side": "buy", "quantity": 1, "price": "70.00"} | changed]}


# -- numbers

BAD: list[Any] = [
    0, -1, -0.0, 1.0, 1.5, 1e3, 10**18, 10**30, True, False, None, [], [1], {}, "", " ", "0", "-1", "+1", "1.0", "1.5", "1e3", "1E3", "0x10", "1_000",
    "1,000", "1 000", " 1", "1 ", "1\n", "１", "１００", "٣", "²", "½", "NaN", "Infinity", "-Infinity", "1" * 19, "one", "1;2", "1'--", "\u200b1",
]  # fmt: skip


def test_forty_bad_quantities_are_refused(there: Api) -> None:
    assert len(BAD) >= 40
    before = there.world.hall.sequence
    for value in BAD:
        answer = there.post(f"{M}/orders", order(quantity=value), "anna")
        assert answer.status_code == 422, f"{value!r}: {answer.status_code}"
        assert answer.json()["name"] == "malformed", value
        assert any("quantity" in name for name in answer.json()["fields"]), value
    assert there.world.hall.sequence == before


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "01", "1.", ".5", "--1"])
def test_what_is_no_json_is_refused(there: Api, value: str) -> None:
    body = f'{{"orders": [{{"account": "anna", "instrument": "SPOT", "side": "buy", "quantity": {value}, "price": "70.00"}}]}}'
    headers = there.world.headers("anna") | {"idempotency-key": "no-json-at-all", "content-type": "application/json"}
    assert there.client.post(f"/api/v1{M}/orders", content=body, headers=headers).status_code == 422


@pytest.mark.parametrize("value", [1, 1.5, "1e2", "-1", "", "83,60", "８３", "1" * 13, "1.123456789", None, "NaN"])
def test_bad_prices(there: Api, value: Any) -> None:
    answer = there.post(f"{M}/orders", order(price=value), "anna")
    assert answer.status_code == 422, value


@pytest.mark.parametrize(
    "given", [{"kind": "market"}, {"kind": "stop"}, {"stop": "71.00"}, {"kind": "stop_limit"}, {"lasting": "ever"}, {"post_only": 1}]
)
def test_parts_of_an_order_fit_each_other(there: Api, given: dict[str, Any]) -> None:
    assert there.post(f"{M}/orders", order(**given), "anna").status_code == 422


def test_a_quantity_may_be_text(there: Api) -> None:
    assert there.post(f"{M}/orders", order(quantity="12"), "anna").json()["outcome"] == "accepted"


# -- keys


def test_the_same_key_gives_the_same_answer(there: Api) -> None:
    first = there.post(f"{M}/orders", order(price="70.01"), "anna", key="one-key-twice").json()
    again = there.post(f"{M}/orders", order(price="70.01"), "anna", key="one-key-twice").json()
    assert again == first | {"repeated": True}
    other = there.post(f"{M}/orders", order(price="70.02"), "anna", key="one-key-twice")
    assert (other.status_code, other.json()["name"]) == (409, "exists_with_different_content")


def test_a_refusal_is_repeated_too(there: Api) -> None:
    first = there.post(f"{M}/orders", order(quantity=10**9), "anna", key="refused-twice")
    again = there.post(f"{M}/orders", order(quantity=10**9), "anna", key="refused-twice")
    assert first.json()["name"] == again.json()["name"] == "no_cover"
    assert (first.json()["sequence"], first.json()["repeated"], again.json()["repeated"]) == (again.json()["sequence"], False, True)


def test_keys_belong_to_their_participant(there: Api) -> None:
    assert there.post(f"{M}/orders", order(), "anna", key="shared-by-two").status_code == 200
    body = order(account="ben")
    assert there.post(f"{M}/orders", body, "ben", key="shared-by-two").json()["repeated"] is False


@pytest.mark.parametrize("key", ["", "short", "x" * 101, "with space", "semi;colon", "ключ-слово"])
def test_a_key_has_a_form(there: Api, key: str) -> None:
    headers = there.world.headers("anna") | ({"idempotency-key": key.encode()} if key else {})
    answer = there.client.post(f"/api/v1{M}/orders", json=order(), headers=headers)
    assert answer.status_code == 422
    answer = there.client.post(f"/api/v1{M}/commands", json={"kind": "open_account", "body": {}}, headers=headers)
    assert answer.status_code == 422


def test_a_restart_knows_the_keys(tmp_path: Path) -> None:
    with api(tmp_path) as before:
        first = before.post(f"{M}/orders", order(), "anna", key="before-the-restart").json()
        proposal = {"verb": "transfer", "body": {"from": "anna", "to": "ben", "unit": "EUA", "quantity": 1}}
        made = before.post(f"{M}/tasks", proposal, "anna", key="proposed-before").json()
        person = before.world.persons["anna"]
    with api(tmp_path) as after:
        after.world.persons["anna"] = person
        again = after.client.post(
            f"/api/v1{M}/orders", json=order(), headers=after.world.headers("anna") | {"idempotency-key": "before-the-restart"}
        ).json()
        # Another person under the same key is another wish: what was done stays done, and is not done again.
        assert again["name"] == "exists_with_different_content"
        entry = after.world.hall.entry(first["command"])
        assert entry is not None and entry.sequence == first["sequence"]
        assert after.world.hall.entry(made["command"]) is not None


# -- fields, pages, parameters


@pytest.mark.parametrize("extra", ["is_admin", "status", "owner_id", "person", "time", "by"])
def test_unknown_fields_are_named(there: Api, extra: str) -> None:
    answer = there.post(f"{M}/orders", order(**{extra: 1}), "anna")
    assert answer.status_code == 422 and any(extra in name for name in answer.json()["fields"])
    answer = there.post(f"{M}/orders", order() | {extra: 1}, "anna")
    assert answer.status_code == 422 and extra in answer.json()["fields"]


@pytest.mark.parametrize("said", ["person", "moment", "without_right"])
def test_nobody_says_who_they_are_in_a_body(there: Api, said: str) -> None:
    answer = there.post(f"{M}/commands", {"kind": "open_account", "body": {"account": "new", "kind": "trading", said: "x"}}, "anna")
    assert answer.status_code == 422 and f"body.{said}" in answer.json()["fields"]


@pytest.mark.parametrize("size", ["0", "501", str(10**9), "-1", "1e2", "fifty", "５０", "1_0"])
def test_pages_are_bounded(there: Api, size: str) -> None:
    assert there.get(f"{M}/participants", params={"per_page": size}).status_code == 422


def test_a_list_is_paged_sorted_and_filtered(there: Api) -> None:
    everybody = there.get(f"{M}/participants", params={"per_page": 500}).json()
    assert everybody["total"] == len(PARTICIPANTS)
    page = there.get(f"{M}/participants", params={"per_page": 3, "page": 2, "sort": "-participant"}).json()
    assert [row["participant"] for row in page["rows"]] == sorted(PARTICIPANTS, reverse=True)[3:6]
    traders = there.get(f"{M}/participants", params={"role": "trader"}).json()
    assert {row["participant"] for row in traders["rows"]} == {"anna", "ben"}
    assert there.get(f"{M}/participants", params={"sort": "1;drop table"}).status_code == 400
    assert there.get(f"{M}/participants", params={"page": 10**8}).json()["rows"] == []


def test_repeated_and_unknown_parameters_are_refused(there: Api) -> None:
    assert there.client.get(f"/api/v1{M}/participants?role=trader&role=operator").status_code == 400
    assert there.get(f"{M}/participants", params={"rolle": "trader"}).status_code == 422
    assert there.get(f"{M}/instruments/SPOT/book", params={"levels": 51}).status_code == 422


def test_the_same_rows_as_csv_and_parquet(there: Api) -> None:
    import io

    import polars as pl

    rows = there.get(f"{M}/participants", params={"per_page": 500}).json()["rows"]
    csv = there.get(f"{M}/participants", headers={"accept": "text/csv"})
    assert csv.headers["content-type"].startswith("text/csv") and "attachment" in csv.headers["content-disposition"]
    assert pl.read_csv(io.BytesIO(csv.content))["participant"].to_list() == [row["participant"] for row in rows]
    parquet = there.get(f"{M}/participants", params={"format": "parquet"})
    assert pl.read_parquet(io.BytesIO(parquet.content))["participant"].to_list() == [row["participant"] for row in rows]


def test_a_formula_in_a_name_is_no_formula_in_a_file(there: Api) -> None:
    body = {"participant": "evil", "name": '=HYPERLINK("http://x")', "role": "trader"}
    assert there.post(f"{M}/participants", body, "admin").status_code == 200
    text = there.get(f"{M}/participants", params={"format": "csv", "q": "evil"}).text
    assert "'=HYPERLINK" in text and '"=HYPERLINK' not in text.replace("'=HYPERLINK", "")
    PARTICIPANTS["evil"] = "trader"


def test_only_json_is_json(there: Api) -> None:
    headers = there.world.headers("anna") | {"idempotency-key": "not-a-form-at-all"}
    answer = there.client.post(f"/api/v1{M}/orders", content=b"orders=1", headers=headers | {"content-type": "application/x-www-form-urlencoded"})
    assert answer.status_code == 415
    assert there.client.put(f"/api/v1{M}/orders", json=order(), headers=headers).status_code == 405


# -- who may what


def test_a_question_to_the_law(there: Api) -> None:
    asks = there.get(f"/systems/{SYSTEM}/asks").json()["asks"]
    assert asks
    answer = there.post(f"/systems/{SYSTEM}/ask", {"question": "no_such_question"})
    assert answer.status_code == 404
    answer = there.post(f"/systems/{SYSTEM}/ask", {"question": asks[0]["ask"], "given": {"year": 2025.5}})
    assert answer.status_code == 422


def roles() -> dict[str, str]:
    return {name: role_in(who, PARTICIPANTS.get(who, ""), rights) for name, (who, rights) in PERSONAS.items()}


def test_the_matrix_of_roles(there: Api) -> None:
    """Every endpoint with every persona: who is not among its roles is turned away, and before anything is looked at."""
    known = roles()
    before = there.world.hall.sequence
    asked = 0
    for (method, path), allow in allowed().items():
        address = re.sub(r"\{\w+\}", "1", path.replace("{system}", SYSTEM))
        for persona in ["", *PERSONAS]:
            rights = set(PERSONAS[persona][1]) - {"manage"} if persona else set()
            may = "public" in allow.roles or (persona and known[persona] in allow.roles and (not allow.right or allow.right in rights))
            if may:
                continue
            headers = there.world.headers(persona) | {"idempotency-key": "matrix-of-roles"}
            answer = there.client.request(method, address, headers=headers, json={} if method == "POST" else None)
            assert answer.status_code == (403 if persona else 401), f"{persona or 'nobody'} {method} {path}: {answer.status_code}"
            asked += 1
    assert asked > 200
    assert there.world.hall.sequence == before


def test_every_route_of_the_api_says_who_may(there: Api) -> None:
    assert all(allow.roles for (_, path), allow in REGISTER.allowed.items() if path.startswith("/api/"))


@pytest.mark.parametrize("path", ["accounts/ben", "accounts/ben/statement", "accounts/ben/reserved", "accounts/ben/trusted", "accounts/nowhere"])
def test_what_is_others_is_not_there(there: Api, path: str) -> None:
    assert there.get(f"{M}/{path}", "anna").status_code == 404
    nearer = there.get(f"{M}/{path}", "anna").json()
    assert "near" not in nearer


def test_another_market_is_another_world(there: Api) -> None:
    assert there.get("/uk-ets/accounts", "anna").status_code == 404
    assert there.post("/uk-ets/orders", order(), "anna").status_code == 404


@pytest.mark.parametrize("key", ["Bearer nonsense", "Bearer tonne_aaaaaaaa_" + "A" * 43, "Basic YTpi", "Bearer"])
def test_a_key_that_is_none(there: Api, key: str) -> None:
    for method, path in (("GET", f"/api/v1{M}/accounts"), ("POST", f"/api/v1{M}/orders")):
        answer = there.client.request(method, path, headers={"authorization": key})
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


def test_a_browsers_session_goes_no_way_round_its_second_factor(there: Api) -> None:
    there.client.cookies.set("tonne", there.world.tokens["anna"])
    try:
        for path in (f"{M}/tasks", f"{M}/commands", f"{M}/orders"):
            answer = there.client.post(f"/api/v1{path}", json={"verb": "transfer"}, headers={"idempotency-key": "by-a-browser-1"})
            assert answer.status_code == 403
            assert answer.json()["name"] in ("form_expired", "not_permitted")
    finally:
        there.client.cookies.clear()


def test_initiator_is_never_approver(there: Api) -> None:
    proposal = {"verb": "transfer", "body": {"from": "anna", "to": "ben", "unit": "EUA", "quantity": 1}}
    made = there.post(f"{M}/tasks", proposal, "anna").json()["command"]
    assert there.post(f"{M}/tasks/{made}/approve", {}, "anna").status_code == 403
    assert there.post(f"{M}/tasks/{made}/approve", {}, "ben").status_code == 403
    assert there.post(f"{M}/tasks/{made}/reject", {"reason": "no"}, "anna2").json()["outcome"] == "accepted"
    admins = there.post(f"{M}/tasks", {"verb": "set_account_flags", "body": {"account": "operator:mill-2", "flags": ["BLOCKED"]}}, "admin")
    assert admins.status_code == 200
    own = there.post(f"{M}/tasks/{admins.json()['command']}/approve", {}, "admin")
    assert (own.status_code, own.json()["name"]) == (403, "own_proposal")


def test_no_name_of_a_person_is_public(there: Api) -> None:
    for path in (
        "participants",
        "installations",
        "years",
        "notices",
        "figures",
        "transactions",
        "calendar",
        "auctions/open",
        "instruments",
        "log/heads",
    ):
        text = there.get(f"{M}/{path}").text
        assert "Person " not in text and "example.org" not in text and not any(person in text for person in there.world.persons.values())


def test_a_pages_limit_holds_for_programs(tmp_path: Path) -> None:
    with api(tmp_path, orders_per_second=2, reads_per_minute=60) as slow:
        codes = [slow.post(f"{M}/orders", order(), "anna").status_code for _ in range(8)]
        assert codes[:4] == [200] * 4 and codes.count(429) >= 3
        late = slow.post(f"{M}/orders", order(), "anna")
        assert late.status_code == 200 or int(late.headers["retry-after"]) >= 1
        assert slow.get(f"{M}/instruments", "anna").status_code == 200
