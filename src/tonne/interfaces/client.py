"""A typed client for a tonne server: the main jobs as methods, everything else by `get`, `send` and `post`.

A command gets a key of its own, and is sent again with the same key where the answer did not come: nothing is done twice. What the server refuses
is `Refused`, with the clerk's own name for it.
"""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import httpx

from tonne.interfaces.client_answers import Event, NotReached, Receipt, Refused, events, receipt_of

#: Answers after which the same request may be sent again.
AGAIN = (408, 429, 502, 503, 504)
ATTEMPTS, LONGEST_WAIT_S = 6, 30.0
KINDS = {".csv": "text/csv", ".parquet": "application/vnd.apache.parquet"}
Side = Literal["buy", "sell"]
Price = str | int | Decimal
__all__ = ["Client", "Event", "NotReached", "Receipt", "Refused"]


class Client:
    """One server, as one key. Safe to use from several threads; a context manager.

    base: the server's address, without /api. system: the market that methods are about, where they name none.
    """

    def __init__(self, base: str, key: str = "", system: str = "", *, timeout: float = 30.0, attempts: int = ATTEMPTS, transport: Any = None) -> None:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.Client(
            base_url=base.rstrip("/") + "/api/v1", headers=headers, timeout=timeout, transport=transport, follow_redirects=False
        )
        self.system, self._attempts = system, attempts

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    # -- requests

    def get(self, path: str, **parameters: Any) -> Any:
        """What stands at an address (`/eu/figures`). Raises Refused, NotReached."""
        return self._ask("GET", path, params=_plain(parameters)).json()

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """A question that changes nothing, or makes something that needs no key."""
        answer = self._ask("POST", path, json=body)
        return answer.json() if answer.content else None

    def delete(self, path: str) -> None:
        self._ask("DELETE", path)

    def send(self, path: str, body: Mapping[str, Any], key: str = "") -> Receipt:
        """A command. key: yours, where it must outlive this process; made here otherwise. Raises Refused, NotReached."""
        return receipt_of(self._ask("POST", path, json=body, headers={"idempotency-key": key or new_key()}).json())

    def send_file(self, path: str, file: str | Path, key: str = "") -> Any:
        """A CSV or Parquet file as one command; what is wrong with its rows is in Refused.faults."""
        kind = KINDS.get(Path(file).suffix.lower())
        if kind is None:
            raise ValueError(f"{file}: a .csv or .parquet file is sent")
        headers = {"idempotency-key": key or new_key(), "content-type": kind}
        found = self._ask("POST", path, content=Path(file).read_bytes(), headers=headers).json()
        return receipt_of(found) if "outcome" in found else found

    def rows(self, path: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """All rows of a list, page after page."""
        page = 1
        while True:
            found = self.get(path, **{"per_page": 500, **parameters, "page": page})
            yield from found["rows"]
            if page >= found["pages"]:
                return
            page += 1

    def table(self, path: str, **parameters: Any) -> Any:
        """All rows of a list as a Polars frame."""
        import io

        import polars as pl

        return pl.read_parquet(io.BytesIO(self._ask("GET", path, params=_plain({**parameters, "format": "parquet"})).content))

    def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        last = ""
        for attempt in range(self._attempts):
            wait = min(0.1 * 2**attempt, LONGEST_WAIT_S) * (0.5 + random.random())  # apart from others that wait for the same
            try:
                answer = self._http.request(method, path, **options)
            except httpx.TransportError as error:
                last = f"{type(error).__name__}: {error}"
            else:
                if answer.status_code not in AGAIN:
                    return _good(answer)
                last = f"answered {answer.status_code}"
                if attempt + 1 == self._attempts:
                    return _good(answer)
                given = answer.headers.get("retry-after", "")
                wait = min(float(given), LONGEST_WAIT_S) if given.isdigit() else wait
            if attempt + 1 < self._attempts:
                time.sleep(wait)
        raise NotReached(f"{method} {path}: {last}")

    def _at(self, rest: str, system: str = "") -> str:
        name = system or self.system
        if not name:
            raise ValueError("name a system: Client(..., system=...), or system=... here")
        return f"/{name}{rest}"

    # -- reading

    def me(self) -> dict[str, Any]:
        found: dict[str, Any] = self.get("/me")
        return found

    def systems(self) -> list[dict[str, Any]]:
        return list(self.rows("/systems"))

    def law(self, on: date | None = None, known_on: date | None = None, topic: str = "", system: str = "") -> dict[str, Any]:
        found: dict[str, Any] = self.get(f"/systems/{system or self.system}/law", on=on, known_on=known_on, topic=topic or None)
        return found

    def ask(self, question: str, on: date | None = None, system: str = "", **given: Any) -> Any:
        """A rule's answer, like `tonne ask`."""
        body: dict[str, Any] = {"question": question, "given": {name: _exact(value) for name, value in given.items()}}
        if on is not None:
            body["on"] = on.isoformat()
        return self.post(f"/systems/{system or self.system}/ask", body)["answer"]

    def figures(self) -> dict[str, Any]:
        found: dict[str, Any] = self.get(self._at("/figures"))
        return found

    def accounts(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get(self._at("/accounts"))
        return found

    def obligation(self) -> dict[str, Any]:
        found: dict[str, Any] = self.get(self._at("/obligation"))
        return found

    def book(self, instrument: str, levels: int = 5) -> dict[str, Any]:
        found: dict[str, Any] = self.get(self._at(f"/instruments/{instrument}/book"), levels=levels)
        return found

    def trades(self, instrument: str, limit: int = 50) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get(self._at(f"/instruments/{instrument}/trades"), limit=limit)
        return found

    def trader(self) -> dict[str, Any]:
        """Own orders, trades, positions and margin."""
        found: dict[str, Any] = self.get(self._at("/trader"))
        return found

    def tasks(self, state: str = "awaiting_approval") -> list[dict[str, Any]]:
        return list(self.rows(self._at("/tasks"), **({"state": state} if state else {})))

    # -- orders

    def orders(self, orders: Sequence[Mapping[str, Any]], key: str = "") -> Receipt:
        """Place, amend or cancel orders, up to a thousand."""
        return self.send(self._at("/orders"), {"orders": [{name: _exact(value) for name, value in one.items()} for one in orders]}, key)

    def order(self, account: str, instrument: str, side: Side, quantity: int, price: Price | None = None, *, key: str = "", **more: Any) -> Receipt:
        one = {"verb": "new", "account": account, "instrument": instrument, "side": side, "quantity": quantity, **more}
        return self.orders([one | ({"price": str(price)} if price is not None else {})], key)

    def buy(self, account: str, instrument: str, quantity: int, price: Price | None = None, **more: Any) -> Receipt:
        return self.order(account, instrument, "buy", quantity, price, **more)

    def sell(self, account: str, instrument: str, quantity: int, price: Price | None = None, **more: Any) -> Receipt:
        return self.order(account, instrument, "sell", quantity, price, **more)

    def cancel(self, account: str, order: int, key: str = "") -> Receipt:
        return self.orders([{"verb": "cancel", "account": account, "order": order}], key)

    def stop(self, account: str, key: str = "") -> Receipt:
        """Everything out of the book, and nothing in until the venue revives the account."""
        return self.orders([{"verb": "kill", "account": account}], key)

    # -- what two persons decide

    def propose(self, verb: str, body: Mapping[str, Any], tables: Mapping[str, Any] | None = None, reason: str = "", key: str = "") -> Receipt:
        return self.send(self._at("/tasks"), {"verb": verb, "body": dict(body), "tables": dict(tables or {}), "reason": reason}, key)

    def transfer(self, source: str, target: str, unit: str, quantity: int, reason: str = "", key: str = "") -> Receipt:
        """Propose a transfer; another person approves it."""
        return self.propose("transfer", {"from": source, "to": target, "unit": unit, "quantity": quantity}, reason=reason, key=key)

    def surrender(self, installation: str, year: int, quantity: int, key: str = "") -> Receipt:
        """Propose to surrender units for the emissions of a year."""
        return self.propose("surrender", {"year": year}, {"surrenders": [{"installation": installation, "quantity": quantity}]}, key=key)

    def approve(self, proposal: str, key: str = "") -> Receipt:
        return self.send(self._at(f"/tasks/{proposal}/approve"), {}, key)

    def reject(self, proposal: str, reason: str, key: str = "") -> Receipt:
        return self.send(self._at(f"/tasks/{proposal}/reject"), {"reason": reason}, key)

    def withdraw(self, proposal: str, reason: str = "", key: str = "") -> Receipt:
        return self.send(self._at(f"/tasks/{proposal}/withdraw"), {"reason": reason}, key)

    # -- filing

    def report(self, installation: str, year: int, emissions: int, key: str = "") -> Receipt:
        return self.send(self._at("/reports"), {"reports": [{"installation": installation, "year": year, "emissions": emissions}]}, key)

    def verify(self, installation: str, year: int, verified: int | None, state: str = "verified", key: str = "") -> Receipt:
        row = {"installation": installation, "year": year, "verified": verified, "state": state}
        return self.send(self._at("/verifications"), {"reports": [row]}, key)

    def bid(self, auction: str, account: str, bids: Sequence[tuple[Price | None, int]], key: str = "") -> Receipt:
        """Bids (price, quantity) of an account; they replace what it sent before."""
        rows = [{"account": account, "quantity": quantity, **({"price": str(price)} if price is not None else {})} for price, quantity in bids]
        return self.send(self._at(f"/bids/{auction}"), {"bids": rows}, key)

    def command(self, kind: str, body: Mapping[str, Any], tables: Mapping[str, Any] | None = None, key: str = "") -> Receipt:
        """Any command by its verb."""
        return self.send(self._at("/commands"), {"kind": kind, "body": dict(body), "tables": dict(tables or {})}, key)

    # -- what is new

    def stream(self, *topics: str, after: int | None = None, reconnect: bool = True) -> Iterator[Event]:
        """What is new, as it comes; after a broken line it goes on where it stopped. Ends with Refused where the rights end."""
        place, wait = after, 0.5
        while True:
            headers = {"accept": "text/event-stream"} | ({"last-event-id": str(place)} if place is not None else {})
            try:
                with self._http.stream(
                    "GET",
                    self._at("/stream"),
                    params={"topics": ",".join(topics or ("market",))},
                    headers=headers,
                    timeout=httpx.Timeout(60.0, connect=10.0),
                ) as answer:
                    if answer.status_code in AGAIN and reconnect:
                        given = answer.headers.get("retry-after", "")
                        wait = min(float(given), LONGEST_WAIT_S) if given.isdigit() else wait
                    elif answer.status_code != 200:
                        answer.read()
                        _good(answer)
                    else:
                        wait = 0.5
                        for event in events(answer.iter_lines()):
                            place = event.id if event.id is not None else place
                            if event.topic != "alive":
                                yield event
            except httpx.TransportError:
                if not reconnect:
                    raise
            if not reconnect:
                return
            time.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT_S)


def new_key() -> str:
    """An Idempotency-Key that nobody else has."""
    return f"c-{secrets.token_hex(16)}"


def _good(answer: httpx.Response) -> httpx.Response:
    if answer.is_success:
        return answer
    try:
        body = answer.json()
    except ValueError:
        body = {}
    raise Refused(answer.status_code, body if isinstance(body, dict) else {})


def _exact(value: Any) -> Any:
    if isinstance(value, float):
        raise TypeError(f"{value} is a binary fraction; write a price as text or Decimal")
    return str(value) if isinstance(value, Decimal) else value.isoformat() if isinstance(value, date) else value


def _plain(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _exact(value) for name, value in parameters.items() if value is not None}
