"""Forms: messages that differ in their texts alone are built once; after that the texts are put into what is written.

The golden sample is built by :mod:`harness.message.build` with a mark in the place of every text, and written out. What
stands between the marks is the form. Values of another shape (a list of another length, a value that is absent) make
another form. The finished text is parsed, once: what is checked and digested is the text that travels. Which
text stands at which path, and in which bound place, is found out with the form and not read again.
"""

from __future__ import annotations

import itertools
import re
from collections import OrderedDict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from threading import Lock
from typing import Any, NamedTuple

from harness.errors import ConfigurationFault
from harness.message.binding import read
from harness.message.build import build
from harness.message.model import Binding, Document, Values
from harness.message.xml import Printed, XmlDocument, parse_written

_MARK = re.compile("\ue000([0-9]+)\ue001")
_ESCAPED = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
)
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MOST = 256


class _Form(NamedTuple):
    """A form, and what it was made from.

    Parameters:
        pieces: what is between the texts, with the number of the text at every other place.
        texts, values: what stands at each path of elements, and in the places of the bindings; a text that is put in is
            its number, and one that has such in it is cut into pieces likewise.
    """

    pieces: Sequence[str]
    texts: Mapping[str, Sequence[Any]]
    values: Mapping[str, Any]
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
    writable = all(isinstance(text, str) for text in texts) and not _NOT_XML.search("".join(texts))
    if not isinstance(sample, XmlDocument) or not writable:
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
    said = {name: _filled(value, texts) for name, value in form.values.items()}
    printed = Printed(form.texts, lambda path: _filled(form.texts.get(path, []), texts), bindings, said)
    return parse_written("".join(pieces).encode(), printed)


def _make(sample: XmlDocument, bindings: Mapping[str, Binding], values: Values) -> _Form:
    count = itertools.count()
    marked = {name: _marked(value, count) for name, value in values.items()}
    data = build(sample, bindings, marked).to_bytes()
    document = parse_written(data)
    texts, said = _numbered(document.all_texts), _numbered(read(document, bindings))
    return _Form(_MARK.split(data.decode()), texts, said, sample, bindings)


def _shape(value: Any, texts: list[Any]) -> Hashable:
    """What a value is made of; its texts are added to *texts*."""
    if isinstance(value, list | tuple):
        return tuple([_shape(entry, texts) for entry in value])
    if isinstance(value, dict):
        return tuple([(name, _shape(text, texts)) for name, text in value.items()])
    if value is not None:
        texts.append(value)
    return value is None


def _numbered(value: Any) -> Any:
    """The value with the number of the text in the place of every mark."""
    if isinstance(value, list):
        return [_numbered(entry) for entry in value]
    if isinstance(value, dict):
        return {name: _numbered(text) for name, text in value.items()}
    if value is None or not _MARK.search(value):
        return value
    mark = _MARK.fullmatch(value)
    return tuple(_MARK.split(value)) if mark is None else int(mark[1])


def _filled(value: Any, texts: Sequence[str]) -> Any:
    """The value with the text in the place of every number."""
    if isinstance(value, int):
        return texts[value]
    if isinstance(value, list):
        return [_filled(entry, texts) for entry in value]
    if isinstance(value, dict):
        return {name: _filled(text, texts) for name, text in value.items()}
    return _joined(value, texts) if isinstance(value, tuple) else value


def _joined(pieces: Sequence[str], texts: Sequence[str]) -> str:
    """The text between the numbers, with the texts in their places."""
    return "".join(texts[int(piece)] if place % 2 else piece for place, piece in enumerate(pieces))


def _marked(value: Any, count: Iterator[int]) -> Any:
    """The value with a mark for every text, which says where :func:`_shape` has put that."""
    if isinstance(value, list | tuple):
        return [_marked(entry, count) for entry in value]
    if isinstance(value, dict):
        return {name: _marked(text, count) for name, text in value.items()}
    return None if value is None else f"\ue000{next(count)}\ue001"
