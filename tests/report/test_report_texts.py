"""The catalogues of all languages, and what the reports for people make of them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from fontTools.ttLib import TTFont
from lxml import html as parser
from small_run import Run

from harness.errors import ConfigurationFault
from harness.judge.model import RunVerdict, Verdict
from harness.pack.data import data_folder
from harness.report.derive import PAGES
from harness.report.html import html
from harness.report.mapping import STATUSES
from harness.report.summary import certificate_facts
from harness.report.texts import DEFAULT, Texts, languages, texts
from harness.report.view import conditions, heading, interruptions
from harness.scenario.plan import NOT_SELECTED

ENGLISH = texts(DEFAULT)
OTHERS = [language for language in languages() if language != DEFAULT]
LETTERS = {"ru": "[\u0430-\u044f]", "ar": "[\u0621-\u064a]", "fa": "[\u0621-\u06cc]"}


def placeholders(text: str) -> list[str]:
    return sorted(str(name) for _, name, _, _ in Formatter().parse(text) if name is not None)


def test_the_languages_that_were_promised_are_there() -> None:
    assert {"en", "fr", "ru", "ar", "fa"} <= set(languages())
    assert [code for code in languages() if texts(code).direction == "rtl"] == ["ar", "fa"]


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_exists_in_every_language_with_the_same_placeholders(language: str) -> None:
    other = texts(language)
    assert set(other.entries) == set(ENGLISH.entries)
    for key, text in ENGLISH.entries.items():
        assert isinstance(other.entries[key], str), key
        assert other.entries[key].strip(), key
        assert placeholders(other.entries[key]) == placeholders(text), key


@pytest.mark.parametrize("language", languages())
def test_a_placeholder_is_only_a_name(language: str) -> None:
    for key, text in texts(language).entries.items():
        for _, name, spec, conversion in Formatter().parse(text):
            assert name is None or (re.fullmatch("[a-z]+", name) and not spec and not conversion), key


@pytest.mark.parametrize("language", languages())
def test_no_catalogue_has_the_comma_of_another_script(language: str) -> None:
    words = texts(language)
    own, other = ("،", ",") if words.direction == "rtl" else (",", "،")
    assert own in words.plain("comma")
    for key, text in words.entries.items():
        assert not re.search(rf"(?<!\d){other}", text), key


@pytest.mark.parametrize("language", languages())
def test_lists_have_the_comma_of_the_language(language: str, record: dict[str, Any]) -> None:
    words = texts(language)
    moments = ["2026-03-01T09:00:00.000000Z", "2026-03-02T09:00:00.000000Z"]
    plan = {
        **record["plan"],
        "unclaimed": ["I7", "I13"],
        "timers": {"answer": {"pack": 20.0, "run": 90.5}, "action": {"pack": None, "run": 60.0}},
    }
    changed = {**record, "plan": plan, "resumed": moments, "positions": ["departure", "transit"]}
    listed = [
        *conditions(changed, words),
        *interruptions(changed, words),
        heading(changed, words)["sentence"]["role"],
        *(value for _, value in certificate_facts(changed, words)),
    ]
    lists = [each for each in listed if re.search("I7|answer|UTC[^/]*UTC|departure|ImTransit|open-neighbours", each)]
    assert len(lists) >= 6
    for each in lists:
        assert ("," in each) == (words.direction == "ltr"), each
        assert not re.search("(?<!\u200e)2026", each) or words.direction == "ltr", each
        assert each.count("\u200f، ") >= (words.direction == "rtl" and "/" not in each), each
    summary = parser.document_fromstring(PAGES["summary.html"](changed, None, language))
    for each in summary.xpath("//dl[@class='facts']/dd[not(bdi)]"):
        assert words.direction == "ltr" or "," not in each.text_content()


@pytest.mark.parametrize("language", languages())
def test_cases_that_a_run_by_hand_left_out_are_counted(language: str, record: dict[str, Any]) -> None:
    words = texts(language)
    spared = words.plain("conditions.spared", count=2)
    assert spared in conditions({**record, "plan": {**record["plan"], "spared": ["a", "b"]}}, words)
    assert not any(spared[:12] in each for each in conditions(record, words))


@pytest.mark.parametrize("language", languages())
def test_a_selection_is_told_behind_what_was_derived(language: str, record: dict[str, Any]) -> None:
    words = texts(language)
    plan = {**record["plan"], "excluded": [{"id": "a", "rule": NOT_SELECTED}]}
    derived, selected, *_ = conditions({**record, "plan": plan}, words)
    assert derived == words.plain(f"depth.{plan['depth']}")
    assert selected == words.plain("conditions.selected", count=len(record["cases"]), left=1)


@pytest.mark.parametrize("language", languages())
def test_the_fonts_of_the_pdf_have_every_letter(language: str, record: dict[str, Any]) -> None:
    words = texts(language)
    plan = {**record["plan"], "timers": {"answer": {"pack": None, "run": 90.5}}, "spared": ["a"], "unclaimed": ["I7"]}
    changed = {**record, "plan": plan, "resumed": [record["started"]]}
    shown = [*conditions(changed, words), *(each for _, each in certificate_facts(changed, words))]
    fonts = data_folder("reports") / "fonts"
    known = {code for file in fonts.glob("*-Regular.ttf") for code in TTFont(file).getBestCmap()}
    on_paper = re.compile("summary|facts|conditions|depth|assurance|run|sentence|numbers|status|comma|resumed|repeated")
    texts_on_paper = [text for key, text in words.entries.items() if on_paper.match(key)]
    for text in (*shown, *texts_on_paper):
        assert not {letter for letter in text if ord(letter) not in known}, text


@pytest.mark.parametrize("language", ["ar", "fa"])
def test_a_day_after_an_arabic_letter_keeps_the_order_of_its_digits(language: str, record: dict[str, Any]) -> None:
    """Unicode's algorithm turns the parts of 2026-03-01 round where the letter before it is an Arabic one."""
    changed = {**record, "resumed": ["2026-03-01T09:00:00.000000Z"]}
    (sentence,) = interruptions(changed, texts(language))
    assert "\u200e2026-03-01 09:00:00 UTC" in sentence


@pytest.mark.parametrize("language", languages())
def test_no_two_verdicts_have_the_same_word(language: str) -> None:
    words = texts(language)
    assert len({words.plain(f"verdict.{each}") for each in Verdict}) == len(Verdict)
    assert len({words.plain(f"status.{each}") for each in STATUSES}) == len(STATUSES)
    assert len({words.plain(f"run.{each}") for each in RunVerdict}) == len(RunVerdict)


@pytest.mark.parametrize("language", LETTERS)
def test_a_translation_is_one(language: str) -> None:
    for key, text in texts(language).entries.items():
        words = re.sub("{[a-z]+}", "", text)
        if key not in ("language.direction", "environment.python"):
            assert re.search(LETTERS[language], text, re.IGNORECASE) or not re.search("[A-Za-z]", words), key


def test_every_text_is_used() -> None:
    sources = [
        *(data_folder("reports") / "templates").glob("*.j2"),
        *data_folder("reports").parent.glob("harness/report/*.py"),
    ]
    used = "\n".join(file.read_text("utf-8") for file in sources)
    for key in ENGLISH.entries:
        stem = key.rpartition(".")[0]
        assert (
            f'"{key}"' in used
            or f'"{stem}."' in used
            or f'"{stem.rpartition(".")[0]}."' in used
            or f"{stem}.{{" in used
        ), key


def test_an_unknown_language_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationFault, match="one of ar, en, fa, fr, ru"):
        texts("xx")


def test_what_is_put_in_is_escaped() -> None:
    made = Texts("en", {"a": "x <b> {name}"})("a", name="<script>{name}")
    assert str(made) == "x &lt;b&gt; &lt;script&gt;{name}"


@pytest.fixture(scope="session")
def record(run: Run) -> dict[str, Any]:
    return run.record()


@pytest.mark.parametrize("language", languages())
def test_a_page_says_its_language_and_what_is_not_translated(language: str, run: Run, record: dict[str, Any]) -> None:
    page = parser.document_fromstring(html(record, run.fetch, language))
    assert page.get("lang") == language
    assert page.get("dir") == texts(language).direction
    title = str(record["requirements"][0]["text"])
    isolated = page.xpath("//bdi[@lang='en']/text()")
    assert (title in isolated) == (language != "en")
    for element in page.xpath("//pre | //code | //*[contains(@class, 'mono')]"):
        assert element.get("dir") == "ltr"


@pytest.mark.parametrize("language", languages())
def test_the_summary_says_the_same_in_every_language(language: str, run: Run, record: dict[str, Any]) -> None:
    page = parser.document_fromstring(PAGES["summary.html"](record, None, language))
    text = " ".join(page.text_content().split())
    for number in record["counts"].values():
        assert str(number) in text
    for word in (
        record["plan"]["baseline"],
        record["pack"]["notice"],
        texts(language).plain(f"run.{record['verdict']}"),
    ):
        assert word in text
    assert not page.xpath("//script | //link | //img")


def test_hostile_text_stays_text_in_the_summary(record: dict[str, Any]) -> None:
    evil = "<script>alert(1)</script>{{ 7 * 7 }}</style>"
    changed = {**record, "sut": {**record["sut"], "product": evil, "authority": evil}, "reason": evil}
    for language in ("en", "ar"):
        text = PAGES["summary.html"](changed, None, language).decode()
        assert "<script" not in text
        assert text.count("</style>") == 1


@pytest.mark.parametrize("language", ["ru", "fa"])
def test_the_pdf_is_two_pages_and_the_same_every_time(language: str, record: dict[str, Any]) -> None:
    long = "word " * 200
    changed = {
        **record,
        "sut": {**record["sut"], "product": long, "authority": "x" * 5000},
        "pack": {**record["pack"], "title": long, "notice": "\x00<b>" + long},
        "requirements": [
            {**each, "id": f"{each['id']}-{n}", "group": f"{each['group']} {n}", "text": long, "status": "failed"}
            for n in range(30)
            for each in record["requirements"][:1]
        ],
    }
    data = PAGES["summary.pdf"](record, None, language)
    assert data == PAGES["summary.pdf"](record, None, language)
    for each in (data, PAGES["summary.pdf"](changed, None, language)):
        assert len(re.findall(rb"/Type /Page\b", each)) == 2
        assert len(each) < 200_000


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="needs pdftotext")
@pytest.mark.parametrize("language", ["ar", "fa", "ru"])
def test_a_line_of_the_pdf_that_is_broken_keeps_its_letters(
    language: str, record: dict[str, Any], tmp_path: Path
) -> None:
    """Where a sentence runs both ways, the library printed the letters of one font with those of another."""
    changed = {
        **record,
        "sut": {**record["sut"], "product": "reference implementation (holder)"},
        "role": "holder",
        "positions": [],
        "pack": {
            **record["pack"],
            "title": "eTIR 4.3 (illustrative)",
            "version": "0.1.0",
            "roles": {"holder": "TIR Carnet holder"},
        },
        "verdict": "not conformant",
    }
    (tmp_path / "summary.pdf").write_bytes(PAGES["summary.pdf"](changed, None, language))
    subprocess.run(["pdftotext", tmp_path / "summary.pdf", tmp_path / "text"], check=True)
    text = (tmp_path / "text").read_text("utf-8")
    assert text.count("illustrative") == 3
