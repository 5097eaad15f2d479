"""Edits: a message changed in one place, with a name that a person can read and a machine can carry out.

============================================  ==================================================================
``message/without at PLACE``                  what stands there is taken out
``message/twice at PLACE``                    it stands there twice
``message/swapped at PLACE``                  it and what follows it have changed places (XML)
``message/foreign at PLACE``                  something that no schema knows stands last in it
``message/text at PLACE as TEXT``             it says TEXT; an attribute that is not there is created
============================================  ==================================================================
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

from harness.errors import ConfigurationFault
from harness.message.model import Document
from harness.message.path import parse_path

Action = Literal["without", "twice", "swapped", "foreign", "text"]

_NAME = re.compile(rf"message/({'|'.join(get_args(Action))}) at (\S+)(?: as (.*))?", re.DOTALL)


@dataclass(frozen=True)
class Edit:
    """One change of one place.

    Parameters:
        action: what is done.
        place: pointer to where; the first place that it reaches is meant.
        text: the new text, for ``text`` only.
    """

    action: Action
    place: str
    text: str | None = None

    @property
    def name(self) -> str:
        """The name by which :func:`read_edit` knows it again."""
        words = "" if self.text is None else f" as {self.text}"
        return f"message/{self.action} at {self.place}{words}"

    def apply(self, document: Document) -> Document:
        """A changed copy.

        Raises:
            ConfigurationFault: the place is not in the message, or this cannot be done to it.
        """
        changed = document.copy()
        found = changed.top.reach(parse_path(self.place), new_attribute=self.action == "text")
        if not found:
            raise self._fault("its place is not in the message")
        try:
            match self.action:
                case "without":
                    found[0].remove()
                case "twice":
                    found[0].repeat(2)
                case "swapped":
                    found[0].swap()
                case "foreign":
                    found[0].append_foreign()
                case "text":
                    found[0].write(self.text or "")
        except ValueError as reason:
            raise self._fault(str(reason)) from None
        return changed

    def _fault(self, reason: str) -> ConfigurationFault:
        return ConfigurationFault(
            f"the defect '{self.name}' cannot be made: {reason}",
            expected="a place that the message has",
            remedy="Correct the path, or choose another defect.",
        )


def read_edit(name: str) -> Edit | None:
    """The edit of that name, or ``None`` when it is the name of something else.

    Raises:
        ConfigurationFault: its place is not in the path dialect.
    """
    match = _NAME.fullmatch(name)
    if match is None or (match[1] == "text") != (match[3] is not None):
        return None
    parse_path(match[2])
    action: Action = match[1]  # type: ignore[assignment]
    return Edit(action, match[2], match[3])
