"""The words of the reports, in the languages that there are catalogues for: ``reports/texts/<language>.yaml``.

A catalogue is a flat YAML file, one text a line, that a translator can edit without knowing anything else. Names in
braces stay as they are; what they stand for is put in, escaped. What the judge, the pack and the system say is not
translated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml
from markupsafe import Markup, escape

from harness.errors import ConfigurationFault
from harness.pack.data import data_folder

DEFAULT = "en"
_LEFT_TO_RIGHT = "\u200e"


@dataclass(frozen=True)
class Texts:
    """One catalogue.

    Parameters:
        language: code after BCP 47.
        entries: key to text.
    """

    language: str
    entries: Mapping[str, str]

    def __call__(self, key: str, **values: Any) -> Markup:
        """A text for a page, with *values* put in; everything is escaped but what is :class:`Markup` already."""
        return escape(self.entries[key]).format(**values)

    def plain(self, key: str, **values: Any) -> str:
        """A text where there is no markup.

        A value that is put in keeps the order of its digits.
        """
        return self.entries[key].format(**{n: self.kept(v) if isinstance(v, str) else v for n, v in values.items()})

    def listed(self, items: Iterable[str]) -> str:
        """Things one after the other, with the comma of the language."""
        return self.entries["comma"].join(map(self.kept, items))

    def kept(self, text: str) -> str:
        """A text that keeps the order of its digits in a language that runs from right to left.

        Without the mark, a day after an Arabic letter reads 01-03-2026, and a time before its day.
        """
        return f"{_LEFT_TO_RIGHT}{text}" if self.direction == "rtl" else text

    def has(self, key: str) -> bool:
        """Whether there is such a text."""
        return key in self.entries

    @property
    def direction(self) -> str:
        """``ltr`` or ``rtl``."""
        return self.entries["language.direction"]


def languages() -> tuple[str, ...]:
    """Codes of all languages that there is a catalogue for."""
    return tuple(sorted(file.stem for file in (data_folder("reports") / "texts").glob("*.yaml")))


@cache
def texts(language: str) -> Texts:
    """The catalogue of a language.

    Raises:
        ConfigurationFault: there is none.
    """
    if language not in languages():
        raise ConfigurationFault(
            f"reports cannot be made in the language '{language}'",
            expected="one of " + ", ".join(languages()),
            remedy="Choose one of these, or add a catalogue beside them.",
        )
    file = data_folder("reports") / "texts" / f"{language}.yaml"
    return Texts(language, yaml.safe_load(file.read_text("utf-8")))
