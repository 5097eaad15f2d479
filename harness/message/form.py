"""Forms: messages that differ in their texts alone are built once; after that the texts are put into what is written.

The golden sample is built by :mod:`harness.message.build` with a mark in the place of every text, and written out. What
stands between the marks is the form. Values of another shape (a list of another length, a value that is absent) make
another form. The finished text is parsed, once: what is checked, digested and read is the text that travels.
"""

from __future__ import annotations

import itertools
import re
from collections import OrderedDict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from threading import Lock
from typing import Any, NamedTuple

from harness.errors import ConfigurationFault
from harness.message.build import build
from harness.message.model import Binding, Document, Values
from harness.message.xml import XmlDocument, parse_written

_MARK = re.compile("\ue000([0-9]+)\ue001")
_ESCAPED = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
)
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MOST = 256


class _Form(NamedTuple):
    """What is between the texts, with the number of the text at every other place; and what it was made from."""

    pieces: Sequence[str]
    sample: XmlDocument
    bindings: Mapping[str, Binding]


_forms: OrderedDict[Hashable, _Form] = OrderedDict()
_making = Lock()


def print_message(sample: Document, bindings: Mapping[str, Binding], values: Values) -> Document:
    """A message as :func:`harness.message.build.build` makes it, for a sample that many messages are made from.

    Parameters and errors are those of ``build``.
    """
    texts: list[Any] = []
    shape = tuple([(name, _shape(value, texts)) for name, value in values.items()])
    if not isinstance(sample, XmlDocument) or any(not isinstance(text, str) or _NOT_XML.search(text) for text in texts):
        return build(sample, bindings, values)
    form = _forms.get((id(sample), id(bindings), shape))
    if form is None:
        try:
            form = _make(sample, bindings, values)
        except ConfigurationFault:
            return build(sample, bindings, values)
        with _making:
            _forms[id(sample), id(bindings), shape] = form
            if len(_forms) > _MOST:
                _forms.popitem(last=False)
    pieces = list(form.pieces)
    pieces[1::2] = [texts[int(number)].translate(_ESCAPED) for number in pieces[1::2]]
    return parse_written("".join(pieces).encode())


def _make(sample: XmlDocument, bindings: Mapping[str, Binding], values: Values) -> _Form:
    count = itertools.count()
    marked = {name: _marked(value, count) for name, value in values.items()}
    return _Form(_MARK.split(build(sample, bindings, marked).to_bytes().decode()), sample, bindings)


def _shape(value: Any, texts: list[Any]) -> Hashable:
    """What a value is made of; its texts are added to *texts*."""
    if isinstance(value, list | tuple):
        return tuple([_shape(entry, texts) for entry in value])
    if isinstance(value, dict):
        return tuple([(name, _shape(text, texts)) for name, text in value.items()])
    if value is not None:
        texts.append(value)
    return value is None


def _marked(value: Any, count: Iterator[int]) -> Any:
    """The value with a mark for every text, which says where :func:`_shape` has put that."""
    if isinstance(value, list | tuple):
        return [_marked(entry, count) for entry in value]
    if isinstance(value, dict):
        return {name: _marked(text, count) for name, text in value.items()}
    return None if value is None else f"\ue000{next(count)}\ue001"
