"""Checklist A1 to A12: how somebody proves who they are."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
import sqlalchemy as sa
from cast import PASSWORD, Clock, House, User, kinds, quick, refused

from tonne.people import COMMAND, People, PeopleRefused, Who, open_people
from tonne.people.tables import passwords as password_table
from tonne.people.words import is_easy, what_remains

HERE = "192.0.2.1"


def stored(people: People, person: str) -> str:
    with people._db.read() as connection:
        return str(connection.execute(sa.select(password_table.c.hash).where(password_table.c.person == person)).scalar_one())


def test_A1_eleven_characters_are_refused_and_twelve_to_128_of_any_kind_accepted(people: People) -> None:
    with refused("weak_password"):
        people.check_password("vroxm pwelt")
    people.check_password("vroxm pweltk")
    people.check_password("vroxmpweltkz")  # no digit, no sign, no capital
    people.check_password("鸭子在湖边慢慢走过一座小桥呀")
    people.check_password(("heron walks under violet bridges; " * 4)[:128] + "x")
    with refused("weak_password"):
        people.check_password("heron" + "abqx" * 70)


@pytest.mark.parametrize(
    "password",
    [
        "password1234", "Passw0rd!2024", "P@55w0rd1234", "tonne-tonne-tonne", "qwertyuiop123", "1qaz2wsx3edc", "aaaaaaaaaaaa", "abcabcabcabc",
        "123456789012", "LetMeIn12345!", "iloveyou2024", "acme-works-2026", "Ada-Quill-1999", "monkey-dragon-1", "summer2024!!!", "zaq1zaq1zaq1",
    ],
)  # fmt: skip
def test_A2_common_passwords_and_context_words_are_refused_with_a_reason(tmp_path: Path, password: str) -> None:
    people = open_people(tmp_path / "p.db", quick(context_words=("acme works",)))
    with pytest.raises(PeopleRefused) as caught:
        people.check_password(password, name="Ada Quill", email="quill@example.org")
    assert caught.value.name == "weak_password" and "words" in caught.value.text and caught.value.field == "password"
    people.close()


@pytest.mark.parametrize("password", ["correct horse battery staple", "purple monkey dishwasher lamp", "Trübe Wasser, 3 Enten", "xk7#qv9!mw2$zt"])
def test_A2_a_pass_phrase_may_hold_common_words(password: str) -> None:
    assert not is_easy(password, ()), what_remains(password, ())


def test_A2_a_list_of_leaked_passwords_is_asked(tmp_path: Path) -> None:
    people = open_people(tmp_path / "p.db", quick(), breached=lambda text: text == PASSWORD)
    with pytest.raises(PeopleRefused, match="leak"):
        people.check_password(PASSWORD)
    people.close()


def test_A3_argon2id_and_rehashed_when_the_parameters_rise(tmp_path: Path, clock: Clock) -> None:
    where = tmp_path / "p.db"
    people = open_people(where, quick())
    user = House(people, clock).user()
    old = stored(people, user.id)
    assert old.startswith("$argon2id$") and "t=1" in old
    people.close()
    user.people = open_people(where, quick(argon2_time=2))
    user.log_in()
    new = stored(user.people, user.id)
    assert new.startswith("$argon2id$") and "t=2" in new
    user.log_in()
    assert stored(user.people, user.id) == new
    user.people.close()


def test_A4_a_password_alone_never_reaches_a_full_session(house: House, user: User) -> None:
    pending = house.people.login(user.email, PASSWORD, address=HERE, now=house.clock.now)
    assert pending.session.stage == "factor"
    for attempt in (
        lambda: house.people.step_up(pending.token, "x", user.code(), address=HERE, now=house.clock.now),
        lambda: house.people.act_as(pending.token, None, now=house.clock.now),
        lambda: house.people.enrol_factor(pending.token, address=HERE, now=house.clock.now),
        lambda: house.people.change_password(pending.token, PASSWORD, "another long phrase here", address=HERE, now=house.clock.now),
        lambda: house.people.end_other_sessions(pending.token, now=house.clock.now),
        lambda: house.people.new_recovery_codes(pending.token, user.code(), address=HERE, now=house.clock.now),
    ):
        with refused("factor_needed"):
            attempt()
    with refused("not_permitted"):
        house.people.create_key(pending.session, "x", ["read"], address=HERE, now=house.clock.now)
    house.clock.pass_(minutes=10)
    with refused("expired"):
        house.people.session(pending.token, house.clock.now)


def test_A4_a_person_without_a_factor_must_set_one_up_first(house: House) -> None:
    _, email, invitation = house.invited()
    login = house.people.accept_invitation(invitation, PASSWORD, address=HERE, now=house.clock.now)
    assert login.session.stage == "enrol" and not login.session.is_full
    assert house.people.login(email, PASSWORD, address=HERE, now=house.clock.now).session.stage == "enrol"
    with refused("wrong_state"):
        house.people.prove(login.token, "123456", address=HERE, now=house.clock.now)


def test_A5_each_code_works_once(house: House, user: User) -> None:
    code = user.code()
    first = house.people.login(user.email, PASSWORD, address=HERE, now=house.clock.now)
    second = house.people.login(user.email, PASSWORD, address=HERE, now=house.clock.now)
    assert house.people.prove(first.token, code, address=HERE, now=house.clock.now).session.is_full
    with refused("code_used"):
        house.people.prove(second.token, code, address=HERE, now=house.clock.now)
    with refused("code_used"):  # nor an older one, that was never used
        house.people.prove(second.token, pyotp.TOTP(user.secret).at(house.clock.now - timedelta(seconds=30)), address=HERE, now=house.clock.now)


@pytest.mark.parametrize(("steps", "good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_A5_at_most_one_step_of_drift(house: House, user: User, steps: int, good: bool) -> None:
    house.clock.pass_(minutes=5)
    pending = house.people.login(user.email, PASSWORD, address=HERE, now=house.clock.now)
    code = pyotp.TOTP(user.secret).at(house.clock.now + timedelta(seconds=30 * steps))
    if good:
        assert house.people.prove(pending.token, code, address=HERE, now=house.clock.now).session.is_full
    else:
        with refused("wrong_code"):
            house.people.prove(pending.token, code, address=HERE, now=house.clock.now)


def test_A5_one_code_at_the_same_time_from_two_sides_opens_one_session(house: House, user: User) -> None:
    code = user.code()
    pending = [house.people.login(user.email, PASSWORD, address=HERE, now=house.clock.now) for _ in range(4)]
    outcomes: list[str] = []

    def prove(token: str) -> None:
        try:
            house.people.prove(token, code, address=HERE, now=house.clock.now)
            outcomes.append("full")
        except PeopleRefused as refusal:
            outcomes.append(refusal.name)

    threads = [threading.Thread(target=prove, args=(login.token,)) for login in pending]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["code_used"] * 3 + ["full"]


def test_A5_recovery_codes_work_once_and_are_stored_hashed(house: House, user: User) -> None:
    assert len(user.recovery) == len(set(user.recovery)) == 10
    pending = house.people.login(user.email, PASSWORD, address=HERE, now=house.clock.now)
    code = user.recovery[3].upper().replace("-", " ").replace("0", "O")
    assert house.people.prove(pending.token, code, address=HERE, now=house.clock.now).session.is_full
    pending = house.people.login(user.email, PASSWORD, address=HERE, now=house.clock.now)
    with refused("code_used"):
        house.people.prove(pending.token, user.recovery[3], address=HERE, now=house.clock.now)
    assert house.people.recovery_codes_left(user.id) == 9
    assert "recovery_used" in kinds(house.people, user.id)
    house.people.flush(house.clock.now)
    raw = Path(house.people._db.engine.url.database or "").read_bytes()
    assert user.recovery[4].encode() not in raw and user.secret.encode() not in raw


def test_A6_the_sixth_try_waits_and_the_right_password_works_after_the_pause(house: House, user: User) -> None:
    for _ in range(5):
        with refused("wrong_login"):
            house.people.login(user.email, "wrong", address=HERE, now=house.clock.now)
    with pytest.raises(PeopleRefused) as caught:
        house.people.login(user.email, PASSWORD, address=HERE, now=house.clock.now)
    assert caught.value.name == "locked" and caught.value.retry_after == 60
    house.clock.pass_(seconds=59)
    with refused("locked"):
        house.people.login(user.email, PASSWORD, address=HERE, now=house.clock.now)
    house.clock.pass_(seconds=1)
    assert house.people.login(user.email, PASSWORD, address=HERE, now=house.clock.now).session.stage == "factor"


def test_A6_the_delay_grows_and_ends(house: House, user: User) -> None:
    waits = []
    for _ in range(12):
        try:
            house.people.login(user.email, "wrong", address="", now=house.clock.now)
        except PeopleRefused as refusal:
            if refusal.name == "locked":
                waits.append(refusal.retry_after)
                house.clock.pass_(seconds=refusal.retry_after or 0)
    assert waits[:3] == [60, 120, 240]
    for _ in range(30):  # an outsider goes on for hours
        try:
            house.people.login(user.email, "wrong", address="", now=house.clock.now)
        except PeopleRefused as refusal:
            house.clock.pass_(seconds=refusal.retry_after or 0)
            waits.append(refusal.retry_after or 0)
    assert max(wait or 0 for wait in waits) == 15 * 60
    house.clock.pass_(minutes=15)
    assert house.people.login(user.email, PASSWORD, address=HERE, now=house.clock.now)


def test_A6_strangers_cannot_lock_out_a_device_that_was_used_before(house: House, user: User) -> None:
    for _ in range(5):
        with refused("wrong_login"):
            house.people.login(user.email, "wrong", address="203.0.113.9", device="strange", now=house.clock.now)
    with refused("locked"):
        house.people.login(user.email, PASSWORD, address=HERE, device="strange", now=house.clock.now)
    assert user.log_in()


def test_A6_one_address_is_limited_over_many_persons_and_success_does_not_wipe_its_failures(house: House, user: User) -> None:
    for number in range(19):
        with refused("wrong_login"):
            house.people.login(f"nobody{number}@example.org", "wrong", address=HERE, now=house.clock.now)
    assert house.people.login(user.email, PASSWORD, address=HERE, now=house.clock.now)
    with refused("wrong_login"):
        house.people.login("nobody20@example.org", "wrong", address=HERE, now=house.clock.now)
    with refused("locked"):
        house.people.login(user.email, PASSWORD, address=HERE, now=house.clock.now)
    assert house.people.login(user.email, PASSWORD, address="198.51.100.3", now=house.clock.now)
    assert house.people.login(user.email, PASSWORD, address=HERE, device=user.device, now=house.clock.now)


def test_A6_many_tries_at_once_do_not_slip_past_the_count(house: House, user: User) -> None:
    names: list[str] = []

    def attempt() -> None:
        try:
            house.people.login(user.email, "wrong", address="", now=house.clock.now)
        except PeopleRefused as refusal:
            names.append(refusal.name)

    threads = [threading.Thread(target=attempt) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(names) == ["locked"] * 11 + ["wrong_login"] * 5


def test_A6_the_second_factor_is_limited_too(house: House, user: User) -> None:
    pending = house.people.login(user.email, PASSWORD, address=HERE, now=house.clock.now)
    for _ in range(5):
        with refused("wrong_code"):
            house.people.prove(pending.token, "000000", address="", now=house.clock.now)
    with refused("locked"):
        house.people.prove(pending.token, user.code(), address="", now=house.clock.now)


def test_A7_unknown_suspended_and_wrong_get_the_same_answer(house: House, user: User) -> None:
    other = house.user()
    house.people.suspend_person(other.id, by=COMMAND, now=house.clock.now)
    answers = set()
    for email, password in ((user.email, "wrong"), ("nobody@example.org", PASSWORD), (other.email, PASSWORD)):
        with pytest.raises(PeopleRefused) as caught:
            house.people.login(email, password, address=HERE, now=house.clock.now)
        answers.add((caught.value.name, caught.value.text, caught.value.retry_after, caught.value.field))
    assert len(answers) == 1
    assert house.people.request_reset("nobody@example.org", address=HERE, now=house.clock.now) is None
    assert house.people.request_reset(user.email, address=HERE, now=house.clock.now) is None
    house.people.register("new@example.org", "New", address=HERE, now=house.clock.now)
    house.people.register(user.email, "Again", address=HERE, now=house.clock.now)
    assert house.people.person(user.id).name == "Ada Quill"
    assert "registered_already" in kinds(house.people, user.id)


def test_A7_an_unknown_user_costs_a_hash_as_well(tmp_path: Path, clock: Clock) -> None:
    """Counted, not timed: each failed log-in verifies exactly one hash of today's parameters, whoever it is for."""
    people = open_people(tmp_path / "p.db", quick())
    user = House(people, clock).user()
    seen: list[str] = []
    hasher = people._passwords._hasher
    verify = hasher.verify

    class Counting:
        def verify(self, hash: str, password: str) -> bool:
            seen.append(hash.rpartition("$")[0].rpartition("$")[0])
            return bool(verify(hash, password))

    people._passwords._hasher = Counting()  # type: ignore[assignment]
    for email in (user.email, "nobody@example.org"):
        with refused("wrong_login"):
            people.login(email, "wrong", address="", now=clock.now)
    assert len(seen) == 2 and seen[0] == seen[1]
    people._passwords._hasher = hasher
    people.close()


def letter(people: People, person: str, kind: str) -> str:
    """The link of the newest letter of a kind."""
    return next(message.link for message in reversed(people.letters_to_send()) if message.person == person and message.kind == kind)


def test_A8_a_reset_never_bypasses_the_factor_and_works_once(house: House, user: User) -> None:
    house.people.request_reset(user.email, address=HERE, now=house.clock.now)
    link = letter(house.people, user.id, "reset")
    with refused("weak_password"):
        house.people.reset_password(link, "password1234", address=HERE, now=house.clock.now)
    house.people.reset_password(link, "quiet otters fold maps", address=HERE, now=house.clock.now)
    with refused("ended"):
        house.people.session(user.token, house.clock.now)
    with refused("link_used"):
        house.people.reset_password(link, "quiet otters fold maps", address=HERE, now=house.clock.now)
    with refused("wrong_login"):
        house.people.login(user.email, PASSWORD, address=HERE, now=house.clock.now)
    login = house.people.login(user.email, "quiet otters fold maps", address=HERE, now=house.clock.now)
    assert login.session.stage == "factor"
    assert kinds(house.people, user.id)[:2] == ["password_changed", "reset"] or "password_changed" in kinds(house.people, user.id)


def test_A8_a_reset_link_ends_after_72_hours_and_a_new_one_kills_the_old(house: House, user: User) -> None:
    house.people.request_reset(user.email, address=HERE, now=house.clock.now)
    first = letter(house.people, user.id, "reset")
    house.people.request_reset(user.email, address=HERE, now=house.clock.pass_(minutes=1))
    second = letter(house.people, user.id, "reset")
    with refused("link_used"):
        house.people.reset_password(first, "quiet otters fold maps", address=HERE, now=house.clock.now)
    with refused("expired"):
        house.people.reset_password(second, "quiet otters fold maps", address=HERE, now=house.clock.pass_(hours=72))


def test_A8_letters_are_limited_without_telling(house: House, user: User) -> None:
    for _ in range(6):
        house.people.request_reset(user.email, address="", now=house.clock.now)
    assert kinds(house.people, user.id).count("reset") == 3


def test_A8_a_lost_factor_needs_another_person_and_a_waiting_time(house: House, user: User) -> None:
    manager = house.user(rights=("read", "manage"))
    with refused("same_person"):
        house.people.replace_factor(user.id, by=user.who, now=house.clock.now)
    made = house.people.replace_factor(user.id, by=manager.who, now=house.clock.now)
    assert made.effective_at == house.clock.now + timedelta(hours=72) and "factor_replacement" in kinds(house.people, user.id)
    pending = house.people.login(user.email, PASSWORD, address=HERE, now=house.clock.now)
    with pytest.raises(PeopleRefused) as caught:
        house.people.prove(pending.token, made.code, address=HERE, now=house.clock.now)
    assert caught.value.name == "too_early" and caught.value.retry_after == 72 * 3600
    house.clock.pass_(hours=72)
    pending = house.people.login(user.email, PASSWORD, address=HERE, now=house.clock.now)
    begun = house.people.prove(pending.token, made.code, address=HERE, now=house.clock.now)
    assert begun.session.stage == "enrol"
    _, enrolment = house.people.enrol_factor(begun.token, address=HERE, now=house.clock.now)
    login, codes = house.people.confirm_factor(
        begun.token, enrolment.factor, pyotp.TOTP(enrolment.secret).at(house.clock.now), address=HERE, now=house.clock.now
    )
    assert login.session.is_full and len(codes) == 10
    pending = house.people.login(user.email, PASSWORD, address=HERE, now=house.clock.now)
    for dead in (made.code, user.recovery[0], user.code()):
        with refused("wrong_code"):
            house.people.prove(pending.token, dead, address=HERE, now=house.clock.now)


def test_A8_the_person_can_stop_a_replacement_and_nobody_else_can_begin_one(house: House, user: User) -> None:
    manager, stranger = house.user(rights=("manage",)), house.user(rights=("manage",), participant="other")
    with refused("not_permitted"):
        house.people.replace_factor(user.id, by=stranger.who, now=house.clock.now)
    made = house.people.replace_factor(user.id, by=manager.who, now=house.clock.now)
    assert house.people.replacement_effective_at(user.id) == made.effective_at
    house.people.cancel_replacement(user.id, by=user.who, now=house.clock.now)
    house.clock.pass_(hours=100)
    pending = house.people.login(user.email, PASSWORD, address=HERE, now=house.clock.now)
    with refused("wrong_code"):
        house.people.prove(pending.token, made.code, address=HERE, now=house.clock.now)


def test_A9_invitations_work_once_within_72_hours_and_are_stored_hashed(house: House) -> None:
    person, _, token = house.invited()
    raw = Path(house.people._db.engine.url.database or "")
    assert token.encode() not in raw.read_bytes() + raw.with_name(raw.name + "-wal").read_bytes()
    assert house.people.invitation(token, now=house.clock.now).id == person
    with refused("weak_password"):
        house.people.accept_invitation(token, "password1234", address=HERE, now=house.clock.now)
    house.people.accept_invitation(token, PASSWORD, address=HERE, now=house.clock.now)
    with refused("link_used"):
        house.people.accept_invitation(token, PASSWORD, address=HERE, now=house.clock.now)
    _, _, late = house.invited()
    with refused("expired"):
        house.people.accept_invitation(late, PASSWORD, address=HERE, now=house.clock.pass_(hours=72))
    with refused("link_unknown"):
        house.people.accept_invitation("x" * 43, PASSWORD, address=HERE, now=house.clock.now)


def test_A9_nobody_sets_anothers_password(house: House, user: User) -> None:
    with refused("wrong_state"):
        house.people.invite(user.id, by=COMMAND, now=house.clock.now)


def test_A9_a_link_of_one_kind_opens_nothing_else(house: House, user: User) -> None:
    _, _, invitation = house.invited()
    with refused("link_unknown"):
        house.people.reset_password(invitation, PASSWORD, address=HERE, now=house.clock.now)


def test_A9_a_letter_carries_its_link_once(house: House) -> None:
    person, email, token = house.invited()
    waiting = [message for message in house.people.letters_to_send() if message.person == person]
    assert [(message.kind, message.link, message.mail_to) for message in waiting] == [("invitation", token, email)]
    assert all(message.link == "" for message in house.people.messages(person).rows)  # type: ignore[attr-defined]
    house.people.letter_sent(waiting[0].id, now=house.clock.now)
    assert not [message for message in house.people.letters_to_send() if message.person == person]


def test_A10_a_new_device_is_told_and_a_known_one_not(house: House, user: User) -> None:
    assert "new_device" not in kinds(house.people, user.id)
    user.log_in()
    assert "new_device" not in kinds(house.people, user.id)
    user.log_in(device="device-two")
    assert kinds(house.people, user.id).count("new_device") == 1
    user.log_in(device="device-two", end_oldest=True)
    assert kinds(house.people, user.id).count("new_device") == 1
    user.log_in(device="", end_oldest=True)
    assert kinds(house.people, user.id).count("new_device") == 2


def test_A10_changed_factor_password_and_blocked_login_are_told(house: House, user: User) -> None:
    assert "factor_changed" in kinds(house.people, user.id)
    assert user.people.change_password(user.token, PASSWORD, "quiet otters fold maps", address=HERE, now=house.clock.now) == 0
    assert "password_changed" in kinds(house.people, user.id)
    for _ in range(5):
        with refused("wrong_login"):
            house.people.login(user.email, "wrong", address=HERE, now=house.clock.now)
    assert kinds(house.people, user.id).count("login_blocked") == 1


def test_A10_a_changed_address_is_told_to_the_old_and_the_new_one(house: House, user: User) -> None:
    login = house.people.change_email(user.token, "ada@new.example", user.code(), address=HERE, now=house.clock.now)
    sent = {(message.kind, message.mail_to) for message in house.people.letters_to_send() if message.person == user.id}
    assert {("email_changing", user.email), ("email_change", "ada@new.example")} <= sent
    assert house.people.person(user.id).email == user.email
    house.people.confirm_email(letter(house.people, user.id, "email_change"), address=HERE, now=house.clock.now)
    sent = {(message.kind, message.mail_to) for message in house.people.letters_to_send() if message.person == user.id}
    assert {("email_changed", user.email), ("email_changed", "ada@new.example")} <= sent
    assert house.people.session(login.token, house.clock.now).person.email == "ada@new.example"
    with refused("no_session"):
        house.people.session(user.token, house.clock.now)


def test_A10_anothers_address_is_not_taken_and_not_told(house: House, user: User) -> None:
    other = house.user()
    house.people.change_email(user.token, other.email.upper(), user.code(), address=HERE, now=house.clock.now)
    assert not [message for message in house.people.letters_to_send() if message.kind == "email_change"]


def test_A10_changing_the_password_needs_the_old_one(house: House, user: User) -> None:
    for _ in range(5):
        with refused("wrong_password"):
            house.people.change_password(user.token, "wrong", "quiet otters fold maps", address="", now=house.clock.now)
    with refused("locked"):
        house.people.change_password(user.token, PASSWORD, "quiet otters fold maps", address="", now=house.clock.now)
    house.clock.pass_(minutes=1)
    with refused("weak_password"):
        house.people.change_password(user.token, PASSWORD, "password1234", address="", now=house.clock.now)
    house.people.change_password(user.token, PASSWORD, "quiet otters fold maps", address="", now=house.clock.now)


def test_A11_a_fresh_start_has_no_login_and_the_first_administrator_comes_by_command(people: People, clock: Clock) -> None:
    for email in ("admin", "admin@example.org", "root@localhost", ""):
        with refused("wrong_login"):
            people.login(email, "admin", address=HERE, now=clock.now)
    assert people.find_persons().total == 0
    token = people.first_administrator("root@example.org", "Rosa Root", ("sys", "other"), now=clock.now)
    person = people.invitation(token, now=clock.now)
    mine = people.memberships_of(person.id)
    assert {(m.system, m.participant, m.is_administrator) for m in mine} == {("sys", "administrator", True), ("other", "administrator", True)}
    with refused("not_first"):
        people.first_administrator("second@example.org", "Second", ("other",), now=clock.now)
    assert people.accept_invitation(token, PASSWORD, address=HERE, now=clock.now).session.stage == "enrol"


def test_A11_who_is_not_the_command_line_cannot_say_so(people: People, clock: Clock) -> None:
    with refused("not_permitted"):
        people.add_person("x@example.org", "X", by=Who(address=HERE), now=clock.now)
    with refused("not_permitted"):
        people.add_person("x@example.org", "X", by=replace(COMMAND, person="p-nobody"), now=clock.now)
