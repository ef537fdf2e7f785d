"""One case for each Result, asked of the fast books and of the auditor alike; a Result without a case fails the last test."""

from __future__ import annotations

import re

import pytest

from tonne.ledger import LARGEST_QUANTITY, AccountFlag, Auditor, Books, Result, Transfer, TransferFlag, UnitType, batch_of
from tonne.ledger import result as result_module

F = TransferFlag
MUST = AccountFlag.MUST_NOT_OVERDRAW
ISSUANCE, HOLDER, OTHER, CLOSED, ONE_WAY, BLOCKED, FREE = range(7)
DAY = 13

PAST = [
    Transfer(1, 0, 100, ISSUANCE, HOLDER, 0, 10, kind=7),
    Transfer(2, 0, 30, HOLDER, OTHER, 0, 10, flags=F.PENDING, expires=20),
    Transfer(3, 0, 10, HOLDER, OTHER, 0, 10, flags=F.PENDING),
    Transfer(4, 3, 0, HOLDER, OTHER, 0, 10, flags=F.POST),
    Transfer(5, 0, 10, HOLDER, OTHER, 0, 10, flags=F.PENDING),
    Transfer(6, 5, 0, HOLDER, OTHER, 0, 10, flags=F.VOID),
    Transfer(7, 0, 5, HOLDER, OTHER, 0, 10, flags=F.PENDING, expires=12),
    Transfer(8, 0, 50, ISSUANCE, ONE_WAY, 0, 10),
    Transfer(9, 0, 50, ISSUANCE, BLOCKED, 0, 10),
    Transfer(10, 0, 5, HOLDER, OTHER, 0, 10, flags=F.PENDING, expires=13),
]

GOOD = Transfer(50, 0, 5, HOLDER, OTHER, 0, DAY)
POST = Transfer(50, 2, 0, HOLDER, OTHER, 0, DAY, flags=F.POST)
VOID = POST._replace(flags=F.VOID)
CORRECT = Transfer(50, 1, 5, HOLDER, ISSUANCE, 0, DAY, flags=F.CORRECTS)

CASES: list[tuple[Result, Transfer]] = [
    (Result.POSTED, GOOD),
    (Result.POSTED, GOOD._replace(flags=F.PENDING, expires=DAY + 1)),
    (Result.POSTED, POST),
    (Result.POSTED, POST._replace(quantity=29)),
    (Result.POSTED, VOID),
    (Result.POSTED, VOID._replace(quantity=30)),
    (Result.POSTED, CORRECT),
    (Result.POSTED, CORRECT._replace(reference=4)),
    (Result.POSTED, CORRECT._replace(flags=F.CORRECTS | F.PENDING)),
    (Result.POSTED, GOOD._replace(from_account=ONE_WAY, flags=F.BY_AUTHORITY)),
    (Result.POSTED, GOOD._replace(from_account=BLOCKED, flags=F.BY_AUTHORITY)),
    (Result.POSTED, GOOD._replace(to_account=BLOCKED)),
    (Result.POSTED, GOOD._replace(from_account=FREE, quantity=LARGEST_QUANTITY, unit=1)),
    (Result.LINKED_CHAIN_OPEN, GOOD._replace(flags=F.LINKED)),
    (Result.ID_MUST_BE_POSITIVE, GOOD._replace(id=0)),
    (Result.ID_MUST_BE_POSITIVE, GOOD._replace(id=-1)),
    (Result.EXISTS, PAST[0]),
    (Result.EXISTS, PAST[3]),
    (Result.EXISTS, PAST[3]._replace(quantity=10)),
    (Result.EXISTS_WITH_DIFFERENT_FLAGS, PAST[0]._replace(flags=F.PENDING)),
    (Result.EXISTS_WITH_DIFFERENT_REFERENCE, PAST[3]._replace(reference=2)),
    (Result.EXISTS_WITH_DIFFERENT_FROM_ACCOUNT, PAST[0]._replace(from_account=OTHER)),
    (Result.EXISTS_WITH_DIFFERENT_TO_ACCOUNT, PAST[0]._replace(to_account=OTHER)),
    (Result.EXISTS_WITH_DIFFERENT_UNIT, PAST[0]._replace(unit=1)),
    (Result.EXISTS_WITH_DIFFERENT_QUANTITY, PAST[0]._replace(quantity=101)),
    (Result.EXISTS_WITH_DIFFERENT_QUANTITY, PAST[3]._replace(quantity=9)),
    (Result.EXISTS_WITH_DIFFERENT_DAY, PAST[0]._replace(day=11)),
    (Result.EXISTS_WITH_DIFFERENT_EXPIRES, PAST[1]._replace(expires=21)),
    (Result.EXISTS_WITH_DIFFERENT_KIND, PAST[0]._replace(kind=8)),
    (Result.FLAG_UNKNOWN, GOOD._replace(flags=64)),
    (Result.FLAGS_CONTRADICT, GOOD._replace(flags=F.PENDING | F.POST)),
    (Result.FLAGS_CONTRADICT, GOOD._replace(flags=F.VOID | F.POST)),
    (Result.FLAGS_CONTRADICT, GOOD._replace(flags=F.VOID | F.CORRECTS)),
    (Result.FROM_ACCOUNT_UNKNOWN, GOOD._replace(from_account=7)),
    (Result.FROM_ACCOUNT_UNKNOWN, GOOD._replace(from_account=-1)),
    (Result.TO_ACCOUNT_UNKNOWN, GOOD._replace(to_account=7)),
    (Result.UNIT_UNKNOWN, GOOD._replace(unit=2)),
    (Result.SAME_ACCOUNT, GOOD._replace(to_account=HOLDER)),
    (Result.QUANTITY_MUST_BE_POSITIVE, GOOD._replace(quantity=0)),
    (Result.QUANTITY_MUST_BE_POSITIVE, POST._replace(quantity=-1)),
    (Result.EXPIRES_NOT_EXPECTED, GOOD._replace(expires=DAY + 1)),
    (Result.EXPIRES_NOT_AFTER_DAY, GOOD._replace(flags=F.PENDING, expires=DAY)),
    (Result.DAY_OUT_OF_ORDER, GOOD._replace(day=11)),
    (Result.REFERENCE_NOT_EXPECTED, GOOD._replace(reference=1)),
    (Result.CORRECTED_NOT_FOUND, CORRECT._replace(reference=99)),
    (Result.CORRECTED_NOT_FOUND, CORRECT._replace(reference=0)),
    (Result.CORRECTED_NOT_POSTED, CORRECT._replace(reference=2)),
    (Result.CORRECTED_NOT_POSTED, CORRECT._replace(reference=6)),
    (Result.CORRECTED_DIFFERENT_UNIT, CORRECT._replace(unit=1)),
    (Result.PENDING_NOT_FOUND, POST._replace(reference=99)),
    (Result.PENDING_NOT_FOUND, VOID._replace(reference=0)),
    (Result.REFERENCE_NOT_PENDING, POST._replace(reference=1)),
    (Result.PENDING_DIFFERENT_FROM_ACCOUNT, POST._replace(from_account=FREE)),
    (Result.PENDING_DIFFERENT_TO_ACCOUNT, POST._replace(to_account=FREE)),
    (Result.PENDING_DIFFERENT_UNIT, POST._replace(unit=1)),
    (Result.EXCEEDS_PENDING, POST._replace(quantity=31)),
    (Result.EXCEEDS_PENDING, VOID._replace(quantity=31)),
    (Result.PENDING_DIFFERENT_QUANTITY, VOID._replace(quantity=29)),
    (Result.PENDING_ALREADY_POSTED, POST._replace(reference=3)),
    (Result.PENDING_ALREADY_VOIDED, POST._replace(reference=5)),
    (Result.PENDING_EXPIRED, POST._replace(reference=7)),
    (Result.PENDING_EXPIRED, POST._replace(reference=10)),
    (Result.FROM_ACCOUNT_CLOSED, GOOD._replace(from_account=CLOSED, flags=F.BY_AUTHORITY)),
    (Result.TO_ACCOUNT_CLOSED, GOOD._replace(to_account=CLOSED, flags=F.BY_AUTHORITY)),
    (Result.ACCOUNT_BLOCKED, GOOD._replace(from_account=BLOCKED)),
    (Result.ACCOUNT_ONE_WAY, GOOD._replace(from_account=ONE_WAY)),
    (Result.INSUFFICIENT_BALANCE, GOOD._replace(quantity=56)),
    (Result.INSUFFICIENT_BALANCE, GOOD._replace(quantity=56, flags=F.PENDING)),
    (Result.QUANTITY_OVERFLOW, GOOD._replace(from_account=FREE, quantity=LARGEST_QUANTITY + 1)),
    (Result.QUANTITY_OVERFLOW, GOOD._replace(from_account=ISSUANCE, quantity=LARGEST_QUANTITY - 199)),
    (Result.QUANTITY_OVERFLOW, GOOD._replace(from_account=FREE, to_account=OTHER, quantity=2**63 - 1, flags=F.PENDING)),
]


@pytest.fixture(params=[Books, Auditor])
def ledger(request):
    ledger = request.param()
    ledger.open_accounts([0, MUST, MUST, AccountFlag.CLOSED, MUST | AccountFlag.ONE_WAY, MUST | AccountFlag.BLOCKED, 0])
    ledger.add_unit_type(UnitType("A", "test", "allowance", 2020, "tonne"))
    ledger.add_unit_type(UnitType("B", "test", "allowance", 2021, "tonne"))
    assert not ledger.apply(batch_of(PAST)).any()
    assert ledger.expire(12).tolist() == [7]
    return ledger


@pytest.mark.parametrize(("expected", "transfer"), CASES)
def test_each_result(ledger, expected, transfer):
    before = ledger.state_hash()
    answer = Result(int(ledger.apply(batch_of([transfer]))[0]))
    assert answer == expected
    assert (ledger.state_hash() == before) == (answer != Result.POSTED), "a refusal leaves no trace, a posting does"
    ledger.check()


def test_the_reason_is_told_on_the_transfer_that_failed(ledger):
    linked = [GOOD._replace(id=60 + k, flags=F.LINKED) for k in range(3)]
    chain = [linked[0], linked[1]._replace(quantity=1000), linked[2], GOOD._replace(id=64)]
    failed = Result.LINKED_TRANSFER_FAILED
    assert ledger.apply(batch_of(chain)).tolist() == [failed, Result.INSUFFICIENT_BALANCE, failed, failed]


def test_every_result_has_a_case():
    cases = {expected for expected, _ in CASES} | {Result.LINKED_TRANSFER_FAILED}
    assert cases == set(Result)


def test_precedence_is_the_number():
    """A transfer wrong in every group is refused for the lowest; mending it group by group brings up the next."""
    ledger = Books()
    ledger.open_accounts([AccountFlag.CLOSED | MUST, 0])
    ledger.add_unit_type(UnitType("A", "test", "allowance", 2020, "tonne"))
    ledger.expire(DAY)
    wrong = Transfer(-1, 5, -1, 9, 9, 9, 1, 1, 0, F.POST | F.PENDING)
    mends = [
        ("id", 1), ("flags", 0), ("from_account", 0), ("to_account", 0), ("unit", 0), ("to_account", 1), ("quantity", 5), ("expires", 0),
        ("day", DAY), ("reference", 0),
    ]  # fmt: skip
    answers = [int(ledger.apply(batch_of([wrong]))[0])]
    for field, value in mends:
        wrong = wrong._replace(**{field: value})
        answers.append(int(ledger.apply(batch_of([wrong]))[0]))
    ledger.set_flags([0], [MUST])
    answers.append(int(ledger.apply(batch_of([wrong]))[0]))
    assert answers == sorted(set(answers))
    assert answers[-2:] == [Result.FROM_ACCOUNT_CLOSED, Result.INSUFFICIENT_BALANCE]


def test_names_and_meanings():
    assert Result.INSUFFICIENT_BALANCE.name_for_people == "insufficient_balance"
    assert [int(r) for r in Result] == sorted(int(r) for r in Result), "the order of writing is the order of precedence"
    assert max(Result) < 256, "results are stored as uint8"
    source = open(result_module.__file__, encoding="utf-8").read()  # noqa: SIM115
    for result in Result:
        assert re.search(rf"    {result.name} = \d+\n    \"\"\"\w", source), f"{result.name} has no meaning written under it"
