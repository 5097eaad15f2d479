"""The report page: one HTML file without script, that opens from disk and prints well."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

from harness.pack.data import data_folder
from harness.report.view import Fetch, context, listed


def html(record: Mapping[str, Any], fetch: Fetch) -> bytes:
    """The record as a page.

    Parameters:
        record: see :func:`harness.record.aggregate.make_record`.
        fetch: digest to bytes, for the message bodies that are shown.
    """
    return _template().render(context(record, fetch)).encode("utf-8", "replace")


@cache
def _template() -> Template:
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(data_folder("reports") / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "moment": moment,
        "day": day,
        "clock": clock,
        "seconds": seconds,
        "short": short,
        "names": names,
        "place": place,
        "words_only": words_only,
        "seat": seat,
        "listed": listed,
    }
    return environment.get_template("report.html.j2")


def moment(text: str | None) -> str:
    """A time of the record for people: ``2026-11-23 10:15:04 UTC``."""
    return f"{text[:10]} {text[11:19]} UTC" if text else "not known"


def day(text: str | None) -> str:
    """The day of a time of the record."""
    return text[:10] if text else "not known"


def short(digest: str | None) -> str:
    """The first digits of a digest."""
    return digest.removeprefix("sha256:")[:12] if digest else "none"


def names(items: Mapping[str, str]) -> str:
    """``name value`` pairs in one line."""
    return ", ".join(f"{name} {value}" for name, value in items.items())


def clock(text: str | None) -> str:
    """The time of day of a time of the record, with milliseconds."""
    return text[11:23] if text else ""


def seconds(text: str | None) -> str:
    """A duration with milliseconds."""
    return f"{float(text):.3f} s" if text else ""


def place(path: str) -> str:
    """The last step of an absolute path in an envelope, without its namespace: ``Body``."""
    return re.sub(r"\{[^}]*\}", "", path).rpartition("/")[2]


def words_only(text: str) -> str:
    """Letters, digits and hyphens, for use inside a style sheet."""
    return re.sub(r"[^A-Za-z0-9-]", "", text)


def seat(party: str) -> str:
    """The position of a party, or its role where that has one seat."""
    return party.rpartition(".")[2]
