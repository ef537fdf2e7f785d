"""Calls to other programs' addresses when something is new. The server calls no address that a user alone has chosen.

An address may be given only where the server's operator has allowed its host in the settings (`webhook_hosts`; none by default). It is HTTPS, or
plain HTTP on loopback; no redirect is followed; what its name resolves to is looked at before each call, and the call goes to that very address: a
host of `webhook_hosts` must be a public address, only one of `webhook_private_hosts` may lie inside. What is sent is signed with the hook's own
secret. It is kept in a table until it is delivered or has failed too often, so a restart loses nothing; a receiver may hear a thing twice, by the
same number.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import sqlalchemy as sa
import structlog
from cryptography.fernet import InvalidToken

from tonne.interfaces.web.stream_messages import OWN, PUBLIC, read_log, trades_of
from tonne.interfaces.web.webhook_addresses import HookRefused, require_allowed, resolved, signature, verified
from tonne.interfaces.web.webhook_table import META, box_of, engine_of, hooks, outbox, places
from tonne.people import PeopleRefused

if TYPE_CHECKING:
    from tonne.interfaces.web.place import Hall, Place
    from tonne.interfaces.web.settings import Settings

__all__ = ["HookRefused", "Webhooks", "is_on", "of", "require_allowed", "resolved", "run", "signature", "verified"]
logger = structlog.get_logger("tonne.webhooks")
TOPICS = PUBLIC | OWN
#: Hooks of one participant; attempts until a message is given up; seconds between turns, of patience with a receiver; calls at the same time.
EACH, ATTEMPTS, TURN_S, PATIENCE_S, AT_ONCE = 10, 12, 1.0, 10.0, 8
#: Seconds after which a message is tried again: doubled each time, an hour at most.
FIRST_WAIT_S, LONGEST_WAIT_S = 2, 3_600
KEPT_FOR = timedelta(days=7)
TRADES_MOST = 500


class Webhooks:
    """Of one place. Its methods may be called from any thread."""

    def __init__(self, place: Place) -> None:
        self.place, self.settings = place, place.settings
        self._db = engine_of(place.settings)
        META.create_all(self._db)
        self._box = box_of(place.settings)
        if len(place.settings.secrets) > 1:
            self._reseal()

    def close(self) -> None:
        self._db.dispose()

    def _reseal(self) -> None:
        """While secrets are rotated: what an older one sealed is sealed with the newest, so that the older can be taken away."""
        with self._db.begin() as connection:
            for row in connection.execute(sa.select(hooks.c.id, hooks.c.secret)).all():
                try:
                    made = self._box.rotate(row.secret)
                except InvalidToken:
                    logger.warning("a webhook's secret does not open", hook=row.id)
                    continue
                connection.execute(sa.update(hooks).where(hooks.c.id == row.id).values(secret=made))

    # -- hooks

    def add(self, system: str, participant: str, membership: str, person: str, url: str, topics: Sequence[str], now: datetime) -> tuple[str, str]:
        """(id, secret) of a new hook; the secret is shown once. Raises HookRefused."""
        require_allowed(url, self.settings)
        name, secret = f"h_{secrets.token_hex(8)}", secrets.token_urlsafe(32)
        with self._db.begin() as connection:
            mine = (
                sa.select(sa.func.count())
                .select_from(hooks)
                .where(hooks.c.system == system, hooks.c.participant == participant, hooks.c.state == "active")
            )
            if connection.execute(mine).scalar_one() >= EACH:
                raise HookRefused(f"an organisation has at most {EACH} webhooks")
            row = {"id": name, "system": system, "participant": participant, "membership": membership, "person": person, "url": url}
            row |= {
                "topics": ",".join(sorted(topics)),
                "secret": self._box.encrypt(secret.encode()),
                "created": _text(now),
                "state": "active",
                "why": "",
            }
            connection.execute(sa.insert(hooks).values(**row))
        return name, secret

    def listed(self, system: str, participant: str) -> list[dict[str, Any]]:
        columns = [hooks.c[name] for name in ("id", "url", "topics", "created", "state", "why", "person")]
        with self._db.begin() as connection:
            rows = connection.execute(
                sa.select(*columns).where(hooks.c.system == system, hooks.c.participant == participant).order_by(hooks.c.created)
            )
            return [{**row._mapping, "topics": row.topics.split(",")} for row in rows]

    def end(self, hook: str, why: str) -> None:
        """Nothing more is sent to it; what waits is given up."""
        with self._db.begin() as connection:
            connection.execute(sa.update(hooks).where(hooks.c.id == hook).values(state="ended", why=why[:200]))
            connection.execute(sa.update(outbox).where(outbox.c.hook == hook, outbox.c.state == "waiting").values(state="failed", told=why[:200]))

    def deliveries(self, hook: str, most: int = 100) -> list[dict[str, Any]]:
        columns = [outbox.c[name] for name in ("id", "made", "due", "attempts", "state", "told")]
        with self._db.begin() as connection:
            return [
                dict(row._mapping)
                for row in connection.execute(sa.select(*columns).where(outbox.c.hook == hook).order_by(outbox.c.id.desc()).limit(most))
            ]

    # -- what is new

    def gather(self, now: datetime) -> None:
        """Put into the outbox what every active hook has to hear, and remember up to where."""
        for hall in self.place.halls.values():
            with hall.read():
                here = hall.sequence
            with self._db.begin() as connection:
                before = connection.execute(sa.select(places.c.sequence).where(places.c.system == hall.system)).scalar_one_or_none()
                if before is None or before > here:
                    connection.execute(sa.delete(places).where(places.c.system == hall.system))
                    connection.execute(sa.insert(places).values(system=hall.system, sequence=here))
                    continue
                if before == here:
                    continue
                active = connection.execute(sa.select(hooks).where(hooks.c.system == hall.system, hooks.c.state == "active")).all()
                for hook, body in self._messages(hall, before, here, active) if active else ():
                    connection.execute(
                        sa.insert(outbox).values(hook=hook, body=body, made=_text(now), due=_text(now), attempts=0, state="waiting", told="")
                    )
                connection.execute(sa.update(places).where(places.c.system == hall.system).values(sequence=here))

    def _messages(self, hall: Hall, before: int, here: int, active: Sequence[Any]) -> list[tuple[str, str]]:
        tape, gap = self.place.hub.tape(hall), False
        marks = tape.between(before, here)
        if before < tape.begins:
            older, gap = read_log(hall, before, tape.begins)
            marks = [*older, *marks]
        changed: frozenset[str] = frozenset().union(*(mark.topics for mark in marks))
        trades = trades_of(hall, marks)
        found = []
        for hook in active:
            wanted = hook.topics.split(",")
            hit = [one for one in wanted if gap or (one if one in PUBLIC else f"{one}:{hook.participant}") in changed or f"{one}:" in changed]
            if hit:
                body: dict[str, Any] = {"system": hall.system, "after": before, "sequence": here, "topics": hit, "gap": gap}
                if "market" in hit:
                    body |= {"trades": trades[-TRADES_MOST:], "gap": gap or len(trades) > TRADES_MOST}
                found.append((hook.id, json.dumps(body, separators=(",", ":"), default=str)))
        return found

    # -- delivering

    def due(self, now: datetime) -> list[tuple[Any, Any]]:
        """(message, hook) of what is to be sent now: the oldest of each hook, so that a receiver hears things in their order."""
        with self._db.begin() as connection:
            first = sa.select(sa.func.min(outbox.c.id)).where(outbox.c.state == "waiting").group_by(outbox.c.hook)
            rows = connection.execute(
                sa.select(outbox).where(outbox.c.id.in_(first), outbox.c.due <= _text(now)).order_by(outbox.c.id).limit(AT_ONCE)
            ).all()
            known = {row.id: row for row in connection.execute(sa.select(hooks).where(hooks.c.id.in_([row.hook for row in rows])))}
        return [(row, known[row.hook]) for row in rows if row.hook in known]

    def settle(self, message: Any, delivered: bool, told: str, now: datetime) -> None:
        """Delivered, to be tried again, or given up."""
        attempts = message.attempts + 1
        state = "delivered" if delivered else "failed" if attempts >= ATTEMPTS else "waiting"
        wait = min(FIRST_WAIT_S * 2**message.attempts, LONGEST_WAIT_S)
        with self._db.begin() as connection:
            values = {"attempts": attempts, "state": state, "told": told[:200], "due": _text(now + timedelta(seconds=wait))}
            connection.execute(sa.update(outbox).where(outbox.c.id == message.id).values(**values))
            connection.execute(sa.delete(outbox).where(outbox.c.state != "waiting", outbox.c.made < _text(now - KEPT_FOR)))

    def may(self, hook: Any) -> bool:
        """Whether who made the hook still acts for its participant."""
        try:
            return bool(self.place.people.membership(hook.membership).state == "active" and self.place.people.person(hook.person).state == "active")
        except PeopleRefused:
            return False

    def secret_of(self, hook: Any) -> str:
        return self._box.decrypt(hook.secret).decode()

    async def turn(self, client: Any) -> int:
        """Gather and deliver once; how many were sent."""
        now = self.place.real_now()
        await asyncio.to_thread(self.gather, now)
        waiting = await asyncio.to_thread(self.due, now)
        await asyncio.gather(*(self._deliver(client, message, hook) for message, hook in waiting))
        return len(waiting)

    async def _deliver(self, client: Any, message: Any, hook: Any) -> None:
        if not await asyncio.to_thread(self.may, hook):
            await asyncio.to_thread(self.end, hook.id, "who made it may no longer act for the organisation")
            return
        try:
            status = await self._post(client, message, hook)
            delivered, told = 200 <= status < 300, f"answered {status}"
            if status == 410:
                await asyncio.to_thread(self.end, hook.id, "its receiver answered that it is gone")
                return
        except HookRefused as refused:
            delivered, told = False, str(refused)
        except InvalidToken:
            await asyncio.to_thread(self.end, hook.id, "its secret cannot be read any more: the server's own were changed")
            return
        except Exception as error:  # whatever a network does is no fault of ours; it is tried again
            delivered, told = False, type(error).__name__
        await asyncio.to_thread(self.settle, message, delivered, told, self.place.real_now())

    async def _post(self, client: Any, message: Any, hook: Any) -> int:
        host, port, private = require_allowed(hook.url, self.settings)
        address = await asyncio.to_thread(resolved, host, port, private)
        parts = urlsplit(hook.url)
        target = urlunsplit((parts.scheme, f"[{address}]:{port}" if ":" in address else f"{address}:{port}", parts.path or "/", parts.query, ""))
        body = message.body.encode()
        headers = {
            "host": parts.netloc,
            "content-type": "application/json",
            "user-agent": "tonne-webhooks",
            "tonne-delivery": str(message.id),
            "tonne-signature": signature(self.secret_of(hook), int(datetime.now(UTC).timestamp()), body),
        }
        request = client.build_request("POST", target, content=body, headers=headers, extensions={"sni_hostname": host})
        answer = await client.send(request, stream=True)  # what it says is not read: nobody asks
        await answer.aclose()
        return int(answer.status_code)


async def run(place: Place) -> None:
    """Deliver until the server stops. Not started where the operator has allowed no host."""
    import httpx

    found = of(place)
    async with httpx.AsyncClient(follow_redirects=False, timeout=PATIENCE_S, trust_env=False, limits=httpx.Limits(max_connections=AT_ONCE)) as client:
        while not place.stopping:
            try:
                sent = await found.turn(client)
            except Exception:
                logger.exception("webhooks stumbled")
                sent = 0
            await asyncio.sleep(0.05 if sent else TURN_S)


def is_on(settings: Settings) -> bool:
    return bool(settings.webhook_hosts or settings.webhook_private_hosts)


def of(place: Place) -> Webhooks:
    """The place's webhooks, opened when they are first asked for."""
    if place.webhooks is None:
        place.webhooks = Webhooks(place)
    found: Webhooks = place.webhooks
    return found


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")
