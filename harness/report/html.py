"""The pages for people: HTML files without script, that open from disk and print well."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from harness.pack.data import data_folder
from harness.report.mapping import STATUSES, WORDS
from harness.report.plain import moment, waived_name
from harness.report.texts import DEFAULT, texts
from harness.report.view import Fetch, context


def html(record: Mapping[str, Any], fetch: Fetch | None, language: str = DEFAULT) -> bytes:
    """The record as a page.

    Parameters:
        record: see :func:`harness.record.aggregate.make_record`.
        fetch: digest to bytes, for the message bodies that are shown; ``None`` shows none.
        language: of the page; what judge, pack and system say is not translated.
    """
    return render("report.html.j2", context(record, fetch, texts(language)), language)


def render(template: str, values: Mapping[str, Any], language: str) -> bytes:
    """A template with its values, in a language."""
    return _environment(language).get_template(template).render(values).encode("utf-8", "replace")


@cache
def _environment(language: str) -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(data_folder("reports") / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals |= {
        "t": texts(language),
        "own": _own(language),
        "words": {verdict.value: words for verdict, words in WORDS.items()},
        "statuses": STATUSES,
    }
    environment.filters |= {
        "moment": moment,
        "day": day,
        "clock": clock,
        "seconds": seconds,
        "short": short,
        "place": place,
        "css": css,
        "seat": seat,
        "waived_name": waived_name,
    }
    return environment


def _own(language: str) -> Callable[[object], Markup]:
    """Marks what judge, pack and system say, which is not translated, where the page speaks another language."""
    if language == DEFAULT:
        return escape
    return lambda text: Markup('<bdi lang="{}">{}</bdi>').format(DEFAULT, text)


def day(text: str | None) -> str:
    """The day of a time of the record."""
    return text[:10] if text else "—"


def short(digest: str | None) -> str:
    """The first digits of a digest."""
    return digest.removeprefix("sha256:")[:12] if digest else "—"


def clock(text: str | None) -> str:
    """The time of day of a time of the record, with milliseconds."""
    return text[11:23] if text else ""


def seconds(text: str | None) -> str:
    """A duration with milliseconds."""
    return f"{float(text):.3f} s" if text else ""


def place(path: str) -> str:
    """The last step of an absolute path in an envelope, without its namespace: ``Body``."""
    return re.sub(r"\{[^}]*\}", "", path).rpartition("/")[2]


def css(text: str) -> Markup:
    """Letters, digits and plain punctuation, for use in a string inside a style sheet."""
    return Markup(re.sub(r"[^\w .,()·-]", "", text))  # noqa: S704 - nothing is left that means anything to HTML or CSS


def seat(party: str) -> str:
    """The position of a party, or its role where that has one seat."""
    return party.rpartition(".")[2]
