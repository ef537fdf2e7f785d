"""Checklist I3, I4, I5 and I11: what is taken in, and how it goes out."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from cast import Clock, House, User, quick, refused

from tonne.people import COMMAND, PeopleRefused, Who, open_people
from tonne.people.content import bare_jpeg, bare_png, kind_of, plain_name
from tonne.people.quoting import content_disposition

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
GPS = b"GPSLatitude 51.5007 N"


def png(*extra: tuple[bytes, bytes]) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunk(*each) for each in extra) + chunk(b"IDAT", zlib.compress(b"\0\1\2\3")) + chunk(b"IEND", b"")


def segment(marker: int, data: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(data) + 2) + data


def jpeg(*extra: bytes, tail: bytes = b"") -> bytes:
    """As a camera's file is built: two scans, with stuffed bytes and a restart marker in them."""
    scan = segment(0xDA, b"\1\1\0\0\x3f\0") + b"\x12\xff\x00\x34\xff\xd0\x56"
    front = b"\xff\xd8" + segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0") + b"".join(extra) + segment(0xDB, bytes(65)) + segment(0xC2, bytes(9))
    return front + scan + segment(0xC4, bytes(20)) + scan + b"\xff\xd9" + tail


def xlsx(parts: dict[str, bytes] | None = None) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in ({"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook/>"} | (parts or {})).items():
            archive.writestr(name, data)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("a.csv", b"a,b\n1,2\n", "csv"), ("\u8868.csv", "\ufeff名,数\n碳,1\n".encode(), "csv"), ("a.xlsx", xlsx(), "xlsx"), ("a.PDF", PDF, "pdf"),
        ("a.png", png(), "png"), ("a.jpg", jpeg(), "jpeg"), ("a.jpeg", jpeg(), "jpeg"), ("noending", PDF, "pdf"),
    ],
)  # fmt: skip
def test_I4_accepted_kinds_are_found_by_content(house: House, user: User, name: str, data: bytes, kind: str) -> None:
    made = house.people.upload(name, data, by=user.who, now=house.clock.now)
    assert (made.kind, made.name) == (kind, name)
    found, content = house.people.file_content(made.id, by=user.who, now=house.clock.now)
    assert found == made and len(content) == made.size and kind_of(content) == kind


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", PDF), ("a.pdf", b"a,b\n1,2\n"), ("a.png", jpeg()), ("a.exe", b"a,b\n"), ("a.csv", b"MZ\x90\0\3"),
        ("a.csv", b""), ("a.csv", b" \n "),
        ("a.csv", b"<html><script>alert(1)</script>"), ("a.svg", b"<svg onload='x'/>"), ("a.csv", b"  <svg/>"), ("a.csv", b"a\0b"),
        ("a.csv", b"\xff\xfea\0"),
        ("a.zip", xlsx()), ("a.xlsx", b"PK\x03\x04 not really"), ("a.pdf", b"%PDF-1.7 without an end"), ("a.html", b"a,b"), ("a.gif", b"GIF89a"),
    ],
)  # fmt: skip
def test_I4_other_content_or_another_name_is_refused(house: House, user: User, name: str, data: bytes) -> None:
    with refused("wrong_kind"):
        house.people.upload(name, data, by=user.who, now=house.clock.now)


def test_I4_only_the_kinds_asked_for(house: House, user: User) -> None:
    with refused("wrong_kind"):
        house.people.upload("a.csv", b"a,b\n", kinds=("pdf",), by=user.who, now=house.clock.now)


@pytest.mark.parametrize(
    "parts",
    [
        {"xl/sheet1.xml": bytes(3_000_000)},  # a zip bomb against this test's bound of 1 MB
        {f"xl/s{number}.xml": b"<x/>" for number in range(60)},
        {"xl/vbaProject.bin": b"macro"}, {"../evil.xml": b"<x/>"}, {"/etc/evil.xml": b"<x/>"},
        {"xl/sheet1.xml": b"<?xml version='1.0'?><!DOCTYPE lolz [<!ENTITY lol 'lol'>]><x/>"},
        {"xl/sheet1.xml": "<!DOCTYPE x>".encode("utf-16")},
        {"xl/sheet1.xml": b" " * 65_530 + b"<!DOCTYPE x>"},  # across the border of two pieces
    ],
)  # fmt: skip
def test_I4_dangerous_spreadsheets_are_refused(tmp_path: Path, clock: Clock, parts: dict[str, bytes]) -> None:
    people = open_people(tmp_path / "p.db", quick(unpacked_bytes_max=1_000_000, unpacked_entries_max=50))
    user = House(people, clock).user()
    with refused("unsafe_file"):
        people.upload("a.xlsx", xlsx(parts), by=user.who, now=clock.now)
    assert people.files_of(user.id) == ()
    people.close()


def test_I4_a_spreadsheet_that_lies_about_its_size_is_refused(tmp_path: Path, clock: Clock) -> None:
    people = open_people(tmp_path / "p.db", quick(unpacked_bytes_max=1_000_000))
    user = House(people, clock).user()
    data = xlsx({"xl/sheet1.xml": bytes(3_000_000)})
    lying = data.replace(struct.pack("<I", 3_000_000), struct.pack("<I", 1000))
    assert lying != data
    with refused("unsafe_file"):
        people.upload("a.xlsx", lying, by=user.who, now=clock.now)
    people.close()


def test_I3_size_rows_and_quota_are_bounded_and_asked_before_reading(tmp_path: Path, clock: Clock) -> None:
    people = open_people(tmp_path / "p.db", quick(file_bytes_max=1000, file_quota_bytes=1500, csv_rows_max=10))
    house = House(people, clock)
    user, colleague = house.user(rights=("read",)), house.user(rights=("read",))
    ours, theirs = (Who(each.id, "sys", "acme") for each in (user, colleague))
    with refused("too_large"):
        people.may_upload(ours, 1001)
    with refused("too_large"):
        people.upload("a.csv", b"a" * 1001, by=ours, now=clock.now)
    people.upload("a.csv", b"a\n" * 11, by=ours, now=clock.now)
    with refused("too_large"):
        people.upload("a.csv", b"a\n" * 12, by=ours, now=clock.now)
    people.upload("a.csv", b"a" * 1000, by=ours, now=clock.now)
    with refused("over_quota"):
        people.may_upload(theirs, 479)
    with refused("over_quota"):
        people.upload("a.csv", b"a" * 479, by=theirs, now=clock.now)
    people.upload("a.csv", b"a" * 478, by=theirs, now=clock.now)
    people.upload("own.csv", b"a" * 1000, by=colleague.who, now=clock.now)
    people.close()


def test_I5_files_live_under_random_ids_and_belong_to_somebody(house: House) -> None:
    user, reader = house.user(rights=("read",)), house.user(rights=("read",))
    stranger, admin = house.user(rights=("read",), participant="other"), house.user(rights=("read",), participant="administrator")
    made = house.people.upload("../../etc/passwd.csv", b"a,b\n", by=Who(user.id, "sys", "acme"), now=house.clock.now)
    assert made.name == "passwd.csv" and made.id.startswith("d-") and len(made.id) == 18
    for who in (user, reader, admin):
        assert house.people.file_content(made.id, by=who.who, now=house.clock.now)[1] == b"a,b\n"
    for attempt in (
        lambda: house.people.file(made.id, by=stranger.who),
        lambda: house.people.file_content(made.id, by=Who(), now=house.clock.now),
        lambda: house.people.remove_file(made.id, by=stranger.who, now=house.clock.now),
        lambda: house.people.file("d-nothing", by=user.who),
    ):
        with refused("unknown"):
            attempt()
    with refused("not_permitted"):
        house.people.upload("a.csv", b"a", by=Who(stranger.id, "sys", "acme"), now=house.clock.now)
    assert house.people.audit.page(verb="file.view", result="shown").total == 3
    house.people.remove_file(made.id, by=user.who, now=house.clock.now)
    with refused("unknown"):
        house.people.file(made.id, by=COMMAND)


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("../../x", "x"), ("C:\\evil\\x.pdf", "x.pdf"), ("a\r\nSet-Cookie: x.csv", "aSet-Cookie: x.csv"), ("", "file"), ("...", "file"),
        ("..", "file"),
        ("a" * 300 + ".pdf", "a" * 146 + ".pdf"), ("碳.csv", "碳.csv"), ("\u202efdp.exe", "fdp.exe"),
    ],
)  # fmt: skip
def test_I5_names_lose_folders_and_control_characters(name: str, plain: str) -> None:
    assert plain_name(name) == plain


def test_I5_the_download_name_is_quoted() -> None:
    assert content_disposition('a";\r\n碳.csv') == "attachment; filename=\"a_____.csv\"; filename*=UTF-8''a%22%3B%0D%0A%E7%A2%B3.csv"
    assert "\n" not in content_disposition("x\ny") and content_disposition("\ud800").isascii()


def test_I11_a_png_loses_text_exif_time_and_what_follows(house: House, user: User) -> None:
    loud = png((b"tEXt", b"Comment\0" + GPS), (b"eXIf", GPS), (b"iTXt", GPS), (b"tIME", GPS), (b"prVt", GPS), (b"gAMA", bytes(4))) + GPS
    made = house.people.upload("a.png", loud, by=user.who, now=house.clock.now)
    kept = house.people.file_content(made.id, by=user.who, now=house.clock.now)[1]
    assert GPS not in kept and kept == png((b"gAMA", bytes(4)))


def test_I11_a_jpeg_loses_exif_xmp_comments_and_what_follows(house: House, user: User) -> None:
    adobe = segment(0xEE, b"Adobe\0\x64\0\0\0\0\1")
    loud = jpeg(
        segment(0xE1, b"Exif\0\0" + GPS),
        segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + GPS),
        adobe,
        segment(0xFE, GPS),
        segment(0xED, GPS),
        tail=GPS,
    )
    made = house.people.upload("a.jpg", loud, by=user.who, now=house.clock.now)
    kept = house.people.file_content(made.id, by=user.who, now=house.clock.now)[1]
    assert GPS not in kept and kept == jpeg(adobe)


@pytest.mark.parametrize("cut", range(3, 40, 3))
def test_I11_broken_pictures_are_refused(cut: int) -> None:
    with refused("unsafe_file"):
        bare_png(png()[:-cut])
    with refused("unsafe_file"):
        bare_jpeg(jpeg()[:-cut])
    assert bare_png(png()) == png() and bare_jpeg(jpeg()) == jpeg()


def test_a_stored_file_that_was_changed_is_not_handed_out(house: House, user: User) -> None:
    from stores import execute

    made = house.people.upload("a.csv", b"a,b\n", by=user.who, now=house.clock.now)
    execute(house.people._db.engine.url.database or "", "UPDATE people_file_data SET data = x'00'")
    with pytest.raises(PeopleRefused, match="changed"):
        house.people.file_content(made.id, by=replace(user.who), now=house.clock.now)
