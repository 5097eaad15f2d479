"""The summary as a PDF: two pages of A4, with the fonts inside, and the same bytes whenever the record is the same."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from harness.judge.model import Verdict
from harness.pack.data import data_folder
from harness.report.mapping import STATUSES
from harness.report.matrix import matrix
from harness.report.plain import clean
from harness.report.summary import MOST, certificate_facts, failed
from harness.report.texts import DEFAULT, Texts, texts
from harness.report.view import TONES, heading

_COLOURS = {
    "pass": (0x17, 0x60, 0x3A),
    "fail": (0x9B, 0x1C, 0x1C),
    "warning": (0x7A, 0x4A, 0x00),
    "inconclusive": (0x4B, 0x3B, 0x8F),
}
_INK, _SOFT, _DEEP, _LINE = (0x16, 0x20, 0x2B), (0x4A, 0x57, 0x65), (0x17, 0x36, 0x5C), (0xD5, 0xDB, 0xE1)
_WIDTH, _LEFT, _LABELS = 178.0, 16.0, 44.0
"""Millimetres: of the text, of the margin, of the labels' column."""
_LONGEST = {"value": 230, "demand": 150, "group": 40, "title": 90, "notice": 330}
"""Characters, so that two pages are always enough."""
_MOST_GROUPS = 18


def summary_pdf(record: Mapping[str, Any], language: str = DEFAULT) -> bytes:
    """The summary as a PDF.

    Parameters:
        record: see :func:`harness.record.aggregate.make_record`.
        language: of the pages; what judge, pack and system say is not translated.
    """
    words = texts(language)
    sheet = _Sheet(words, record)
    head = heading(record, words)
    tone = TONES.get(record["verdict"], "inconclusive")
    _first_page(sheet, record, words, head, tone)
    _second_page(sheet, record, words)
    return bytes(sheet.output())


class _Sheet(FPDF):
    """A4 paper that knows in which direction the language runs, and what stands at the foot of each page."""

    def __init__(self, words: Texts, record: Mapping[str, Any]) -> None:
        super().__init__(format="A4")
        fonts = data_folder("reports") / "fonts"
        for family, name in (("text", "NotoSans"), ("arabic", "NotoSansArabic")):
            self.add_font(family, "", fonts / f"{name}-Regular.ttf")
            self.add_font(family, "B", fonts / f"{name}-Bold.ttf")
        self.rtl = words.direction == "rtl"
        self.set_fallback_fonts(["arabic" if not self.rtl else "text"], exact_match=False)
        self.family = "arabic" if self.rtl else "text"
        plan, tool = record["plan"], record["tool"]
        self.foot = f"{plan['baseline']} · {plan['environment']} · {tool['name']} {tool['version']}"
        self.set_margins(_LEFT, 16, _LEFT)
        self.set_auto_page_break(False)
        self.set_title(words.plain("summary.title"))
        self.set_lang(words.language)
        self.set_creator(f"{record['tool']['name']} {record['tool']['version']}")
        if record["finished"]:
            self.set_creation_date(datetime.fromisoformat(record["finished"]))

    def footer(self) -> None:
        """The plan, on every page."""
        self.set_y(-14)
        self.say(f"{self.foot} · {self.page_no()} / 2", 8, colour=_SOFT)

    def say(
        self,
        text: str,
        size: float,
        *,
        bold: bool = False,
        colour: tuple[int, int, int] = _INK,
        start: float = 0.0,
        width: float | None = None,
        longest: int = 1000,
    ) -> None:
        """A paragraph; the pen is then below it.

        Parameters:
            text: of it; what is longer than *longest* characters is cut.
            size: of the letters, in points.
            start: where it begins, in millimetres from the edge at which lines begin.
            width: in millimetres; to the other edge by default.
        """
        width = _WIDTH - start if width is None else width
        text = clean(text)
        # A text without a letter of the language, such as a period of time, keeps the order of its own.
        own = any(unicodedata.bidirectional(letter) in ("AL", "R") for letter in text)
        self.set_text_shaping(True, direction="rtl" if self.rtl and own else "ltr")
        self.set_text_color(*colour)
        self._choose_font(size, bold=bold)
        text = text if len(text) <= longest else text[: longest - 1] + "…"
        for line in self._lines(text, width - 2 * self.c_margin):
            self._choose_font(size, bold=bold)
            self.set_x(_LEFT + (_WIDTH - start - width if self.rtl else start))
            align = "R" if self.rtl else "L"
            self.multi_cell(width, size * 0.5, line, align=align, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _choose_font(self, size: float, *, bold: bool) -> None:
        self.set_font("text", "", 1)  # the library forgets which font it changed to for letters that one lacks
        self.set_font(self.family, "B" if bold else "", size)

    def _lines(self, text: str, width: float) -> Iterator[str]:
        """The lines of a text: the library mixes its fonts up where it breaks a line that runs both ways itself."""
        line = ""
        for word in text.split():
            longer = f"{line} {word}" if line else word
            if line and self.get_string_width(longer) > width:
                yield line
                longer = word
            line = longer
        yield line

    def rule(self, space: float = 2.0, colour: tuple[int, int, int] = _LINE) -> None:
        """A line across the page."""
        self.ln(space)
        self.set_draw_color(*colour)
        self.set_line_width(0.3)
        self.line(_LEFT, self.get_y(), _LEFT + _WIDTH, self.get_y())
        self.ln(space)

    def seal(self, tone: str) -> None:
        """A sign in a circle at the side of the verdict, so that colour is not the only one."""
        x, y = (_LEFT + _WIDTH - 8 if self.rtl else _LEFT + 8), self.get_y() + 8
        self.set_draw_color(*_COLOURS[tone])
        self.set_line_width(0.7)
        self.circle(x, y, 8)
        self.set_line_width(1.2)
        if tone == "pass":
            self.polyline([(x - 3.4, y + 0.2), (x - 0.9, y + 2.8), (x + 3.6, y - 2.8)])
        elif tone == "fail":
            self.line(x - 2.8, y - 2.8, x + 2.8, y + 2.8)
            self.line(x - 2.8, y + 2.8, x + 2.8, y - 2.8)
        else:
            self.set_font("text", "B", 20)
            self.set_text_color(*_COLOURS[tone])
            self.set_xy(x - 8, y - 5)
            self.cell(16, 10, "?", align="C")
            self.set_xy(_LEFT, y - 8)


def _first_page(sheet: _Sheet, record: Mapping[str, Any], words: Texts, head: Mapping[str, Any], tone: str) -> None:
    sheet.add_page()
    sheet.say(words.plain("summary.title"), 9, colour=_SOFT)
    sheet.say(record["pack"]["title"], 20, bold=True, colour=_DEEP, longest=_LONGEST["title"])
    sheet.say(head["sentence"]["role"], 10, colour=_SOFT, longest=_LONGEST["title"])
    sheet.rule(4, _DEEP)
    top = sheet.get_y()
    sheet.seal(tone)
    sheet.set_y(top)
    sheet.say(words.plain(f"run.{record['verdict']}"), 18, bold=True, colour=_COLOURS[tone], start=22)
    sheet.ln(1)
    sheet.say(words.plain(f"sentence.{record['verdict']}", **head["sentence"]), 11, start=22, longest=_LONGEST["value"])
    if not record["complete"]:
        sheet.say(words.plain("incomplete"), 9.5, colour=_SOFT, start=22)
    if head["interruptions"]:
        sheet.say(" ".join(head["interruptions"]), 9.5, colour=_SOFT, start=22)
    if head["waived"]:
        sheet.say(words.plain("waived", count=len(head["waived"])), 9.5, colour=_SOFT, start=22)
    sheet.set_y(max(sheet.get_y(), top + 17))
    sheet.rule(4)
    _numbers(sheet, record, words)
    sheet.rule(4)
    if record.get("statuses"):
        _statuses(
            sheet, words, [(name, record["statuses"].get(name, 0)) for name in STATUSES], words.plain("numbers.demands")
        )
        sheet.ln(4)
    for label, value in certificate_facts(record, words):
        _pair(sheet, label, value)
    sheet.rule(3)
    sheet.say(words.plain("notice"), 9, bold=True, colour=_COLOURS["warning"])
    sheet.say(record["pack"]["notice"], 9, longest=_LONGEST["notice"])
    _signatures(sheet, words)


def _numbers(sheet: _Sheet, record: Mapping[str, Any], words: Texts) -> None:
    top, third = sheet.get_y(), _WIDTH / 3
    for n, name in enumerate(("required", "executed", "passed")):
        sheet.set_y(top)
        sheet.say(str(record["counts"][name]), 24, bold=True, start=n * third, width=third)
        sheet.say(words.plain(f"numbers.{name}"), 9.5, bold=True, start=n * third, width=third)
        sheet.say(words.plain(f"numbers.{name}-text"), 9, colour=_SOFT, start=n * third, width=third)


def _statuses(sheet: _Sheet, words: Texts, counts: Sequence[tuple[str, int]], label: str) -> None:
    parts = [words.plain("counted", word=words.plain(f"status.{name}"), count=count) for name, count in counts if count]
    top = sheet.get_y()
    sheet.say(label, 9.5, bold=True, width=_LABELS, longest=_LONGEST["group"])
    below = sheet.get_y()
    sheet.set_y(top)
    sheet.say(" · ".join(parts), 9.5, start=_LABELS, colour=_COLOURS[_worst(counts)])
    sheet.set_y(max(below, sheet.get_y()))


def _worst(counts: Sequence[tuple[str, int]]) -> str:
    """The colour of the worst status that occurs; a word always stands beside it."""
    there = {name for name, count in counts if count}
    if "failed" in there:
        return "fail"
    if there & {"not verified", "not tested"}:
        return "inconclusive"
    return "warning" if "passed with warning" in there else "pass"


def _pair(sheet: _Sheet, label: str, value: str) -> None:
    top = sheet.get_y()
    sheet.say(label, 9.5, colour=_SOFT, width=_LABELS)
    below = sheet.get_y()
    sheet.set_y(top)
    sheet.say(value, 9.5, start=_LABELS, longest=_LONGEST["value"])
    sheet.set_y(max(below, sheet.get_y()) + 1.2)


def _signatures(sheet: _Sheet, words: Texts) -> None:
    top, half = max(sheet.get_y() + 16, 244.0), _WIDTH / 2
    for n, who in enumerate(("tester", "operator")):
        x = _LEFT + n * (half + 4)
        sheet.set_draw_color(*_INK)
        sheet.set_line_width(0.2)
        sheet.line(x, top, x + half - 4, top)
        sheet.set_y(top + 1.5)
        sheet.say(words.plain(f"summary.sign.{who}"), 9.5, start=n * (half + 4), width=half - 4)
        sheet.say(words.plain("summary.sign-line"), 8.5, colour=_SOFT, start=n * (half + 4), width=half - 4)


def _second_page(sheet: _Sheet, record: Mapping[str, Any], words: Texts) -> None:
    sheet.add_page()
    sheet.say(words.plain("matrix.title"), 13, bold=True, colour=_DEEP)
    sheet.ln(2)
    rows = matrix(record)
    for row in rows[:_MOST_GROUPS]:
        _statuses(sheet, words, row.statuses, row.group)
        sheet.rule(1)
    if len(rows) > _MOST_GROUPS:
        sheet.say(words.plain("and-more", count=len(rows) - _MOST_GROUPS), 9, colour=_SOFT)
    sheet.ln(3)
    sheet.say(words.plain("attention.title"), 13, bold=True, colour=_DEEP)
    sheet.ln(1)
    bad = failed(record)
    for requirement in bad[:MOST]:
        tone = "fail" if STATUSES[requirement["status"]].like is Verdict.FAIL else "inconclusive"
        line = f"{requirement['id']} · {words.plain('status.' + requirement['status'])}"
        sheet.say(line, 9, bold=True, colour=_COLOURS[tone], longest=_LONGEST["title"])
        sheet.say(requirement["text"], 9, longest=_LONGEST["demand"])
    if len(bad) > MOST:
        sheet.say(words.plain("and-more", count=len(bad) - MOST), 9, colour=_SOFT)
    if not bad:
        sheet.say(words.plain("summary.nothing-failed"), 9.5)
    sheet.ln(3)
    sheet.say(words.plain("verify.title"), 13, bold=True, colour=_DEEP)
    sheet.say(words.plain("verify.text", statement="statement.dsse.json"), 9)
    sheet.say("c2c verify BUNDLE --trust signer.pub.pem", 9, bold=True)
    sheet.say(words.plain("summary.details", file="report.html"), 9, colour=_SOFT)
