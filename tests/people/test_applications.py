"""Know your customer: an organisation's file from draft to a decision by two persons. And forms' drafts, and messages."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from cast import Clock, House, User, kinds, quick, refused
from hypothesis import assume, given
from hypothesis import strategies as st
from test_files import PDF

from tonne.people import COMMAND, People, open_people
from tonne.people.applications import days_used, is_legal_entity_identifier

CHECKS = ("identity", "register extract", "sanctions")
GOOD = ("529900T8BM49AURSDO55", "5493001KJTIIGC8Y1R12", "HWUPKR0MPOU8FGXBT394")


@pytest.mark.parametrize("text", GOOD)
def test_good_legal_entity_identifiers(text: str) -> None:
    assert is_legal_entity_identifier(text)


@pytest.mark.parametrize(
    "text", ["", "529900T8BM49AURSDO5", "529900T8BM49AURSDO551", "529900t8bm49aursdo55", "529900T8BM49AURSDO5５", "5" * 20, "529900T8BM49AURSDOAA"]
)
def test_bad_legal_entity_identifiers(text: str) -> None:
    assert not is_legal_entity_identifier(text)


@given(st.sampled_from(GOOD), st.integers(0, 19), st.sampled_from("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
def test_one_wrong_character_of_an_identifier_is_always_found(text: str, at: int, letter: str) -> None:
    """A digit for a digit, a letter for a letter: one for the other changes the length of the number, and no check digits promise that."""
    assume(letter.isdigit() == text[at].isdigit())
    changed = text[:at] + letter + text[at + 1 :]
    assert is_legal_entity_identifier(changed) == (changed == text)


@given(st.sampled_from(GOOD), st.integers(0, 18))
def test_two_swapped_characters_of_an_identifier_are_always_found(text: str, at: int) -> None:
    changed = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    assert is_legal_entity_identifier(changed) == (changed == text)


@pytest.fixture
def admins(house: House) -> list[User]:
    return [house.user(rights=("read", "initiate", "approve"), participant="administrator") for _ in range(2)]


def sent(house: House, applicant: User) -> str:
    people, now = house.people, house.clock.now
    made = people.begin_application("sys", "Acme Works", CHECKS, by=applicant.who, now=now)
    people.save_application(made.id, "Acme Works", {"lei": GOOD[0], "country": "NL"}, by=applicant.who, now=now)
    people.attach(made.id, "Register extract", "extract.pdf", PDF, by=applicant.who, now=now)
    people.send_application(made.id, by=applicant.who, now=now)
    return made.id


def test_from_draft_to_approval_by_two_administrators(house: House, admins: list[User]) -> None:
    applicant, people = house.user(), house.people
    made = sent(house, applicant)
    with refused("wrong_state"):
        people.check_application(made, by=admins[0].who, now=house.clock.now)
    for check in CHECKS:
        found = people.tick_check(made, check, True, "seen", by=admins[0].who, now=house.clock.now)
    assert {(check.name, check.done_by, check.done_at) for check in found.checks} == {(name, admins[0].id, house.clock.now) for name in CHECKS}
    assert people.check_application(made, by=admins[0].who, now=house.clock.now).state == "checked"
    with refused("same_person"):
        people.approve_application(made, by=admins[0].who, now=house.clock.now)
    found = people.approve_application(made, by=admins[1].who, now=house.clock.pass_(days=1))
    assert (found.state, found.checked_by, found.decided_by, found.decided_at) == ("approved", admins[0].id, admins[1].id, house.clock.now)
    assert [step.state for step in found.steps] == ["draft", "sent", "checked", "approved"] and [label for label, _ in found.files] == [
        "Register extract"
    ]
    assert "application" in kinds(people, applicant.id)
    for attempt in (people.approve_application, people.send_application):
        with refused("wrong_state"):
            attempt(made, by=admins[1].who if attempt == people.approve_application else applicant.who, now=house.clock.now)


def test_whoever_ticked_a_check_does_not_approve(house: House, admins: list[User]) -> None:
    made = sent(house, house.user())
    for number, check in enumerate(CHECKS):
        house.people.tick_check(made, check, True, by=admins[number % 2].who, now=house.clock.now)
    house.people.check_application(made, by=admins[0].who, now=house.clock.now)
    with refused("same_person"):
        house.people.approve_application(made, by=admins[1].who, now=house.clock.now)


def test_asked_back_it_can_be_changed_and_the_ticks_are_open_again(house: House, admins: list[User]) -> None:
    applicant, people = house.user(), house.people
    made = sent(house, applicant)
    with refused("wrong_state"):
        people.save_application(made, "Acme Works", {}, by=applicant.who, now=house.clock.now)
    (_, file) = people.application(made, by=applicant.who).files[0]
    with refused("wrong_state"):
        people.remove_file(file.id, by=applicant.who, now=house.clock.now)
    people.tick_check(made, "identity", True, by=admins[0].who, now=house.clock.now)
    with refused("bad_value"):
        people.ask_back(made, "  ", by=admins[0].who, now=house.clock.now)
    assert people.ask_back(made, "The extract is old", by=admins[0].who, now=house.clock.now).state == "asked_back"
    assert "The extract is old" in [message.text for message in people.messages(applicant.id).rows]  # type: ignore[attr-defined]
    people.detach(made, file.id, by=applicant.who, now=house.clock.now)
    people.attach(made, "Register extract", "new.pdf", PDF, by=applicant.who, now=house.clock.now)
    found = people.send_application(made, by=applicant.who, now=house.clock.now)
    assert found.state == "sent" and not any(check.done_at for check in found.checks)


def test_days_stand_still_while_it_is_asked_back(house: House, admins: list[User]) -> None:
    house.clock.now = datetime(2026, 11, 6, 9, 0, tzinfo=UTC)  # a Friday
    applicant = house.user()
    made = sent(house, applicant)
    application = house.people.application(made, by=COMMAND)
    assert [days_used(application, date(2026, 11, day)) for day in (6, 7, 8, 9, 10)] == [0, 0, 0, 1, 2]
    house.clock.now = datetime(2026, 11, 10, 9, 0, tzinfo=UTC)
    house.people.ask_back(made, "more", by=admins[0].who, now=house.clock.now)
    application = house.people.application(made, by=COMMAND)
    assert days_used(application, date(2026, 11, 30)) == 2
    house.clock.now = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
    house.people.send_application(made, by=applicant.who, now=house.clock.now)
    application = house.people.application(made, by=COMMAND)
    assert days_used(application, date(2026, 11, 18)) == 4
    (listed,) = house.people.applications(system="sys", states=("sent",)).rows
    assert days_used(listed, date(2026, 11, 18)) == 4  # type: ignore[arg-type]


def test_nobody_else_sees_or_touches_an_application(house: House, admins: list[User]) -> None:
    people, applicant, stranger = house.people, house.user(), house.user(rights=("read", "approve", "initiate"))
    elsewhere = house.user(rights=("read", "approve", "initiate"), participant="administrator", system="far")
    made = sent(house, applicant)
    (_, file) = people.application(made, by=admins[0].who).files[0]
    assert people.file(file.id, by=admins[0].who)
    for who in (stranger, elsewhere):
        for attempt in (
            lambda who=who: people.application(made, by=who.who),
            lambda who=who: people.file(file.id, by=who.who),
            lambda who=who: people.save_application(made, "X", {}, by=who.who, now=house.clock.now),
        ):
            with refused("unknown"):
                attempt()
        with refused("not_permitted"):
            people.tick_check(made, "identity", True, by=who.who, now=house.clock.now)
    own = sent(house, admins[0])
    with refused("same_person"):
        people.tick_check(own, "identity", True, by=admins[0].who, now=house.clock.now)


def test_a_wrong_identifier_or_answer_is_refused_by_name(house: House) -> None:
    applicant = house.user()
    made = house.people.begin_application("sys", "Acme", CHECKS, by=applicant.who, now=house.clock.now)
    with refused("bad_value") as caught:
        house.people.save_application(made.id, "Acme", {"lei": GOOD[0][:-1] + "6"}, by=applicant.who, now=house.clock.now)
    assert caught.value.field == "lei"
    with refused("too_large"):
        house.people.save_application(made.id, "Acme", {"x": "y" * 70_000}, by=applicant.who, now=house.clock.now)
    with refused("wrong_kind"):
        house.people.attach(made.id, "x", "a.csv", b"a,b\n", by=applicant.who, now=house.clock.now)


def test_S3_drafts_are_kept_for_each_form_and_bounded(tmp_path: object, clock: Clock) -> None:
    people = open_people(f"{tmp_path}/p.db", quick(draft_bytes_max=100, drafts_per_person=2))
    user, other = (House(people, clock).user() for _ in range(2))
    people.save_draft(user.id, "transfer", {"quantity": "10"}, now=clock.now)
    people.save_draft(user.id, "transfer", {"quantity": "11", "to": "碳"}, now=clock.pass_(seconds=10))
    draft = people.draft(user.id, "transfer")
    assert draft is not None and draft.body == {"quantity": "11", "to": "碳"} and draft.at == clock.now
    assert people.draft(other.id, "transfer") is None
    people.save_draft(user.id, "apply", {}, now=clock.pass_(seconds=10))
    assert [each.form for each in people.drafts_of(user.id)] == ["apply", "transfer"]
    for form, body, name in (
        ("third", {}, "too_large"),
        ("apply", {"x": "y" * 100}, "too_large"),
        ("apply", {"x": b""}, "bad_value"),
        ("", {}, "bad_value"),
    ):
        with refused(name):
            people.save_draft(user.id, form, body, now=clock.now)
    people.drop_draft(user.id, "apply")
    assert people.draft(user.id, "apply") is None
    people.close()


def test_messages_are_read_listed_and_mailed(house: House, user: User, people: People) -> None:
    before = people.messages(user.id, unread=True).total
    people.message(user.id, "transfer", "To approve", "10 units", facts={"id": "T-1"}, now=house.clock.pass_(minutes=1))
    people.message(user.id, "note", "Only here", "text", mail=False, now=house.clock.pass_(minutes=1))
    page = people.messages(user.id, unread=True, limit=2)
    assert page.total == before + 2 and [message.subject for message in page.rows] == ["Only here", "To approve"]  # type: ignore[attr-defined]
    letters = [message for message in people.letters_to_send() if message.kind in ("transfer", "note")]
    assert [(letter.subject, letter.mail_to, letter.facts, letter.language) for letter in letters] == [
        ("To approve", user.email, {"id": "T-1"}, "en")
    ]
    people.letter_sent(letters[0].id, now=house.clock.now)
    assert not [message for message in people.letters_to_send() if message.kind == "transfer"]
    assert people.mark_read(user.id, letters[0].id, now=house.clock.now) == 1
    assert people.mark_read(house.user().id, letters[0].id, now=house.clock.now) == 0
    assert people.mark_read(user.id, now=house.clock.now) == before + 1 and people.messages(user.id, unread=True).total == 0
    with refused("bad_value"):
        people.message(user.id, "note", "two\nlines", "text", now=house.clock.now)
