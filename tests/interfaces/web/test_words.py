"""The texts of the pages in three languages: all translated, with the same places for figures, each Chinese script with its own characters and
punctuation; and on pages in Chinese no text that could have been translated stands in English."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from conftest import Browser
from tonne.administration.refusals import REFUSALS
from tonne.interfaces.web import letters, words, words_build
from tonne.interfaces.web.place import Place
from tonne.interfaces.web.problems import ADVICE, title
from tonne.people.errors import REFUSALS as PEOPLES
from tonne.people.outbox import LETTERS, Message

SCRIPTS = ("zh-Hans", "zh-Hant")
PLACES = re.compile(r"%\(\w+\)s|\{\w*\}|`[^`]+`")
HAN = r"[\u3400-\u9fff]"
#: characters of the one script that the other never writes, each beside its counterpart
PAIRS = (
    "额額 户戶 缴繳 销銷 废廢 单單 记記 结結 转轉 场場 协協 议議 请請 页頁 数數 据據 级級 个個 为為 与與 过過 后後 时時 间間 "
    "们們 会會 体體 类類 规規 则則 发發 报報 资資 产產 价價 卖賣 买買 贸貿 险險 担擔 质質 项項 证證 签簽 认認 设設 备備 务務 "
    "处處 执執 审審 计計 让讓 获獲 领領 预預 订訂 开開 关關 闭閉 说說 语語 词詞 译譯 读讀 写寫 东東 车車 门門 问問 电電 网網 "
    "线線 码碼 钥鑰 纪紀 录錄 册冊 权權 机機 构構 团團 员員 经經 济濟 实實 际際 显顯 无無 尽盡 达達 应應 这這 对對 将將 须須 "
    "够夠 较較 变變 动動 减減 净淨 温溫 气氣 钢鋼 铁鐵 铝鋁 业業 铺鋪 风風 飞飛 边邊 区區 国國 图圖 税稅 罚罰 违違 约約 归歸 "
    "还還 补補 仅僅 总總 临臨 见見 览覽 观觀 宽寬 众眾 优優 传傳 伦倫 储儲 亏虧 种種 积積 称稱 稳穩 释釋 钟鐘 错錯 锁鎖 长長 "
    "阶階 队隊 阅閱 随隨 难難 响響 顺順 顿頓 频頻 题題 颜顏 馆館 马馬 验驗 鱼魚 齐齊 龄齡"
)
#: the ends of a unit, of an order and of a transfer, which must not be mixed
ENDS = {
    "Surrender": ("清缴", "清繳"),
    "Surrendered": ("清缴", "清繳"),
    "Retired": ("注销", "註銷"),
    "retirement": ("注销", "註銷"),
    "Cancel units": ("作废", "作廢"),
    "Cancelled units": ("作废", "作廢"),
    "Cancel transfer": ("撤回", "撤回"),
    "Cancel order %(order)s": ("撤单", "撤單"),
}


def characters(which: int) -> set[str]:
    return {pair[which] for pair in PAIRS.split()}


@pytest.fixture(scope="module")
def texts() -> Catalog:
    return words_build.collected()


def entries(language: str) -> Iterator[tuple[str, str]]:
    """(English, translation), every form of a plural."""
    with (words.FOLDER / f"{language}.po").open("rb") as source:
        for message in read_po(source, locale=words.LANGUAGES[language][1]):
            if message.id:
                english = message.id if isinstance(message.id, str) else message.id[1]
                for form in [message.string] if isinstance(message.string, str) else message.string:
                    yield english, form


@pytest.mark.parametrize("language", SCRIPTS)
def test_every_text_is_translated_and_the_file_is_as_collected(language: str, texts: Catalog) -> None:
    """Run `python -m tonne.interfaces.web.words_build` after a text was added, and fill in what is empty."""
    assert words_build.lacking(language, texts) == []
    there = (words.FOLDER / f"{language}.po").read_bytes()
    assert there == words_build.written(language, texts, words_build.translated(language))


def test_what_is_lacking_is_found(texts: Catalog) -> None:
    more = words_build.collected()
    more.add("A text that nobody has translated yet.")
    assert words_build.lacking("zh-Hans", more) == ["A text that nobody has translated yet."]


@pytest.mark.parametrize("language", SCRIPTS)
def test_files_name_no_dates_and_no_authors(language: str) -> None:
    head = (words.FOLDER / f"{language}.po").read_text().partition("\n\n")[0]
    assert "Project-Id-Version: tonne" in head and f"Language: {words.LANGUAGES[language][1]}" in head and "nplurals=1" in head
    assert "Date" not in head and "AUTHOR" not in head and "@" not in head


@pytest.mark.parametrize("language", SCRIPTS)
def test_places_for_figures_are_kept(language: str) -> None:
    wrong = [(english, text) for english, text in entries(language) if set(PLACES.findall(english)) != set(PLACES.findall(text))]
    assert wrong == []


@pytest.mark.parametrize("language", SCRIPTS)
def test_plurals_have_their_one_form(language: str, texts: Catalog) -> None:
    with (words.FOLDER / f"{language}.po").open("rb") as source:
        plurals = [message for message in read_po(source) if isinstance(message.id, (tuple, list))]
    assert len(plurals) == sum(isinstance(message.id, (tuple, list)) for message in texts) > 20
    assert [message.id for message in plurals if len(message.string) != 1 or not message.string[0]] == []
    one, many = next(message.id for message in plurals if "%(num)s" in message.id[1])
    made = words.translations(language)
    assert made.ngettext(one, many, 1) == made.ngettext(one, many, 7) != many


def test_each_script_writes_its_own_characters() -> None:
    traditional, simplified = characters(1), characters(0)
    assert [text for _english, text in entries("zh-Hans") if traditional & set(text)] == []
    assert [text for _english, text in entries("zh-Hant") if simplified & set(text)] == []


def test_the_glossary_and_the_pages_agree_on_scripts() -> None:
    """The list of pairs is no list of its own: the glossary of terms, written by others, keeps to it."""
    glossary = yaml.safe_load(Path(words.__file__).with_name("glossary.yaml").read_text())
    for term in glossary:
        assert not characters(1) & set(term["zh-Hans"]), term
        assert not characters(0) & set(term["zh-Hant"]), term


@pytest.mark.parametrize("language", SCRIPTS)
def test_chinese_sentences_have_chinese_punctuation(language: str) -> None:
    latin = re.compile(rf"{HAN}[,;:!?()]|{HAN}\.(?![a-z])|[,;:!?)] *{HAN}|{HAN} +{HAN}")
    assert [text for _english, text in entries(language) if latin.search(text)] == []
    quotes = "「」" if language == "zh-Hans" else "“”"
    assert [text for _english, text in entries(language) if set(quotes) & set(text)] == []


@pytest.mark.parametrize(("language", "which"), [("zh-Hans", 0), ("zh-Hant", 1)])
def test_different_ends_have_different_words(language: str, which: int) -> None:
    _ = words.translations(language).gettext
    for english, both in ENDS.items():
        assert both[which] in _(english), english
        others = {pair[which] for pair in ENDS.values()} - {both[which]}
        assert not any(other in _(english) for other in others), english


@pytest.mark.parametrize("language", SCRIPTS)
def test_every_refusal_has_a_meaning_in_words(language: str) -> None:
    _ = words.translations(language).gettext
    for name in {*REFUSALS, *PEOPLES, *ADVICE}:
        said = title(name, _)
        assert re.search(HAN, said), name
        assert said != title(name, lambda text: text), name
    assert title("weak_password", lambda text: text) == PEOPLES["weak_password"]
    assert title("something_else", _) == "something else"


@pytest.mark.parametrize("language", SCRIPTS)
def test_letters_are_told_in_the_readers_language(language: str) -> None:
    _ = words.translations(language).gettext
    at = datetime(2026, 1, 1, tzinfo=UTC)
    for kind, (subject, text) in LETTERS.items():
        facts = {place[1:-1]: "7" for place in re.findall(r"\{\w+\}", text)}
        message = Message("n1", "p1", kind, subject, text.format(**facts), facts, at, "", None, None)
        told = letters.told(message, _)
        assert re.search(HAN, told.subject) and re.search(HAN, told.text) and "{" not in told.text, kind
    rights = Message("n1", "p1", "rights_changed", "", "", {"participant": "a", "system": "b", "rights": "read, approve"}, at, "", None, None)
    assert "approve" not in letters.told(rights, _).text
    own = Message("n1", "p1", "task.approve", "Approved: x", "y", {}, at, "", None, None)
    assert letters.told(own, _) == own


def test_no_text_is_no_text() -> None:
    """gettext answers an empty text with the header of the file."""
    assert words.translations("zh-Hans").gettext("") == ""


class Read(HTMLParser):
    """Texts of a page that its own words may be: text nodes and labels for screen readers, but no code and nothing marked as another language's."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.texts: set[str] = set()
        self.heads: set[str] = set()
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.texts |= {value.strip() for name, value in attrs if name in ("aria-label", "placeholder", "title", "alt") and value}
        if tag not in ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "path", "rect", "source", "track", "use", "wbr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        text = " ".join(data.split())
        if text and not {"script", "style", "code", "kbd", "samp"} & set(self.open):
            self.texts.add(text)
            if self.open and self.open[-1] in ("button", "legend", "label", "caption", "h2"):
                self.heads.add(text)


#: Texts of the pages that are also ids of accounts and roles, names of columns of files, or codes that the log has: shown as such.
NAMES = {"operator", "trader", "verifier", "administrator", "auctioneer", "auditor", "venue", "bank", "surrendered", "cancelled", "invalidated"}
#: who, and pages of theirs; {system} is filled in
WALK: dict[str, tuple[str, ...]] = {
    "": (
        "/", "/systems", "/systems/map", "/compare", "/charts", "/data", "/status", "/help", "/login", "/reset", "/apply",
        "/search?q=cap", "/{system}", "/{system}/law", "/{system}/law/changes", "/{system}/calendar", "/{system}/participants",
        "/{system}/compliance", "/{system}/transactions", "/{system}/auctions", "/{system}/market", "/no-such-page",
    ),
    "operator": (
        "/{system}/home", "/{system}/tasks", "/{system}/accounts", "/{system}/obligation", "/{system}/surrender", "/{system}/transfers/new",
        "/{system}/reports", "/{system}/bids", "/{system}/money", "/{system}/organisation", "/{system}/history", "/settings",
    ),
    "trader": ("/{system}/home", "/{system}/trade", "/{system}/trade/stop", "/{system}/trade/orders", "/{system}/money"),
    "verifier": ("/{system}/home", "/{system}/reports"),
    "administrator": (
        "/{system}/home", "/{system}/admin", "/{system}/admin/auctions", "/{system}/admin/accounts", "/{system}/admin/participants",
        "/{system}/admin/installations", "/{system}/admin/applications", "/{system}/admin/law", "/{system}/audit",
    ),
}  # fmt: skip


@pytest.mark.parametrize("language", SCRIPTS)
@pytest.mark.parametrize("persona", list(WALK))
def test_pages_speak_one_language(shared_place: Place, persona: str, language: str) -> None:
    """What has a translation is shown in it, wherever it stands; headings, labels and buttons are no English words."""
    made = words.translations(language)
    known = {english for english, text in entries(language) if english != text and len(english) > 3 and english.lower() not in NAMES}
    browser = Browser(shared_place.app)  # type: ignore[attr-defined]
    if persona:
        browser.sign_in(persona)
    found: dict[str, set[str]] = {}
    for path in WALK[persona]:
        address = path.format(system=shared_place.demo.hall.system)
        page = browser.get(f"/{language}{address}")
        assert page.status_code in (200, 404), (address, page.status_code)
        assert f'lang="{language}"' in page.text and "Project-Id-Version" not in page.text, address
        read = Read(page.text)
        english = {text for text in read.texts & known if made.gettext(text) != text}
        english |= {text for text in read.heads if re.fullmatch(r"[A-Z][a-z]+( [a-z]+)+\.?", text)}
        if english:
            found[address] = english
    browser.close()
    assert found == {}


@pytest.mark.parametrize("language", SCRIPTS)
def test_a_refusal_on_a_page_is_in_its_language(place: Place, visit: Callable[..., Any], language: str) -> None:
    browser = visit()
    page = browser.get(f"/{language}/login")
    wrong = browser.post_form(page, "/login", email="nobody@demo.example", password="no such password")
    assert words.translations(language).gettext("E-mail address or password is not right.") in unescape(wrong.text)
