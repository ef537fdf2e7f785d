"""The page: one file that loads nothing, with every figure, the label and the sources."""

from __future__ import annotations

import errno
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tonne.reports import page
from tonne.reports.data import RunData

VOID = {"meta", "br", "col", "link", "img", "input"}
LOADING = ("src", "srcset", "poster", "data", "action", "background")


class _Reader(HTMLParser):
    """Tags balanced, ids unique, and what would be loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.loads: list[str] = []
        self.tags: set[str] = set()
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in LOADING or (name.endswith("href") and not (value or "").startswith("#")):
                self.loads.append(f"{tag} {name}={value}")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def _read(text: str) -> _Reader:
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return reader


@pytest.mark.parametrize("name", ["whole", "plain", "empty"])
def test_the_page_is_sound_and_loads_nothing(name: str, request: pytest.FixtureRequest) -> None:
    text = page.render(request.getfixturevalue(name))
    reader = _read(text)
    assert not reader.open and not reader.loads
    assert len(reader.ids) == len(set(reader.ids))
    assert not {"script", "link", "iframe", "img", "object", "embed"} & reader.tags
    assert not re.search(r"@import|url\(\s*['\"]?(?!#|['\"]?#)", text)


def test_figures_statement_letters_and_sources_are_there(whole: RunData) -> None:
    text = page.render(whole)
    for figure in ("1,892,980,626", "1,131,659,001", "-429,165,157", "-5,635,157", "8,203", "7,511 of 7,635 (98.4 %)", "900,000,000 in 2019"):
        assert figure in text, figure
    assert "1 of 2 lines leave a difference unexplained" in text and "credits exchanged: -423,530,000" in text
    assert "stability.upper_threshold" in text and "Decision (EU) 2015/1814 art. 1(5)" in text and "as they stood on 2020-09-01" in text
    assert "ab" * 32 in text and "欧盟碳市场" in text and text.count("<svg") == 5
    assert "SYNTHETIC" not in text and "sector 15" in text and "statistics.circulation" not in text


def test_the_label_is_loud_and_escaped(plain: RunData) -> None:
    text = page.render(plain)
    assert "(SYNTHETIC)</title>" in text and text.count("Nothing in it is real &lt;&amp;&gt;.") >= 2
    assert '<p class="synthetic"' in text and "Nothing in it is real <&>" not in text.replace("&lt;", "")
    assert "short tons CO2" in text and "these are generated" in text


def test_what_cannot_be_drawn_is_said(empty: RunData) -> None:
    text = page.render(empty)
    assert "<svg" not in text and "No chart of supply: nothing was allocated, auctioned or verified in these years." in text
    assert "No installation was judged" in text and "No sector has any figure" in text and "Nothing moved" in text


def test_pictures_follow_the_pages_colour_and_keep_their_ids_apart() -> None:
    drawn = page.inline('<svg><clipPath id="clip0"/><g clip-path="url(#clip0)" fill="#30343b"/></svg>', "supply")
    assert drawn == '<svg><clipPath id="supply-clip0"/><g clip-path="url(#supply-clip0)" fill="currentColor"/></svg>'


def test_the_file_is_written_whole_and_replaced(whole: RunData, tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    assert page.write(target, whole) == target
    first = target.read_text(encoding="utf-8")
    assert page.write(str(target), whole).read_text(encoding="utf-8") == first
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        page.write(tmp_path / "nowhere" / "report.html", whole)


def test_a_full_disk_names_the_report_and_leaves_the_old_one(whole: RunData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    target = tmp_path / "report.html"
    target.write_text("old", encoding="utf-8")
    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError) as caught:
        page.write(target, whole)
    assert caught.value.filename == str(target) and target.read_text(encoding="utf-8") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
