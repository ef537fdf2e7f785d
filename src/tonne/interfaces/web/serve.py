"""Start a server and stop it gracefully: open the markets and the logins, listen, finish what was begun, give everything back."""

from __future__ import annotations

import base64
import gc
import hashlib
import signal
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from tonne.interfaces.web.clock import Clock
from tonne.interfaces.web.outer import log_to
from tonne.interfaces.web.place import Place
from tonne.interfaces.web.settings import Settings, SettingsRefused, kept_secret
from tonne.interfaces.web.streams import Hub
from tonne.people import PeopleSettings, open_people

#: Seconds that requests which were begun have to end.
GRACE_S = 10
#: Connections that wait to be taken.
BACKLOG = 4_096


def people_settings(settings: Settings, **more: Any) -> PeopleSettings:
    """The logins' settings: what is kept secret is kept under keys made of the server's secrets."""
    keys = tuple(base64.urlsafe_b64encode(hashlib.sha256(b"box\0" + secret.encode()).digest()).decode() for secret in settings.secrets)
    return PeopleSettings(secrets=settings.secrets, box_keys=keys, **more)


def beside(database: str) -> str:
    """Where the logins are when nobody says: beside a market's file, or in a schema of its own in the same PostgreSQL."""
    if database.startswith(("postgres://", "postgresql://")):
        parts = urlsplit(database)
        rest = [(name, value) for name, value in parse_qsl(parts.query) if name != "schema"]
        return urlunsplit(parts._replace(query=urlencode([*rest, ("schema", "people")])))
    path = Path(database.removeprefix("sqlite:///"))
    return str(path.with_name(path.name + ".people"))


def open_place(settings: Settings, clock: Clock | None = None, **people_options: Any) -> Place:
    """Everything a server holds, opened. Raises SettingsRefused, StoreError, PeopleUnavailable, WrongSystem."""
    from tonne.interfaces.api import open_market

    if not settings.databases:
        raise SettingsRefused("a server needs a market: --database PATH or URL of its log (tonne demo makes one to look at)")
    if not settings.secrets:
        first = settings.databases[0]
        if first.startswith(("postgres://", "postgresql://")):
            raise SettingsRefused("a server on PostgreSQL needs TONNE_SECRETS: 32 random characters or more")
        settings = replace(settings, secrets=(kept_secret(Path(first.removeprefix("sqlite:///") + ".secret")),))
    settings.check()
    people = open_people(settings.people or beside(settings.databases[0]), people_settings(settings, **people_options))
    place = Place(settings, people, clock or Clock(), Hub())
    try:
        for database in settings.databases:
            hall = place.open_hall(open_market(database))
            if sum(other is not hall and other.system == hall.system for other in place.halls.values()):
                raise SettingsRefused(f"two databases hold {hall.system}; a server runs one of each system")
    except BaseException:
        place.close()
        raise
    return place


def listen(settings: Settings) -> socket.socket:
    """A socket at the address, before anything is promised. Raises SettingsRefused where the port is taken."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((settings.host, settings.port))
    except OSError as error:
        found.close()
        raise SettingsRefused(f"port {settings.port} on {settings.host} cannot be had ({error.strerror}); choose another with --port") from None
    found.listen(BACKLOG)
    return found


def run(place: Place, door: socket.socket, started: Callable[[], None] = lambda: None) -> None:
    """Serve until told to stop (SIGTERM, Ctrl-C). Requests that were begun are finished; then the log and the logins are closed."""
    import uvicorn

    from tonne.interfaces.web import shelf
    from tonne.interfaces.web.app import create_app

    log_to(sys.stderr, place.settings.log_format)
    for one in (signal.SIGINT, signal.SIGTERM):  # uvicorn hands a signal on when it has stopped; by then nothing is left to be done about it
        signal.signal(one, lambda number, frame: None)
    threading.Thread(target=shelf.warm, args=(place.clock.now().date(),), name="tonne-shelf", daemon=True).start()
    app = create_app(place)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=GRACE_S,
        h11_max_incomplete_event_size=64 * 1024,
        limit_concurrency=6_000,
        lifespan="on",
    )
    gc.collect()
    gc.freeze()  # what stands at the start stays: walking through all of it again and again would hold requests up
    gc.set_threshold(50_000, 20, 100)
    try:
        _server(place, config, started).run(sockets=[door])
    finally:
        place.stopping = True
        place.close()


def _server(place: Place, config: Any, started: Callable[[], None]) -> Any:
    import uvicorn

    class Server(uvicorn.Server):
        """Says when it listens; when told to stop, says so to the event streams, which would otherwise be waited for."""

        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets)
            started()

        def handle_exit(self, sig: int, frame: Any) -> None:
            place.stopping = True
            place.hub.end()
            super().handle_exit(sig, frame)

    return Server(config)
