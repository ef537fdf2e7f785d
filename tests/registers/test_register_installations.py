"""The register of installations: what it takes, what it refuses, that it never changes, and that equal content is equal in bytes."""

import polars as pl
import pytest

from tonne.registers.errors import RegisterError
from tonne.registers.installations import INSTALLATION_SCHEMA, Installations
from tonne.registers.participants import Operator, Participant, Participants


def some() -> Installations:
    rows = {
        "installation": ["B_2", "A_1", "A_9"],
        "account": ["12", "11", None],
        "registry": ["B", "A", "A"],
        "name": ["Kiln", "Mill", "Boiler"],
        "operator": ["Lime plc", "Paper plc", "Paper plc"],
        "opened": [2005, 2008, None],
        "country": ["B", "A", "A"],
    }
    return Installations(pl.DataFrame(rows))


def test_rows_are_kept_in_the_order_of_their_keys_in_the_fixed_schema():
    assert some().frame.schema == pl.Schema(INSTALLATION_SCHEMA)
    assert some().frame["installation"].to_list() == ["A_1", "A_9", "B_2"]
    assert some().frame["status"].to_list() == ["open"] * 3


def test_lookup_and_count():
    assert some().lookup("B_2")["name"] == "Kiln"
    assert len(some()) == some().count() == 3
    assert some().count(registry="A") == 2
    assert some().count(opened=None) == 1
    assert "A_1" in some() and "A_2" not in some()
    with pytest.raises(RegisterError, match="'A_2' is not registered"):
        some().lookup("A_2")
    with pytest.raises(RegisterError, match="no columns"):
        some().count(colour="red")


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ({"installation": ["A", "A"], "name": ["x", "y"]}, "come more than once, such as A"),
        ({"installation": ["A", None], "name": ["x", "y"]}, r"empty cells in \['installation'\]"),
        ({"installation": ["A", "B"], "name": ["x", "y"], "account": ["1", "1"]}, "belongs to one installation"),
        ({"installation": ["A"], "name": ["x"], "status": ["asleep"]}, "may be one of"),
        ({"installation": ["A"], "name": ["x"], "opened": ["soon"]}, "does not fit its column"),
        ({"installation": ["A"]}, r"missing columns \['name'\]"),
        ({"installation": ["A"], "name": ["x"], "colour": ["red"]}, r"unknown columns \['colour'\]"),
    ],
)
def test_what_cannot_be_so_is_refused_with_the_reason(rows, reason):
    with pytest.raises(RegisterError, match=reason):
        Installations(pl.DataFrame(rows))


def test_adding_and_closing_leave_the_first_register_as_it_was():
    before = some()
    after = before.add({"installation": "C_1", "name": "Oven"}).with_closed("B_2", 2010)
    assert (len(before), len(after)) == (3, 4)
    assert before.lookup("B_2")["status"] == "open"
    assert (after.lookup("B_2")["status"], after.lookup("B_2")["closed"]) == ("closed", 2010)
    assert after.operating(2010).height == 4
    assert after.operating(2011).height == 3
    with pytest.raises(RegisterError, match="closed already, its last year is 2010"):
        after.with_closed("B_2", 2011)
    with pytest.raises(RegisterError, match="opened in 2008 and cannot close in 2007"):
        after.with_closed("A_1", 2007)
    with pytest.raises(RegisterError, match="more than once"):
        after.add({"installation": "C_1", "name": "Oven"})


def test_equal_registers_are_equal_in_bytes_however_they_were_made():
    one_by_one = Installations.empty()
    for row in some().frame.reverse().rows(named=True):
        one_by_one = one_by_one.add(row)
    assert one_by_one == some()
    assert one_by_one.to_bytes() == some().to_bytes()
    assert Installations.from_bytes(some().to_bytes()) == some()
    assert Installations.from_bytes(some().to_bytes()).to_bytes() == some().to_bytes()
    assert Installations.from_bytes(Installations.empty().to_bytes()) == Installations.empty()
    with pytest.raises(RegisterError, match="no stored register"):
        Installations.from_bytes(b"something else")


def test_nace_codes_fill_in_and_leave_the_rest():
    codes = pl.DataFrame({"installation": ["A_1", "Z_9"], "nace": ["17.12", "1.1"]})
    assert some().with_nace(codes).frame["nace"].to_list() == ["17.12", None, None]
    with pytest.raises(RegisterError, match="two different NACE"):
        some().with_nace(pl.DataFrame({"installation": ["A_1", "A_1"], "nace": ["17.12", "1.1"]}))


def test_operators_are_the_account_holders_of_a_registry():
    operators = Participants.operators(some())
    assert list(operators) == ["A-A_1", "B-B_2"]
    assert operators["A-A_1"] == Operator("A-A_1", "Paper plc", "operator", "A", ("A_1", "A_9"))
    assert operators.operator_of("A_9").name == "Paper plc"


def test_participants_by_role_and_their_changes():
    people = Participants([Participant("v1", "Check Ltd", "verifier"), Participant("adm", "Ministry", "administrator", "A")])
    more = people.add(Operator("o1", "Lime plc", "operator", None, ("B_2",)))
    assert (len(people), len(more)) == (2, 3)
    assert [member.id for member in more.with_role("verifier")] == ["v1"]
    assert more.with_role("trader") == ()
    assert more.replace(Participant("v1", "Check GmbH", "verifier"))["v1"].name == "Check GmbH"
    assert more["v1"].name == "Check Ltd"
    assert Participants.from_bytes(more.to_bytes()) == more
    assert Participants(reversed(list(more.values()))).to_bytes() == more.to_bytes()


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: Participant("", "Nobody", "trader"), "an id is a word"),
        (lambda: Participant("a", " ", "trader"), "has no name"),
        (lambda: Participant("a", "A", "king"), "the roles are administrator, operator"),
        (lambda: Operator("a", "A", "trader"), "its role is operator"),
        (lambda: Operator("a", "A", "operator", None, ("X", "X")), "names an installation twice"),
        (lambda: Participants([Participant("a", "A", "trader")] * 2), "'a' comes twice"),
        (lambda: Participants([Operator(key, "A", "operator", None, ("X",)) for key in "ab"]), "two operators, 'a' and 'b'"),
        (lambda: Participants().lookup("a"), "'a' is not registered"),
        (lambda: Participants().operator_of("X"), "nobody answers"),
        (lambda: Participants().with_role("king"), "no role 'king'"),
        (lambda: Participants.from_bytes(b"[1]"), "no stored register"),
    ],
)
def test_participants_refuse_by_reason(make, reason):
    with pytest.raises(RegisterError, match=reason):
        make()
