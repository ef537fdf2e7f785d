"""Event streams: nothing missed, nothing twice, few a person, and an end when the rights end."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from api_market import SYSTEM, server

from tonne.interfaces.client import Client
from tonne.interfaces.client_answers import events
from tonne.people import COMMAND

PATH = f"/api/v1/{SYSTEM}/stream"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with server(tmp_path_factory.mktemp("streams")) as found:
        yield found


@contextmanager
def opened(running: Any, topics: str, persona: str = "", **headers: str) -> Iterator[httpx.Response]:
    world, address = running
    with (
        httpx.Client(timeout=httpx.Timeout(20.0)) as http,
        http.stream("GET", address + PATH, params={"topics": topics}, headers=world.headers(persona) | headers) as answer,
    ):
        yield answer


def client(running: Any, persona: str) -> Client:
    world, address = running
    return Client(address, world.keys[persona], SYSTEM)


def test_own_topics_tell_who_was_touched(running: Any) -> None:
    with opened(running, "orders,holdings", "ben") as answer:
        told = events(answer.iter_lines())
        assert next(told).topic == "hello"
        with client(running, "ben") as ben:
            ben.sell("ben", "SPOT", 2, "85.00")
        assert {next(told).topic, next(told).topic} == {"holdings", "orders"}
        with client(running, "anna") as anna:
            anna.buy("anna", "SPOT", 1, "85.00")  # meets ben's order: it is his affair too
        assert {next(told).topic, next(told).topic} == {"holdings", "orders"}


def test_every_trade_once_through_many_breaks(running: Any) -> None:
    """A listener that hangs up after every event hears of all trades, in order, each once."""
    stop, heard, wanted = threading.Event(), [], 40

    def trade() -> None:
        with client(running, "anna") as anna, client(running, "ben") as ben:
            for number in range(wanted):
                price = f"{60 + number / 100:.2f}"
                ben.sell("ben", "SPOT", 1, price)
                anna.buy("anna", "SPOT", 1, price)
        stop.set()

    with opened(running, "market") as answer:
        place = next(iter(events(answer.iter_lines()))).id
    thread = threading.Thread(target=trade)
    thread.start()
    for _ in range(200):
        with opened(running, "market", **{"last-event-id": str(place)}) as answer:
            for event in events(answer.iter_lines()):
                heard += [one["trade"] for one in event.data.get("trades", ())]
                assert not event.data.get("gap")
                if event.id is not None:
                    place = event.id
                    break
        if stop.is_set() and len(heard) >= wanted:
            break
    thread.join()
    assert len(heard) == len(set(heard)) == wanted
    order = [tuple(map(int, one.split("-"))) for one in heard]
    assert order == sorted(order)


def test_a_fifth_stream_is_one_too_many(running: Any) -> None:
    from contextlib import ExitStack

    with ExitStack() as stack:
        for _ in range(4):
            assert stack.enter_context(opened(running, "market", "forge")).status_code == 200
        late = stack.enter_context(opened(running, "market", "forge"))
        assert late.status_code == 429 and int(late.headers["retry-after"]) >= 1
        assert stack.enter_context(opened(running, "market", "mill")).status_code == 200
    world, _ = running
    for _ in range(100):
        if world.persons["forge"] not in world.place.hub.by_whom:
            break
        time.sleep(0.05)
    assert world.persons["forge"] not in world.place.hub.by_whom


@pytest.mark.parametrize(
    ("topics", "persona", "status"), [("tasks", "", 401), ("market,tasks", "", 401), ("nothing", "anna", 422), ("", "anna", 422)]
)
def test_topics_are_asked_for_with_rights(running: Any, topics: str, persona: str, status: int) -> None:
    with opened(running, topics, persona) as answer:
        assert answer.status_code == status


def test_a_stream_ends_when_its_person_is_suspended(running: Any) -> None:
    world, _ = running
    with opened(running, "market,tasks", "vera") as answer:
        lines = answer.iter_lines()
        assert next(events(lines)).topic == "hello"
        world.place.people.suspend_person(world.persons["vera"], by=COMMAND, now=datetime.now(UTC))
        assert [event for event in events(lines) if event.topic == "tasks"] == []  # it comes to an end by itself
    with opened(running, "market,tasks", "vera") as answer:
        assert answer.status_code == 401


def test_pages_hear_the_same_by_their_session(running: Any) -> None:
    world, address = running
    with (
        httpx.Client(timeout=20.0, cookies={"tonne": world.tokens["ben"]}) as http,
        http.stream("GET", f"{address}/{SYSTEM}/stream", params={"topics": "orders"}) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        told = events(answer.iter_lines())
        assert next(told).topic == "hello"
        with client(running, "ben") as ben:
            ben.sell("ben", "SPOT", 1, "95.00")
        event = next(told)
        assert event.topic == "orders" and json.dumps(event.data)
        world.place.people.logout(world.tokens["ben"], now=datetime.now(UTC))
        assert list(told) == []


def test_after_a_restart_a_listener_goes_on(tmp_path: Any) -> None:
    with server(tmp_path) as before:
        with opened(before, "market") as answer:
            place = next(iter(events(answer.iter_lines()))).id
        with client(before, "anna") as anna, client(before, "ben") as ben:
            ben.sell("ben", "SPOT", 3, "83.00")
            anna.buy("anna", "SPOT", 3, "83.00")
    with server(tmp_path) as after:
        with opened(after, "market", **{"last-event-id": str(place)}) as answer:
            told = events(answer.iter_lines())
            assert next(told).topic == "hello"
            event = next(told)
        assert [(one["price"], one["quantity"]) for one in event.data["trades"]] == [("83.00", 3)]
        assert not event.data["gap"]
