from __future__ import annotations

import copy
import re
import time
from collections import Counter
from typing import Any

import pytest
from lxml import html as parser
from small_run import CONSIGNOR, TOKEN, Run, scaled

from harness.judge.model import RunVerdict, Verdict
from harness.report.derive import DERIVED, PAGES
from harness.report.html import html
from harness.report.mapping import STATUSES, WORDS
from harness.report.summary import certificate_facts
from harness.report.texts import languages, texts


@pytest.fixture(scope="session")
def record(run: Run) -> dict[str, Any]:
    return run.record()


@pytest.fixture(scope="session")
def page(run: Run, record: dict[str, Any]) -> parser.HtmlElement:
    return parser.document_fromstring(html(record, run.fetch))


def text_of(element: parser.HtmlElement) -> str:
    return " ".join(element.text_content().split())


def section(page: parser.HtmlElement, name: str) -> parser.HtmlElement:
    return page.xpath(f"//section[@aria-labelledby='{name}']")[0]


def test_the_certificate_says_who_what_and_how_sure(page: parser.HtmlElement, record: dict[str, Any]) -> None:
    text = text_of(section(page, "verdict"))
    for word in (
        record["verdict"].capitalize(), record["reason"], "Customs of Imland", "ImTransit, version 3.1",
        record["plan"]["baseline"], record["plan"]["environment"], record["pack"]["notice"], "Self-declaration",
        "c2c verify", "required", "executed", "passed",
    ):  # fmt: skip
        assert word in text
    assert [int(each.text) for each in page.xpath("//dl[@class='numbers']//dd")] == list(record["counts"].values())


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        ("conformant", "ImTransit conforms to"),
        ("not conformant", "ImTransit does not conform to"),
        ("not fully verified", "It is not established whether ImTransit, as"),
    ],
)
def test_the_verdict_is_a_sentence(verdict: str, words: str, record: dict[str, Any], run: Run) -> None:
    page = parser.document_fromstring(html({**record, "verdict": verdict}, run.fetch))
    assert words in text_of(section(page, "verdict"))


def test_the_word_conformant_stands_nowhere_unless_it_is_the_verdict(page: parser.HtmlElement) -> None:
    assert not re.search(r"(?<!not )\bconformant\b", text_of(page).lower())


def test_every_case_and_requirement_is_there_once(page: parser.HtmlElement, record: dict[str, Any]) -> None:
    assert sorted(page.xpath("//@data-case")) == sorted(case["id"] for case in record["cases"])
    assert sorted(page.xpath("//@data-requirement")) == sorted(each["id"] for each in record["requirements"])


def test_every_link_leads_somewhere_and_every_id_is_unique(page: parser.HtmlElement) -> None:
    ids = page.xpath("//@id")
    assert [name for name, count in Counter(ids).items() if count > 1] == []
    targets = {href for href in page.xpath("//a/@href") if href.startswith("#")}
    assert {target.removeprefix("#") for target in targets} <= set(ids)


def test_failures_come_first_with_demand_effect_and_both_sides(
    page: parser.HtmlElement, record: dict[str, Any]
) -> None:
    articles = section(page, "attention").xpath(".//article")
    bad = [case for case in record["cases"] if case["verdict"] not in ("pass", "warning", "not_applicable")]
    told = {href.removeprefix("#case-") for article in articles for href in article.xpath(".//a/@href")}
    assert {case["id"] for case in bad} <= told
    assert len(articles) < len(bad)  # what failed in the same way stands together
    ranks = [Verdict(article.get("class").split()[-1]).rank for article in articles]
    assert ranks == sorted(ranks, reverse=True)
    assert ranks[0] == Verdict.FAIL.rank
    text = text_of(articles[0])
    for word in (
        "Expected",
        "Observed",
        "At the border.",
        "Play it again",
        "c2c run --target",
        "NB-",
        "you think that this",
    ):
        assert word in text


def test_a_failure_names_check_and_place_of_each_finding(run: Run, record: dict[str, Any]) -> None:
    """Also where the reason of the case is the same sentence: who disputes it needs the place."""
    case = next(each for each in record["cases"] if each["verdict"] == "fail")
    finding = {
        "check": "consistency", "code": "itinerary", "severity": "error", "requirement": None,
        "pointer": "/Itinerary/Code", "line": 7, "message": case["reason"],
    }  # fmt: skip
    steps = [{**step, "findings": [finding] * (step["verdict"] == "fail")} for step in case["steps"]]
    page = parser.document_fromstring(html({**record, "cases": [{**case, "steps": steps}]}, run.fetch))
    told = text_of(section(page, "attention"))
    assert "consistency itinerary" in told
    assert "/Itinerary/Code" in told


def test_what_we_sent_is_shown_with_the_failure(page: parser.HtmlElement) -> None:
    article = next(each for each in page.xpath("//article") if "What we sent in message" in text_of(each))
    body = text_of(article.xpath(".//details//pre")[0])
    assert "POST /" in body or "HTTP/1.1 200" in body


def test_nothing_secret_is_shown(run: Run, record: dict[str, Any]) -> None:
    text = html(record, run.fetch).decode()
    assert CONSIGNOR not in text
    assert TOKEN.split()[1] not in text
    assert "[redacted]" in text


def test_a_message_from_outside_cannot_write_into_the_page(run: Run, record: dict[str, Any]) -> None:
    evil = "</pre></details><script>alert(1)</script>{{ 7 * 7 }}"
    changed = {**record, "reason": evil, "sut": {**record["sut"], "product": evil}}
    text = html(changed, lambda digest: evil.encode()).decode()
    assert "<script" not in text
    assert "{{ 7 * 7 }}" in text
    css = html({**record, "plan": {**record["plan"], "baseline": '"; } </style><script>'}}, run.fetch).decode()
    assert "<script" not in css


def test_it_needs_no_script_and_nothing_from_elsewhere(page: parser.HtmlElement) -> None:
    assert not page.xpath("//script | //link | //img | //iframe | //@onclick")
    style = page.xpath("//style")[0].text
    assert "url(" not in style
    assert "@import" not in style


def test_it_can_be_used_without_seeing_it(page: parser.HtmlElement) -> None:
    assert page.get("lang") == "en"
    assert page.xpath("//body/a[@class='skip']/@href") == ["#main"]
    assert len(page.xpath("//main")) == len(page.xpath("//header")) == len(page.xpath("//footer")) == 1
    assert len(page.xpath("//h1")) == 1
    assert not page.xpath("//th[not(@scope)]")
    assert not page.xpath("//table[not(.//th)]")
    for labelled in page.xpath("//*[@aria-labelledby]"):
        assert page.xpath(f"//*[@id='{labelled.get('aria-labelledby')}']")


def test_colour_is_never_the_only_sign(page: parser.HtmlElement) -> None:
    signs = {words.symbol for words in (*WORDS.values(), *STATUSES.values())}
    for tag in page.xpath("//span[contains(concat(' ', @class, ' '), ' tag ')]"):
        symbol = tag.xpath("./span[@aria-hidden='true']")[0].text
        assert symbol in signs
        assert len(text_of(tag)) > len(symbol)


def luminance(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_every_text_has_enough_contrast(page: parser.HtmlElement) -> None:
    """WCAG 2.2, success criterion 1.4.3: at least 4.5 to 1."""
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", page.xpath("//style")[0].text))
    pairs = [(name, "paper") for name in ("ink", "soft", "deep", "pass", "fail", "warning", "inconclusive", "neutral")]
    pairs += [(name, f"{name}-bg") for name in ("pass", "fail", "warning", "inconclusive", "neutral")]
    pairs += [("ink", "warning-bg"), ("ink", "code"), ("ink", "faint"), ("ink", "mark")]
    for front, back in pairs:
        light, dark = sorted((luminance(colours[front]), luminance(colours[back])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (front, back)


def test_the_legend_defines_every_word_once(page: parser.HtmlElement) -> None:
    legend = text_of(section(page, "legend"))
    words = texts("en")
    for key in (*(f"verdict.{each}" for each in Verdict), *(f"status.{name}" for name in STATUSES)):
        assert legend.count(words.plain(f"{key}.meaning")) == 1


def test_both_plan_ids_stand_on_every_printed_page(page: parser.HtmlElement, record: dict[str, Any]) -> None:
    box = page.xpath("//style")[0].text.partition("@bottom-left")[2].partition("}")[0]
    assert record["plan"]["baseline"] in box
    assert record["plan"]["environment"] in box


def test_passed_cases_are_closed_and_others_open(page: parser.HtmlElement) -> None:
    for case in page.xpath("//details[@data-case]"):
        assert ("open" in case.attrib) == (case.get("data-verdict") not in ("pass", "warning", "not_applicable"))


def test_the_wire_log_has_letters_for_both_ways(page: parser.HtmlElement) -> None:
    ways = {text_of(each) for each in page.xpath("//td[@class='way']")}
    assert {"→ sent", "← received"} <= ways <= {"→ sent", "← received", "· simulated"}


def test_two_thousand_cases_fit_in_one_page(run: Run, record: dict[str, Any]) -> None:
    many = scaled(record, 2000)
    started = time.process_time()
    data = html(many, run.fetch)
    assert len(data) < 8_000_000
    assert time.process_time() - started < 30
    assert data.count(b"data-case=") == 2000


HELD = {"from": "2026-03-01T09:00:00.000000Z", "until": "2027-03-01T09:00:00.000000Z"}


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("verdict", RunVerdict)
def test_only_what_holds_is_said_to_hold_until_a_day(
    verdict: RunVerdict, language: str, record: dict[str, Any]
) -> None:
    """Also where it could be admitted with waivers, and in no page and no language where there is nothing to hold."""
    words = texts(language)
    nothing, held = {**record, "verdict": verdict.value}, {**record, "verdict": verdict.value, "validity": HELD}
    for name in ("report.html", "summary.html"):
        pages = [parser.document_fromstring(PAGES[name](each, None, language)) for each in (nothing, held)]
        shown = [text_of(each) for each in pages]
        assert [words.plain("facts.until") in each for each in shown] == [False, True]
        assert ["2027-03-01" in each for each in shown] == [False, True]
    facts = dict(certificate_facts(held, words))[words.plain("facts.until")]
    only_if_admitted = words.plain("facts.until-waivers", day="2027-03-01")
    assert (facts == only_if_admitted) == (verdict is not RunVerdict.CONFORMANT)
    assert words.plain("facts.until") not in dict(certificate_facts(nothing, words))


def test_everything_derived_is_the_same_every_time(run: Run, record: dict[str, Any]) -> None:
    for derive in DERIVED.values():
        assert derive(record, run.fetch) == derive(record, run.fetch)


def test_the_summary_is_one_line(run: Run, record: dict[str, Any]) -> None:
    line = DERIVED["summary.json"](record, run.fetch)
    assert line.count(b"\n") == 1
    assert record["verdict"].encode() in line


def test_waivers_defects_and_the_test_of_the_tool_are_shown(run: Run, record: dict[str, Any]) -> None:
    cases = copy.deepcopy(record["cases"])
    cases[0]["steps"][0]["messages"][0]["defect"] = "message/too-deep"
    waiver = {
        "case": "arrival-of-unknown@export", "reason": "known <b>", "link": "https://issues.example/1",
        "author": "Aigul", "expires": "2027-01-01", "state": "used", "cases": ["arrival-of-unknown@export"],
    }  # fmt: skip
    tried = {"id": "etir", "version": "8.8", "digest": "sha256:0"}
    teeth = {"tool": "9.9", "pack": tried, "faults": 77, "killed": 66, "variations": 55, "conformant": 44}
    changed = {
        **record, "cases": cases, "waivers": [waiver], "teeth": teeth, "defects": {"message/too-deep": "It is deep."}
    }  # fmt: skip
    page = parser.document_fromstring(html(changed, run.fetch))
    for word in ("in use", "known <b>", "Aigul", "2027-01-01", "arrival-of-unknown@export"):
        assert word in text_of(section(page, "waivers"))
    assert "never called conformant" in text_of(section(page, "waivers"))
    assert not page.xpath("//section[@aria-labelledby='waivers']//strong")
    narrow = {**waiver, "requirement": "NB-1"}
    loud = {**waiver, "cases": [], "left": ["NB-2", "NB-3"]}
    there = parser.document_fromstring(html({**changed, "waivers": [narrow, loud]}, run.fetch))
    assert "arrival-of-unknown@export/NB-1" in text_of(section(there, "waivers"))
    (said,) = there.xpath("//section[@aria-labelledby='waivers']//strong")
    assert said.text == "Not excused, though broken in this case: NB-2, NB-3."
    assert "Waivers in use: 1" in text_of(section(page, "verdict"))
    for word in (
        "message/too-deep",
        "It is deep.",
        cases[0]["id"],
        f"Seed of all generated data: {record['plan']['seed']}",
    ):
        assert word in text_of(section(page, "defects"))
    assert "66 of 77" in text_of(section(page, "teeth"))
    assert "44 of 55" in text_of(section(page, "teeth"))


def test_a_record_of_an_older_version_can_still_be_shown(run: Run, record: dict[str, Any]) -> None:
    older = copy.deepcopy(record)
    for name in ("language", "defects", "teeth", "statuses"):
        older.pop(name, None)
    older["pack"].pop("bases", None)
    for case in older["cases"]:
        for step in case["steps"]:
            step.pop("alternatives", None)
    page = parser.document_fromstring(html(older, run.fetch))
    assert len(page.xpath("//@data-case")) == len(older["cases"])
    assert "No result of such a test" in text_of(section(page, "teeth"))
