"""The client against a real server on loopback: orders, proposals, retries with the same key, streams that go on where they stopped."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import islice
from typing import Any

import httpx
import pytest
from api_market import SYSTEM, server

import tonne
from tonne.interfaces.client import Client, Refused


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with server(tmp_path_factory.mktemp("client")) as found:
        yield found


def client(running: Any, persona: str, **options: Any) -> Client:
    world, address = running
    return Client(address, world.keys.get(persona, ""), SYSTEM, **options)


def test_it_is_what_tonne_exports() -> None:
    assert tonne.Client is Client
    assert tonne.Refused is Refused


def test_orders_meet_and_are_cancelled(running: Any) -> None:
    with client(running, "anna") as anna, client(running, "ben") as ben:
        rests = anna.buy("anna", "SPOT", 10, "79.00", key="an-order-of-mine")
        assert len(rests.orders) == 1
        again = anna.buy("anna", "SPOT", 10, "79.00", key="an-order-of-mine")
        assert again.repeated and (again.sequence, again.events) == (rests.sequence, rests.events)
        ben.sell("ben", "SPOT", 4, "79.00")
        assert [(one["price"], one["quantity"]) for one in ben.trades("SPOT", 1)] == [("79.00", 4)]
        gone = anna.cancel("anna", rests.orders[0])
        assert gone.outcome == "accepted"
        assert anna.book("SPOT")["bids"] == []


def test_a_refusal_has_the_clerks_own_name(running: Any) -> None:
    with client(running, "anna") as anna:
        with pytest.raises(Refused) as refused:
            anna.buy("anna", "SPOT", 10**9, "80.00")
        assert (refused.value.name, refused.value.status) == ("no_cover", 409)
        assert refused.value.sequence
        with pytest.raises(Refused) as refused:
            anna.buy("ben", "SPOT", 1, "80.00")
        assert (refused.value.name, refused.value.status) == ("not_permitted", 403)
        with pytest.raises(TypeError, match="binary fraction"):
            anna.orders([{"verb": "new", "account": "anna", "instrument": "SPOT", "side": "buy", "quantity": 1, "price": 80.1}])


def test_two_persons_move_units(running: Any) -> None:
    with client(running, "anna") as first, client(running, "anna2") as second:
        with pytest.raises(Refused) as refused:
            first.command("transfer", {"from": "anna", "to": "ben", "unit": "EUA", "quantity": 5})
        assert refused.value.name == "needs_second_person"
        proposed = first.transfer("anna", "ben", "EUA", 5, reason="a test")
        assert proposed.proposal in {task["proposal"] for task in second.tasks()}
        with pytest.raises(Refused) as refused:
            first.approve(proposed.proposal)
        assert refused.value.status == 403
        done = second.approve(proposed.proposal, key="approve-it-once")
        assert second.approve(proposed.proposal, key="approve-it-once").sequence == done.sequence
        found = second.get(f"/{SYSTEM}/tasks/{proposed.proposal}")
        assert found["state"] in ("scheduled", "completed")


def test_law_lists_and_tables(running: Any) -> None:
    with client(running, "") as anybody:
        assert SYSTEM in {one["id"] for one in anybody.systems()}
        assert anybody.table(f"/{SYSTEM}/participants").height == len(list(anybody.rows(f"/{SYSTEM}/participants", per_page=3)))
        assert anybody.law(topic="cap")["topics"]
        with pytest.raises(Refused) as refused:
            anybody.accounts()
        assert refused.value.status == 401


class Flaky(httpx.BaseTransport):
    """Lets every request through, and loses the answer of the first `lost` of them; or says that it is busy."""

    def __init__(self, lost: int, busy: int = 0) -> None:
        self._real, self.lost, self.busy, self.keys = httpx.HTTPTransport(), lost, busy, []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.keys.append(request.headers.get("idempotency-key"))
        if self.busy:
            self.busy -= 1
            return httpx.Response(429, headers={"retry-after": "0"}, json={"name": "too_many"})
        answer = self._real.handle_request(request)
        if self.lost:
            self.lost -= 1
            answer.read()
            raise httpx.ReadTimeout("lost", request=request)
        return answer


def test_a_lost_answer_is_asked_for_again_and_nothing_is_done_twice(running: Any) -> None:
    flaky = Flaky(lost=1, busy=1)
    with client(running, "ben", transport=flaky) as ben:
        receipt = ben.sell("ben", "SPOT", 3, "99.00")
        assert receipt.repeated
        assert len(flaky.keys) == 3 and len(set(flaky.keys)) == 1
        mine = [one for one in ben.trader()["orders"] if one["price"] == "99.00"]
        assert [one["quantity"] for one in mine] == [3]


def test_a_stream_goes_on_where_it_stopped(running: Any) -> None:
    def trade(price: str) -> None:
        with client(running, "anna") as anna, client(running, "ben") as ben:
            ben.sell("ben", "SPOT", 1, price)
            anna.buy("anna", "SPOT", 1, price)

    heard: list[str] = []
    with client(running, "") as anybody:
        stream = anybody.stream("market")
        hello = next(stream)
        assert hello.topic == "hello"
        first = next(stream)
        assert first.topic == "market" and first.data["trades"] == []
        threading.Timer(0.1, trade, ("81.01",)).start()
        place = hello.id
        for event in stream:
            place = event.id if event.id is not None else place
            heard += [one["price"] for one in event.data.get("trades", ())]
            if heard:
                break
        stream.close()
        for price in ("81.02", "81.03", "81.04"):
            trade(price)
        again = anybody.stream("market", after=place)
        for event in islice(again, 2):
            heard += [one["price"] for one in event.data.get("trades", ())]
        again.close()
    assert heard == ["81.01", "81.02", "81.03", "81.04"]
