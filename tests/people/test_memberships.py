"""Persons, and who may do what for whom."""

from __future__ import annotations

import pytest
from cast import House, User, kinds, refused

from tonne.people import COMMAND, People


def test_rights_are_granted_changed_and_revoked_with_who_and_when(house: House) -> None:
    person, *_ = house.invited()
    manager = house.user(rights=("manage",))
    first = house.people.grant(person, "sys", "acme", ["read", "initiate"], by=manager.who, now=house.clock.now)
    assert (first.granted_by, first.granted_at, first.rights) == (manager.id, house.clock.now, {"read", "initiate"})
    later = house.clock.pass_(hours=1)
    second = house.people.grant(person, "sys", "acme", ["read", "approve"], by=COMMAND, now=later)
    house.people.revoke(second.id, by=manager.who, now=house.clock.pass_(hours=1))
    history = house.people.memberships_of(person, all_states=True)
    assert [(m.rights, m.state, m.ended_by, m.ended_at) for m in history] == [
        ({"read", "initiate"}, "ended", "command", later),
        ({"read", "approve"}, "ended", manager.id, house.clock.now),
    ]
    assert house.people.memberships_of(person) == () and kinds(house.people, person).count("rights_changed") == 3
    with refused("wrong_state"):
        house.people.revoke(second.id, by=manager.who, now=house.clock.now)


def test_members_of_an_organisation_are_active_persons_with_active_memberships(house: House) -> None:
    users = [house.user(rights=("read",)) for _ in range(3)]
    house.people.suspend_person(users[0].id, by=COMMAND, now=house.clock.now)
    membership = users[1].session.memberships[0]
    house.people.suspend_membership(membership.id, by=COMMAND, now=house.clock.now)
    assert [m.person for m in house.people.members_of("sys", "acme")] == [users[2].id]
    assert len(house.people.members_of("sys", "acme", all_states=True)) == 3
    assert not house.people.may(users[0].id, "read", "sys", "acme") and not house.people.may(users[1].id, "read", "sys", "acme")
    assert house.people.may(users[2].id, "read", "sys", "acme") and not house.people.may(users[2].id, "approve", "sys", "acme")
    house.people.restore_membership(membership.id, by=COMMAND, now=house.clock.now)
    assert house.people.may(users[1].id, "read", "sys", "acme")


def test_only_managers_and_administrators_manage_and_nobody_oneself(house: House) -> None:
    member, manager = house.user(rights=("read", "initiate")), house.user(rights=("manage",))
    foreign, admin = house.user(rights=("manage",), participant="other"), house.user(rights=("manage",), participant="administrator")
    elsewhere = house.user(rights=("manage",), participant="administrator", system="far")
    target = house.user(rights=("read",))
    mine = target.session.memberships[0].id
    now = house.clock.now
    for by in (member, foreign, elsewhere, target):
        for attempt in (
            lambda by=by: house.people.grant(target.id, "sys", "acme", ["read", "approve"], by=by.who, now=now),
            lambda by=by: house.people.suspend_membership(mine, by=by.who, now=now),
            lambda by=by: house.people.suspend_person(target.id, by=by.who, now=now),
        ):
            with pytest.raises(Exception, match=r"^(not_permitted|same_person)"):
                attempt()
    with refused("same_person"):
        house.people.grant(manager.id, "sys", "acme", ["approve"], by=manager.who, now=now)
    with refused("not_permitted"):
        house.people.grant(target.id, "sys", "administrator", ["manage"], by=manager.who, now=now)
    house.people.suspend_membership(mine, by=manager.who, now=now)
    house.people.restore_membership(mine, by=admin.who, now=now)


def test_the_manager_of_one_organisation_has_no_power_over_somebody_who_acts_for_two(house: House) -> None:
    manager, target = house.user(rights=("manage",)), house.user(rights=("read",))
    target.grant("sys", "other", "read")
    with refused("not_permitted"):
        house.people.suspend_person(target.id, by=manager.who, now=house.clock.now)
    with refused("not_permitted"):
        house.people.rename(target.id, "Renamed", by=manager.who, now=house.clock.now)
    admin = house.user(rights=("manage",), participant="administrator")
    house.people.suspend_person(target.id, by=admin.who, now=house.clock.now)


def test_a_suspended_manager_manages_nothing(house: House) -> None:
    manager, target = house.user(rights=("manage",)), house.user(rights=("read",))
    house.people.suspend_person(manager.id, by=COMMAND, now=house.clock.now)
    with refused("not_permitted"):
        house.people.revoke(target.session.memberships[0].id, by=manager.who, now=house.clock.now)


@pytest.mark.parametrize(
    ("system", "participant", "rights"), [("sys", "acme", []), ("sys", "acme", ["own"]), ("", "acme", ["read"]), ("sys", "", ["read"])]
)
def test_bad_memberships_are_refused(house: House, user: User, system: str, participant: str, rights: list[str]) -> None:
    with refused("bad_value"):
        house.people.grant(user.id, system, participant, rights, by=COMMAND, now=house.clock.now)


def test_auditor_and_administrator_are_told_apart(house: House) -> None:
    user = house.user(rights=("read", "audit"), participant="administrator")
    (membership,) = user.session.memberships
    assert membership.is_auditor and not membership.is_administrator


def test_persons_are_added_found_and_changed(house: House, people: People) -> None:
    now = house.clock.now
    made = people.add_person("  Zoë@Example.ORG ", " Zoë   Sand ", language="zh-Hant", by=COMMAND, now=now)
    assert (made.email, made.name, made.language, made.theme, made.state, made.factor) == (
        "Zoë@Example.ORG",
        "Zoë Sand",
        "zh-Hant",
        "auto",
        "active",
        "",
    )
    assert people.person_of_email("zoë@example.org") == made
    with refused("taken"):
        people.add_person("ZOË@example.org", "Other", by=COMMAND, now=now)
    people.set_language(made.id, "zh-Hans", by=COMMAND, now=now)
    people.set_theme(made.id, "dark", by=COMMAND, now=now)
    people.rename(made.id, "Zoë Strand", by=COMMAND, now=now)
    assert (people.person(made.id).language, people.person(made.id).theme) == ("zh-Hans", "dark")
    assert [person.id for person in people.find_persons("strand").rows] == [made.id]  # type: ignore[attr-defined]
    assert people.find_persons("100%").total == 0 and people.find_persons("_").total == 0
    assert "Zoë" not in repr(made) and "xample" not in repr(made)
    for attempt in (lambda: people.set_language(made.id, "xx", by=COMMAND, now=now), lambda: people.rename(made.id, "a\nb\x00", by=COMMAND, now=now)):
        with refused("bad_value"):
            attempt()
    with refused("unknown"):
        people.person("p-nobody")


@pytest.mark.parametrize(
    "email", ["", "x", "x@", "@x.org", "a@b", "a b@x.org", "a@x.org\r\nBcc: y@z.org", "a@x..", "a@@x.org", "x" * 260 + "@y.org", "<a@x.org>"]
)
def test_what_cannot_be_an_address_is_refused(people: People, house: House, email: str) -> None:
    with refused("bad_value"):
        people.add_person(email, "Name", by=COMMAND, now=house.clock.now)
