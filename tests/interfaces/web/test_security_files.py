"""I3 to I5, I11, W7: what people upload is known by its content, kept under a random id, and goes out only to be saved."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from security_world import Actor, operator_who, signed_in

from tonne.interfaces.web.place import Place

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


def drafted(place: Place) -> tuple[Actor, str]:
    """(the operator, the address of a draft application of theirs)"""
    operator = signed_in(place, "operator")
    answer = operator.form(f"/{place.demo.hall.system}/apply")
    assert answer.status_code == 303
    return operator, str(answer.headers["location"])


def upload(actor: Actor, path: str, name: str, data: bytes, kind: str = "application/pdf") -> Any:
    fields = {"_csrf": actor.csrf, "label": "extract"}
    return actor.client.post(f"{path}/documents", data=fields, files={"file": (name, data, kind)})


def kept(place: Place, actor: Actor, path: str) -> list[Any]:
    return [one for _label, one in place.people.application(path.rpartition("/")[2], by=operator_who(actor, place)).files]


def bomb() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", b"<Types/>")
        archive.writestr("xl/sheet1.xml", bytes(15_000_000))
    return stream.getvalue()


def test_only_what_is_what_it_says_is_taken(place: Place) -> None:
    """I4, W7: pages, drawings, programs, packed files and a PDF called something else: refused beside their field, whatever the browser says."""
    operator, path = drafted(place)
    bad = {
        "page.html": b"<html><script>alert(1)</script></html>", "page.pdf": b"<html><script>alert(1)</script></html>",
        "x.svg": b"<svg onload='alert(1)'/>", "x.png": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        "deed.csv": PDF, "deed.exe": b"MZ\x90\0\3", "bomb.xlsx": bomb(), "x.pdf": b"",
        "x.jpg": b"\xff\xd8\xff\xe0 cut", "note.csv": b"a,b\n1,2\n",
    }  # fmt: skip
    for name, data in bad.items():
        assert upload(operator, path, name, data).status_code == 422, name
    assert kept(place, operator, path) == []
    assert upload(operator, path, "deed.pdf", PDF, "text/html").status_code == 303
    assert [one.kind for one in kept(place, operator, path)] == ["pdf"]


def test_names_are_only_names(place: Place) -> None:
    """I5: no folder, no line end, no direction of writing; the id is random and tells nothing."""
    operator, path = drafted(place)
    for name in (
        "../../x.pdf",
        "..\\..\\windows\\x.pdf",
        "a\r\nset-cookie: evil=1.pdf",
        '"; filename="evil.html".pdf',
        "\u202efdp.pdf",
        "x" * 300 + ".pdf",
    ):
        answer = upload(operator, path, name, PDF)
        assert answer.status_code in (303, 400, 422), (name, answer.status_code)
    files = kept(place, operator, path)
    assert len(files) >= 4 and len({one.id for one in files}) == len(files)
    for one in files:
        assert "/" not in one.name and "\\" not in one.name and one.name.isprintable() and len(one.name) <= 160 and one.id.startswith("d-")


def test_a_document_goes_out_only_to_be_saved(place: Place) -> None:
    """W7, I5: attachment, no guessing, a policy that lets nothing run; to the administrator, and to nobody else."""
    operator, path = drafted(place)
    upload(operator, path, 'd"\u00e9ed.pdf', PDF)
    (document,) = kept(place, operator, path)
    place.people.send_application(path.rpartition("/")[2], by=operator_who(operator, place), now=place.real_now())
    address = f"/{place.demo.hall.system}/admin/applications/{path.rpartition('/')[2]}/documents/{document.id}"
    answer = signed_in(place, "administrator").get(address)
    assert answer.status_code == 200 and answer.content == PDF
    said = answer.headers["content-disposition"]
    assert said.startswith("attachment; ") and "filename*=UTF-8''" in said and said.isascii() and said.count('"') == 2
    assert answer.headers["content-security-policy"] == "sandbox" and answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-type"] == "application/octet-stream" and answer.headers["cache-control"] == "no-store"
    for name in ("trader", "operator", ""):
        assert signed_in(place, name).get(address).status_code in (303, 404)
    views = place.people.audit.page(verb="file.view").rows
    assert len(views) == 1, "who looked at it stands in the trail"


def test_a_report_file_that_is_no_text_is_refused(place: Place) -> None:
    """I4: reports are CSV in UTF-8; a packed file, a page and a picture are told so, and nothing is filed."""
    operator, system, length = signed_in(place, "operator"), place.demo.hall.system, place.demo.hall.sequence
    for name, data in (("r.csv", bomb()), ("r.csv", PDF), ("r.csv", b"\xff\xfea\0"), ("r.csv", b"a\0b"), ("r.csv", b"<html>"), ("r.csv", b'"' * 9)):
        answer = operator.client.post(
            f"/{system}/reports/upload", data={"_csrf": operator.csrf, "_key": "reports-1"}, files={"file": (name, data, "text/csv")}
        )
        assert answer.status_code in (400, 413, 415, 422), (data[:10], answer.status_code)
    assert place.demo.hall.sequence == length


def test_a_form_holds_few_files(place: Place) -> None:
    operator, path = drafted(place)
    many = [("file", (f"{n}.pdf", PDF, "application/pdf")) for n in range(6)]
    answer = operator.client.post(f"{path}/documents", data={"_csrf": operator.csrf, "label": "extract"}, files=many)
    assert answer.status_code == 400 and kept(place, operator, path) == []
