"""What a file is, by its content and not by its name; pictures without what they tell about where and when they were taken."""

from __future__ import annotations

import io
import zipfile
import zlib

from tonne.people.errors import PeopleRefused
from tonne.people.settings import PeopleSettings

KINDS = ("csv", "xlsx", "pdf", "png", "jpeg")
MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
    "png": "image/png",
    "jpeg": "image/jpeg",
}
ENDINGS = {"csv": "csv", "xlsx": "xlsx", "pdf": "pdf", "png": "png", "jpg": "jpeg", "jpeg": "jpeg"}
PNG_START = b"\x89PNG\r\n\x1a\n"
#: Chunks that a PNG needs to be shown. All others (text, EXIF, time, private ones) are left out.
PNG_KEPT = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"bKGD", b"pHYs"}
#: Application segments of a JPEG that change how it is shown: JFIF, and Adobe's colour transform. EXIF, XMP, ICC, IPTC and comments go.
JPEG_KEPT = {0xE0, 0xEE}
NAME_LENGTH_MAX = 150
CHUNK = 1 << 16


def checked(name: str, data: bytes, kinds: tuple[str, ...], settings: PeopleSettings) -> tuple[str, bytes]:
    """The kind of a file and what is kept of it. PeopleRefused too_large, wrong_kind (also where name and content differ), unsafe_file."""
    if len(data) > settings.file_bytes_max:
        raise PeopleRefused("too_large", f"A file has at most {settings.file_bytes_max:,} bytes", field="file")
    kind = kind_of(data)
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    if kind not in kinds or (ending and ENDINGS.get(ending) != kind):
        raise PeopleRefused("wrong_kind", f"Accepted: {', '.join(kinds).upper()}; content and ending of the name must agree", field="file")
    if kind == "csv":
        _check_csv(data, settings)
    elif kind == "xlsx":
        _check_xlsx(data, settings)
    elif kind == "png":
        data = bare_png(data)
    elif kind == "jpeg":
        data = bare_jpeg(data)
    return kind, data


def kind_of(data: bytes) -> str:
    """One of KINDS, or an empty text."""
    if data.startswith(PNG_START):
        return "png"
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if data.startswith(b"%PDF-") and b"%%EOF" in data[-2048:]:
        return "pdf"
    if data.startswith(b"PK\x03\x04"):
        return "xlsx" if _names_of_xlsx(data) else ""
    return "csv" if _is_text(data) else ""


def _is_text(data: bytes) -> bool:
    """UTF-8 without control characters, and no markup: a browser would guess that from its first character."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    bad = any(ord(letter) < 32 and letter not in "\t\r\n" for letter in set(text)) or "\x7f" in text
    return bool(text.strip()) and not bad and not text.lstrip().startswith(("<", "%PDF", "{\\rtf", "#!"))


def _check_csv(data: bytes, settings: PeopleSettings) -> None:
    if max(data.count(b"\n"), data.count(b"\r")) > settings.csv_rows_max + 1:
        raise PeopleRefused("too_large", f"A table has at most {settings.csv_rows_max:,} rows", field="file")


def _names_of_xlsx(data: bytes) -> bool:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        return False
    return {"[Content_Types].xml", "xl/workbook.xml"} <= names


def _check_xlsx(data: bytes, settings: PeopleSettings) -> None:
    """Unpacks all of it, in pieces, against a bound: what an archive says about its size need not be true."""
    total = 0
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            if len(parts) > settings.unpacked_entries_max or sum(part.file_size for part in parts) > settings.unpacked_bytes_max:
                raise PeopleRefused("unsafe_file", "Unpacked, this file is too large", field="file")
            for part in parts:
                if part.flag_bits & 1 or part.filename.startswith(("/", "\\")) or ".." in part.filename or "vbaProject" in part.filename:
                    raise PeopleRefused("unsafe_file", "A spreadsheet with macros, passwords or odd names is not accepted", field="file")
                tail = b""
                with archive.open(part) as stream:
                    while piece := stream.read(CHUNK):
                        total += len(piece)
                        if total > settings.unpacked_bytes_max:
                            raise PeopleRefused("unsafe_file", "Unpacked, this file is too large", field="file")
                        if _has_entities(tail + piece):
                            raise PeopleRefused("unsafe_file", "A spreadsheet with document types in its XML is not accepted", field="file")
                        tail = piece[-32:]
    except (zipfile.BadZipFile, zlib.error, ValueError, NotImplementedError, EOFError, RuntimeError) as error:
        raise PeopleRefused("unsafe_file", field="file") from error


def _has_entities(piece: bytes) -> bool:
    plain = piece.replace(b"\0", b"")  # UTF-16 is ASCII with zeros between
    return b"<!DOCTYPE" in plain or b"<!ENTITY" in plain


def bare_png(data: bytes) -> bytes:
    """The picture without text, EXIF and time, and without what follows its end. PeopleRefused unsafe_file for a broken one."""
    kept, at, ended = [PNG_START], len(PNG_START), False
    while not ended:
        size, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        end = at + 12 + size
        if len(name) != 4 or end > len(data) or zlib.crc32(data[at + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            raise PeopleRefused("unsafe_file", "This PNG is broken", field="file")
        if name in PNG_KEPT:
            kept.append(data[at:end])
        at, ended = end, name == b"IEND"
    return b"".join(kept)


def bare_jpeg(data: bytes) -> bytes:
    """The picture without EXIF, XMP, IPTC, colour profile and comments, and without what follows its end. PeopleRefused unsafe_file."""
    kept, at = [data[:2]], 2
    while True:
        while data[at : at + 2] == b"\xff\xff":  # fill bytes
            at += 1
        marker = data[at + 1] if len(data) > at + 1 and data[at] == 0xFF else 0
        if marker == 0xD9:
            kept.append(b"\xff\xd9")
            return b"".join(kept)
        size = int.from_bytes(data[at + 2 : at + 4], "big")
        end = at + 2 + size
        if not 0xC0 <= marker <= 0xFE or 0xD0 <= marker <= 0xD8 or size < 2 or end > len(data):
            raise PeopleRefused("unsafe_file", "This JPEG is broken", field="file")
        if (marker not in range(0xE0, 0xF0) and marker != 0xFE) or marker in JPEG_KEPT:
            kept.append(data[at:end])
        at = end
        if marker == 0xDA:  # the compressed picture: up to the next marker that is neither a stuffed byte nor a restart
            at = _scan_end(data, at)
            kept.append(data[end:at])


def _scan_end(data: bytes, at: int) -> int:
    while True:
        at = data.find(b"\xff", at)
        if at < 0 or at + 1 >= len(data):
            raise PeopleRefused("unsafe_file", "This JPEG is broken", field="file")
        if data[at + 1] != 0 and not 0xD0 <= data[at + 1] <= 0xD7 and data[at + 1] != 0xFF:
            return at
        at += 1 if data[at + 1] == 0xFF else 2


def plain_name(name: str) -> str:
    """A file's name without folders and control characters, of at most 150 characters; `file` where nothing is left."""
    text = name.replace("\\", "/").rpartition("/")[2]
    text = "".join(letter for letter in text if letter.isprintable()).strip(" .")
    if len(text) > NAME_LENGTH_MAX:
        front, dot, ending = text.rpartition(".")
        text = front[: NAME_LENGTH_MAX - len(ending) - 1] + dot + ending if dot and len(ending) < 10 else text[:NAME_LENGTH_MAX]
    return text or "file"
