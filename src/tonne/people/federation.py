"""The facade's fourth part: log-in through an identity provider. It stands for the password; the second factor is asked as always."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from tonne.people import links, oidc, persons, tokens
from tonne.people.entry import _device
from tonne.people.errors import PeopleRefused
from tonne.people.house import House
from tonne.people.oidc import Fetch, Identity, Provider
from tonne.people.room import who_of
from tonne.people.tables import identities
from tonne.people.who import Login, Session, Who


class Federation(House):
    def identity_begin(self, provider: Provider, *, redirect: str, browser: str, bind_to: Session | None = None, address: str, now: datetime) -> str:
        """The address to send the browser to. browser: the random value of a cookie of this browser; the answer counts only there.

        bind_to: a full session whose person wants to enter this way from now on (the caller asks for a step-up before).
        """
        who = Who(address=address) if bind_to is None else who_of(bind_to, address)
        with self._deed(who, "identity.begin", f"issuer {provider.issuer}", now) as deed:
            if bind_to is not None and not bind_to.is_full:
                raise PeopleRefused("factor_needed")
            person = "" if bind_to is None else bind_to.person.id
            detail = {"issuer": provider.issuer, "redirect": redirect, "browser": tokens.digest(browser).hex(), "bind": person}
            state = links.make(deed.connection, "identity", None, oidc.STATE_LIFETIME, now, **detail)
        return oidc.authorization_url(provider, redirect, state, self.settings.secrets[0])

    def identity_finish(
        self,
        provider: Provider,
        *,
        state: str,
        code: str,
        browser: str,
        fetch: Fetch,
        issuer: str = "",
        address: str,
        agent: str = "",
        device: str = "",
        now: datetime,
    ) -> Login | None:
        """What the browser brings back. Answers a pending session (go on with prove or enrol_factor), or None where an identity was bound.

        issuer: the answer's `iss`, if it has one. A state works once, whatever comes of it.
        PeopleRefused link_unknown, link_used, expired, identity_refused, identity_unknown, identity_taken.
        """
        who = Who(address=address)
        with self._noted(who, "identity.finish", f"issuer {provider.issuer}", now):
            with self._db.write() as connection:
                link = links.use(connection, "identity", state, now)
            if link.detail["issuer"] != provider.issuer or issuer not in ("", provider.issuer):
                raise PeopleRefused("identity_refused", "The answer is of another issuer")
            if not tokens.same(bytes.fromhex(link.detail["browser"]), tokens.digest(browser)):
                raise PeopleRefused("identity_refused", "The answer belongs to another browser")
            identity = oidc.exchange(provider, code, link.detail["redirect"], state, self.settings.secrets[0], fetch, now)
        if link.detail["bind"]:
            self._bind(link.detail["bind"], identity, address, now)
            return None
        with self._deed(who, "login", f"issuer {identity.issuer}", now) as deed:
            found = deed.connection.execute(
                sa.select(identities.c.person).where(identities.c.issuer == identity.issuer, identities.c.subject == identity.subject)
            ).scalar()
            if found is None or persons.find(deed.connection, found).state != "active":
                raise PeopleRefused("identity_unknown")
            deed.who, deed.what = Who(found, address=address), f"account {found} through {identity.issuer}"
            return self._pending(deed, found, address, agent, _device(device))

    def _bind(self, person: str, identity: Identity, address: str, now: datetime) -> None:
        with self._deed(Who(person, address=address), "identity.bind", f"issuer {identity.issuer}", now) as deed:
            if persons.find(deed.connection, person).state != "active":
                raise PeopleRefused("wrong_state")
            mine = (identities.c.issuer == identity.issuer, identities.c.subject == identity.subject)
            if deed.connection.execute(sa.select(identities.c.person).where(*mine)).scalar() is not None:
                raise PeopleRefused("identity_taken")
            deed.connection.execute(sa.insert(identities).values(issuer=identity.issuer, subject=identity.subject, person=person, bound_at=now))
            deed.tell(person, "identity_bound", issuer=identity.issuer)

    def identities_of(self, person: str) -> tuple[str, ...]:
        """The issuers through which a person can enter."""
        with self._db.read() as connection:
            return tuple(
                connection.execute(sa.select(identities.c.issuer).where(identities.c.person == person).order_by(identities.c.issuer)).scalars()
            )

    def unbind_identity(self, person: str, issuer: str, *, by: Who, now: datetime) -> None:
        """The person, or who manages the person. PeopleRefused unknown where none is bound."""
        with self._deed(by, "identity.unbind", f"person {person}, issuer {issuer}", now) as deed:
            if by.person != person:
                self._must_manage_person(deed, person)
            gone = deed.connection.execute(sa.delete(identities).where(identities.c.person == person, identities.c.issuer == issuer)).rowcount
            if not gone:
                raise PeopleRefused("unknown", "No such identity is bound")
