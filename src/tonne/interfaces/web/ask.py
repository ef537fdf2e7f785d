"""One request, as a page or an endpoint sees it: who asks, for whom, in which language, about which market; and how it answers."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any
from urllib.parse import quote

import polars as pl
from fastapi import Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from tonne.administration.permissions import ADMINISTRATOR, role_of
from tonne.interfaces.web import charts, navigation, render, tables, words
from tonne.interfaces.web.forms import Form
from tonne.interfaces.web.guard import Visitor, content_hash, form_token
from tonne.interfaces.web.place import Hall, Place, Receipt
from tonne.interfaces.web.problems import Problem, not_found, status_of
from tonne.people import Who


def cookie_name(place: Place, name: str) -> str:
    """`__Host-` asks browsers for Secure, which plain HTTP on loopback does not have."""
    return f"__Host-{name}" if place.settings.behind_tls else name


#: What our cookies hold: random tokens in letters that need no quoting.
COOKIE = re.compile(r"[A-Za-z0-9_.-]{1,200}", re.ASCII)


class Token:
    """The token of a page's forms. Whether it was written at all says whether the page is one for everybody."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self.used = False

    def __str__(self) -> str:
        self.used = True
        return self._ask.csrf

    __html__ = __str__


class Answer(Exception):
    """An answer made somewhere below a page: a file of its table, a picture of its chart."""

    def __init__(self, response: Response) -> None:
        super().__init__("answered")
        self.response = response


@dataclass
class Ask:
    """place, request, visitor: as they are. hall: the market that the address names, None where there is none.

    language: the reader's. suffix: `csv`, `json` or `parquet` where the address ends so. form: the fields of a form that was sent.
    """

    request: Request
    place: Place
    visitor: Visitor
    language: str
    hall: Hall | None
    seed: str
    form: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, Any] = field(default_factory=dict)
    theme: str = "auto"
    new_token: str = field(default="", repr=False)

    # -- what was asked

    @property
    def query(self) -> Mapping[str, str]:
        return self._query

    @cached_property
    def _query(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, value in self.request.query_params.multi_items():
            if name in found:
                raise Problem(400, "malformed", f"{name[:40]!r} stands twice in the address; once is enough")
            found[name] = value[:2_000]
        return found

    @property
    def suffix(self) -> str:
        return str(self.request.state.suffix)

    @property
    def path(self) -> str:
        """Of this page, without language and suffix."""
        return str(self.request.scope["path"])

    @property
    def reference(self) -> str:
        return str(self.request.state.reference)

    @property
    def market(self) -> Hall:
        """The market of the address. Raises Problem 404 where this server runs none of that name."""
        if self.hall is None:
            raise not_found(self.request.path_params.get("system", ""), sorted(self.place.halls))
        return self.hall

    @cached_property
    def as_of(self) -> str:
        return render.moment(self.hall.now() if self.hall is not None else self.place.clock.now())

    # -- words and addresses

    @cached_property
    def _(self) -> Callable[[str], str]:
        return words.translations(self.language).gettext

    def ngettext(self, one: str, many: str, count: int) -> str:
        return words.translations(self.language).ngettext(one, many, count)

    @property
    def gap(self) -> str:
        """Between two sentences: Chinese has none."""
        return "" if self.language.startswith("zh") else " "

    def say(self, text: str, /, **values: Any) -> str:
        """A sentence with named places, translated before they are filled."""
        return self._(text) % values

    @property
    def prefix(self) -> str:
        """`/zh-Hans` where the address names the language; `` where it is the profile's."""
        named = str(self.request.state.language)
        return f"/{named}" if named else ""

    def url(self, path: str, **query: Any) -> str:
        return render.address(self.prefix, path, **query)

    def here(self, rest: str = "", **query: Any) -> str:
        """An address of this market."""
        return self.url(f"/{self.market.system}{rest}", **query)

    # -- answers

    def page(self, template: str, status: int = 200, /, **data: Any) -> HTMLResponse:
        """A page from a template, with everything that all pages know."""
        nav, more_title, nav_more = navigation.items(self)
        token = Token(self)
        known = {
            "ask": self,
            "visitor": self.visitor,
            "path": self.path,
            "url": self.url,
            "here": self.here,
            "theme": self.theme,
            "languages": self._languages(),
            "system": navigation.system_of(self),
            "nav": nav,
            "nav_more": nav_more,
            "nav_more_title": more_title,
            "now": self.hall.now() if self.hall is not None else self.place.clock.now(),
            "today": self.hall.today if self.hall is not None else self.place.clock.now().date(),
            "demo": self.place.settings.demo,
            "csrf": token,
            "key": secrets.token_hex(12),
            "session_ends": navigation.session_ends(self),
            "reference": self.reference,
            "titled": self._title,
            "moment": partial(render.moment, zone=self.hall.zone if self.hall is not None else None),
        }
        text = render.environment(self.language).get_template(template).render(known | data)
        if not self.visitor.signed_in and self.visitor.key is None:
            if token.used and self.cookie("tonne-seed") != self.seed:
                self.set_cookie("tonne-seed", self.seed)
            self.request.state.keep = not token.used and status == 200
        return HTMLResponse(text, status, headers=self._caching())

    def _title(self, name: str) -> str:
        from tonne.interfaces.web.problems import title

        return title(name, self._)

    def _caching(self) -> dict[str, str]:
        if self.visitor.signed_in or self.request.method != "GET":
            return {"cache-control": "no-store"}
        return {"cache-control": "private, max-age=0, must-revalidate", "vary": "Cookie, Accept-Language"}

    def _languages(self) -> list[tuple[str, str, str]]:
        query = {name: value for name, value in self.request.query_params.items() if name != "lang"}
        return [(code, own, render.address(f"/{code}", self.path, **query)) for code, (own, _) in words.LANGUAGES.items()]

    def see(self, path: str, **query: Any) -> RedirectResponse:
        """After something was done: the page that shows it. Loaded again, it does nothing."""
        return RedirectResponse(self.url(path, **query), 303, headers={"cache-control": "no-store"})

    def json(self, value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> JSONResponse:
        return JSONResponse(tables.plain(value), status, headers={"cache-control": "no-store", **(headers or {})})

    def file(self, name: str, frame: pl.DataFrame, form: str) -> Answer:
        """All rows of a table as a file. Raise what this gives back."""
        self.record("export", f"{name}: {frame.height} rows", "done")
        return Answer(self.attachment(tables.file_bytes(frame, form), f"{name}.{form}", tables.TYPES[form]))

    def attachment(self, data: bytes, name: str, kind: str) -> Response:
        """Bytes to be saved, never shown."""
        plain = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "_" for letter in name)[:120]
        said = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name[:120])}"
        return Response(
            data, media_type=kind, headers={"content-disposition": said, "content-security-policy": "sandbox", "cache-control": "no-store"}
        )

    def table(self, name: str, caption: str, frame: pl.DataFrame, columns: list[tables.Column], **options: Any) -> tables.Table:
        """See tables.made."""
        return tables.made(self, name, caption, frame, columns, **options)

    def chart(self, name: str, title: str, make: Callable[[], Any], **told: Any) -> charts.Chart:
        """See charts.shown."""
        return charts.shown(self, name, title, make, **told)

    # -- doing

    @cached_property
    def csrf(self) -> str:
        return form_token(self.place.settings.secrets[0], self.seed)

    def read_form(self, *fields: Any, **options: Any) -> Form:
        """See forms.Form."""
        return Form(self, list(fields), **options)

    def key_of(self) -> str:
        """The key that a form carries, or that a client sent: the same key never does a thing twice. Raises Problem 422 without one."""
        key = self.request.headers.get("idempotency-key") or self.form.get("_key") or ""
        if not isinstance(key, str) or not 8 <= len(key) <= 100 or not key.isascii() or not key.replace("-", "").replace("_", "").isalnum():
            raise Problem(422, "malformed", "a command needs a key: 8 to 100 letters, digits, - and _, in the header Idempotency-Key")
        return key

    def perform(self, kind: str, body: Mapping[str, Any], tables_: Mapping[str, Any] | None = None, key: str | None = None, by: str = "") -> Receipt:
        """Send a command for whom the visitor acts. Raises Problem with the clerk's own name for a refusal."""
        market, visitor = self.market, self.visitor
        by = by or visitor.participant
        command = market.command(by, key or self.key_of(), kind, {**body, "person": visitor.person}, tables_)
        receipt = market.send(command)
        self.place.counted(kind, receipt.outcome)
        self.record(kind, command.id, receipt.outcome)
        if not receipt.accepted:
            raise Problem(status_of(receipt.outcome), receipt.outcome, receipt.reason, receipt=receipt)
        return receipt

    def record(self, verb: str, about: str, result: str) -> None:
        """One line in the audit trail. What was only looked at is written within seconds, everything else at once."""
        people, now = self.place.people, self.place.real_now()
        if verb == "view":
            people.audit.view(self.who(), verb, about, now, self.reference)
        else:
            people.record(self.who(), verb, about, result, now=now, reference=self.reference)

    def who(self) -> Who:
        visitor = self.visitor
        return Who(
            visitor.person or None,
            visitor.system,
            visitor.participant,
            visitor.role,
            visitor.address,
            visitor.session.id if visitor.session is not None else "",
        )

    def confirm(self, *content: Any) -> None:
        """A fresh second factor for this very content, in the field `code`; the session's token is a new one afterwards. Keys of programs have shown
        their right by their scope.

        Raises PeopleRefused: `wrong_code`, `code_used`, `locked`.
        """
        if self.visitor.key is not None:
            return
        people, now = self.place.people, self.place.real_now()
        bound = content_hash(*content)
        login = people.step_up(self.visitor.token, bound, str(self.form.get("code", "")), address=self.visitor.address, now=now)
        self.new_token = login.token
        self.set_cookie("tonne", login.token)
        people.confirmed(login.session, bound, now=now)

    def set_cookie(self, name: str, value: str, age: int | None = None) -> None:
        """A cookie on the answer, whatever the answer is; an empty value takes it away."""
        if value and not COOKIE.fullmatch(value):
            raise ValueError(f"the cookie {name} cannot hold that")
        secure = "; Secure" if self.place.settings.behind_tls else ""
        life = "; Max-Age=0" if not value else f"; Max-Age={age}" if age is not None else ""
        name = cookie_name(self.place, name)
        self.request.state.cookies.append(f"{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{life}".encode("latin-1"))

    def cookie(self, name: str) -> str:
        """What one of our cookies holds; nothing where it holds what we never put there: cookies are sent back into headers."""
        found = self.request.cookies.get(cookie_name(self.place, name), "")
        return found if COOKIE.fullmatch(found) else ""

    def needs(self, right: str) -> None:
        """Raises Problem 403 where the membership lacks a right."""
        if right not in self.visitor.rights:
            raise Problem(403, "not_permitted", self.say("You may not %(right)s for this organisation.", right=right))

    def own_accounts(self) -> Sequence[str]:
        """Ids of the accounts of whom the visitor acts for; of everybody for the administrator."""
        accounts = self.market.desk.administration.state.accounts
        return [accounts.ids[number] for number in accounts.of_holder(self.visitor.participant)]

    def own_account(self, account: str) -> str:
        """An account that the visitor may look into. Raises Problem 404: whether it exists is nobody else's affair."""
        if self.visitor.participant == ADMINISTRATOR or account in self.own_accounts():
            return account
        raise not_found(account)

    def role_of(self, participant: str) -> str:
        return role_of(self.market.desk.administration.state, participant)


def json_text(value: Any) -> str:
    return json.dumps(tables.plain(value), ensure_ascii=False, separators=(",", ":"))
