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
_TO_ESCAPE = re.compile('[&<>"\t\n\r]')
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MOST = 256


class _Form(NamedTuple):
    """A form, and what it was made from.

    Parameters:
        pieces: what is between the texts, with a place for a text after each but the last.
        numbers: of the texts in these places.
        texts, values: what stands at each path of elements, and in the places of the bindings; a text that is put in is
            its number, and one that has such in it is cut into pieces likewise.
        single: of the values that are one text, its number.
        mixed: names of those that are made of several.
    """

    pieces: Sequence[str]
    numbers: Sequence[int]
    texts: Mapping[str, Sequence[Any]]
    values: Mapping[str, Any]
    single: Mapping[str, int]
    mixed: Sequence[str]
    sample: XmlDocument
    bindings: Mapping[str, Binding]


_forms: OrderedDict[Hashable, _Form] = OrderedDict()
_making = Lock()


def print_message(sample: Document, bindings: Mapping[str, Binding], values: Values) -> Document:
    """A message as :func:`harness.message.build.build` makes it, for a sample that many messages are made from.

    Parameters and errors are those of ``build``.
    """
    texts: list[Any] = []
    shape = _shape(values, texts)
    writable = {*map(type, texts)} <= {str} and not _NOT_XML.search(together := "".join(texts))
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
    written = [text.translate(_ESCAPED) for text in texts] if _TO_ESCAPE.search(together) else texts
    pieces[1::2] = [written[number] for number in form.numbers]
    said = dict(form.values)
    said |= {name: texts[number] for name, number in form.single.items()}
    said |= {name: _filled(said[name], texts) for name in form.mixed}
    printed = Printed(form.texts, lambda path: _filled(form.texts.get(path, []), texts), bindings, said)
    return parse_written("".join(pieces).encode(), printed)


def _make(sample: XmlDocument, bindings: Mapping[str, Binding], values: Values) -> _Form:
    count = itertools.count()
    marked = {name: _marked(value, count) for name, value in values.items()}
    data = build(sample, bindings, marked).to_bytes()
    document = parse_written(data)
    texts, said = _numbered(document.all_texts), _numbered(read(document, bindings))
    pieces = _MARK.split(data.decode())
    numbers = [int(number) for number in pieces[1::2]]
    single = {name: value for name, value in said.items() if isinstance(value, int)}
    mixed = [name for name, value in said.items() if isinstance(value, list | tuple)]
    return _Form(pieces, numbers, texts, said, single, mixed, sample, bindings)


def _shape(value: Any, texts: list[Any]) -> Hashable:
    """What a value is made of: the names in it, and what is absent; its texts are added to *texts*."""
    if isinstance(value, list | tuple):
        return tuple([_shape(entry, texts) for entry in value])
    if not isinstance(value, dict):
        if value is not None:
            texts.append(value)
        return value is None
    shape: list[Hashable] = []
    for name, entry in value.items():
        if isinstance(entry, str):
            texts.append(entry)
            shape.append(name)
        else:
            shape.append((name, _shape(entry, texts)))
    return tuple(shape)


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
