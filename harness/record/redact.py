"""What is shown is masked: the exact bytes stay in the evidence, and nowhere else.

Masked are, wherever they stand, credentials (keys, passwords, tokens) and what speaks of persons and firms (names and
addresses, known by the usual names of elements); further the places that the pack names (``redact:`` of a message, and
bound values that are ``secret``), and what findings quote from those places.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from lxml import etree

from harness.errors import HarnessError, MalformedInput
from harness.message.document import parse
from harness.message.json import JsonDocument
from harness.message.path import Path, parse_path
from harness.message.xml import XmlDocument

if TYPE_CHECKING:
    from harness.message.model import Document
    from harness.pack.model import Pack

MASK = "[redacted]"
LONGEST_TEXT = 240
"""Characters of one text in a message (a certificate, a signature) that are shown."""
_MOST_MARKED = 20

_SECRET_HEADERS = re.compile(
    r"(proxy-)?authorization|(set-)?cookie|.*(api-?key|auth-?token|access-?token|secret|password)", re.IGNORECASE
)
_SECRET_NAMES = re.compile(
    r"password|passwd|passphrase|secret|client_?secret|access_?token|refresh_?token|id_?token|api_?key|authorization"
    r"|private_?key",
    re.IGNORECASE,
)
_PERSONAL_NAMES = re.compile(
    r"((first|last|given|family|full|middle|person|contact|company|trade|trader|holder|driver)[_-]?)?name"
    r"|person|((street|postal|e?-?mail)[_-]?)?address([_-]?(line|lines|text))?|street([_-]?(name|number|line))?|house[_-]?number"
    r"|(postal?|zip)[_-]?code(id)?|city([_-]?name)?|(tele)?phone([_-]?number)?|mobile|fax|e-?mail"
    r"|(date[_-]?of[_-]?)?birth([_-]?(date|place))?|passport([_-]?(number|id))?",
    re.IGNORECASE,
)
_IN_TEXT = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|(?<=\bBearer )[A-Za-z0-9._~+/=-]{6,}"
    r"|(?<=\bBasic )[A-Za-z0-9+/]{12,}={0,2}"
    r"|(?<=://)[^/\s:@]{1,200}:[^/\s@]{1,200}(?=@)"
    r"|(?P<name>(?<![\w-])(?:password|passwd|passphrase|secret|api[_-]?key)[\"']?\s*[=:]\s*[\"']?)[^\s\"'&,;<>}]{1,4000}"
    r"|(?P<token>(?<![\w-])(?:access[_-]|refresh[_-]|id[_-])?token[\"']?\s*[=:]\s*[\"']?)[A-Za-z0-9._~+/=-]{8,4000}",
    re.DOTALL | re.IGNORECASE,
)
_CREDENTIALS = ("-----", "bearer ", "basic ", "passw", "passphrase", "secret", "apikey", "api-key", "api_key", "@")
"""One of these, or what the next pattern finds, is in every text in which the pattern above finds anything; looking for
them takes a tenth of the time."""
_TOKEN = re.compile(r"token[\"']?\s*[=:]")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")


@dataclass(frozen=True)
class Shown:
    """A body as it may be shown.

    Parameters:
        text: pretty-printed, masked, perhaps cut.
        note: what was cut or held back, in one sentence; empty when nothing was.
        marked: numbers of the lines, from 0, in which a marked place begins.
    """

    text: str
    note: str = ""
    marked: frozenset[int] = frozenset()


def places_of(pack: Pack) -> dict[str, list[str]]:
    """The places that are masked, by message: what the pack redacts, and bound values that are secret."""
    places = {
        name: sorted(
            {
                *message.redact,
                *(binding.path for binding in message.bindings.values() if pack.values[binding.name].secret),
            }
        )
        for name, message in pack.messages.items()
    }
    return {name: found for name, found in places.items() if found}


def redact_text(text: str) -> str:
    """A text with every credential in it masked."""
    folded = text.casefold().replace("\N{COMBINING DOT ABOVE}", "").replace("\N{LATIN SMALL LETTER DOTLESS I}", "i")
    if not any(word in folded for word in _CREDENTIALS) and not _TOKEN.search(folded):
        return text
    return _IN_TEXT.sub(lambda match: (match["name"] or match["token"] or "") + MASK, text)


def redact_head(head: Mapping[str, Any]) -> dict[str, Any]:
    """A request or status line with its headers, credentials masked."""
    return {
        "line": redact_text(str(head.get("line", ""))),
        "headers": [
            [str(name), MASK if _SECRET_HEADERS.fullmatch(str(name)) else redact_text(str(value))]
            for name, value in head.get("headers", ())
        ],
    }


@lru_cache(maxsize=4096)
def is_private(name: str) -> bool:
    """Whether an element, member or value of this name is masked wherever it stands."""
    return bool(_SECRET_NAMES.fullmatch(name) or _PERSONAL_NAMES.fullmatch(name))


def hidden_values(pack: Pack) -> frozenset[str]:
    """Names of the bound values that are masked: secret ones, and those that are read from a masked place."""
    places = places_of(pack)
    return frozenset(
        binding.name
        for name, message in pack.messages.items()
        for binding in message.bindings.values()
        if pack.values[binding.name].secret
        or any(_is_below(binding.path, place) for place in places.get(name, ()))
        or any(is_private(each) for each in _names_of(binding.path))
    )


def redact_value(value: Any, hidden: frozenset[str] = frozenset(), name: str = "") -> Any:
    """JSON data with everything in it masked that must not be shown.

    Parameters:
        value: what an event or a control interface says.
        hidden: names that are masked besides those that always are.
        name: under which it stands.
    """
    if name in hidden or is_private(name):
        return _all_masked(value)
    if isinstance(value, dict):
        if value.keys() == {"line", "headers"}:
            return redact_head(value)
        return {key: redact_value(item, hidden, key) for key, item in value.items()}
    if isinstance(value, list):
        return [redact_value(item, hidden, name) for item in value]
    return redact_text(value) if isinstance(value, str) else value


def _all_masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _all_masked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_all_masked(item) for item in value]
    return value if value is None or value == "" else MASK


def redact_finding(text: str, pointer: str, places: Iterable[str]) -> str:
    """A finding's sentence; what it quotes is masked when it speaks of a masked place."""
    if any(_is_below(pointer, place) for place in places) or any(is_private(name) for name in _names_of(pointer)):
        return _QUOTED.sub(f"'{MASK}'", text)
    return redact_text(text)


def show_body(data: bytes, form: str, places: Sequence[str], longest: int, marks: Sequence[str] = ()) -> Shown:
    """A body of the wire, for people.

    Parameters:
        data: the exact bytes.
        form: ``xml`` or ``json``.
        places: paths below the payload's root that are masked.
        longest: characters that are shown.
        marks: places that findings point to, whose lines are told; where one is not there, the nearest above it.
    """
    sign = f"mark-{hashlib.sha256(data).hexdigest()[:16]}"  # which the data cannot hold
    if not data.strip():
        return Shown("", "The body is empty.")
    try:
        text = redact_text(_pretty(parse(form, data), places, marks, sign))
    except MalformedInput as malformed:
        if places:
            return Shown("", f"The body cannot be read ({malformed.code}), so that its masked places cannot be found.")
        text = redact_text(data[: longest * 4].decode("utf-8", "replace"))
    marked = frozenset(number for number, line in enumerate(text[:longest].split("\n")) if sign in line)
    text = text.replace(f' {sign}=""', "").replace(sign, "")
    if len(text) <= longest:
        return Shown(text, marked=marked)
    return Shown(
        text[:longest],
        marked=marked,
        note=f"Cut after {longest:,} of {len(text):,} characters; all bytes are in the evidence.",
    )


def _pretty(document: Document, places: Sequence[str], marks: Sequence[str], sign: str) -> str:
    payload = _payload(document)
    for text in places:
        for place in payload.top.reach(parse_path(text)):
            try:
                place.write(MASK)
            except ValueError:
                place.remove()
    if isinstance(document, XmlDocument):
        for each in _nearest(document, payload, marks):
            each.element.set(sign, "")
        return _pretty_xml(document.element)
    assert isinstance(document, JsonDocument)  # noqa: S101 - a parsed document is one of the two
    shown = JsonDocument(_shortened(document.value))
    for each in _nearest(shown, shown, marks):
        members = [(name + sign if name == each.name else name, value) for name, value in each.owner.items()]
        each.owner.clear()
        each.owner.update(members)
    return json.dumps(shown.value, indent=2, ensure_ascii=False)


def _nearest(document: Document, payload: Document, marks: Sequence[str]) -> Iterator[Any]:
    """The place of each mark in the payload or the whole document; where it is missing, the nearest above it."""
    for mark in dict.fromkeys(marks):
        try:
            steps = parse_path(mark).steps
        except HarnessError:  # pointers come from peers
            continue
        whole = bool(steps) and steps[0].name == document.root.rpartition("}")[2]
        top, steps = (document.top, steps[1:]) if whole else (payload.top, steps)
        longer_first = (top.reach(Path(steps[:length])) for length in range(len(steps), 0, -1))
        yield from next(filter(None, longer_first), [])[:_MOST_MARKED]


def _payload(document: Document) -> Document:
    """What the paths of a pack start from: the content of a SOAP body, else the document itself."""
    if isinstance(document, XmlDocument) and etree.QName(document.element).localname == "Envelope":
        bodies = document.top.reach(parse_path("Body"))
        first = next(iter(bodies[0].element.iterchildren(etree.Element)), None) if bodies else None
        if first is not None:
            return XmlDocument(first)
    return document


def _pretty_xml(root: etree._Element) -> str:
    for element in root.iter(etree.Element):
        if is_private(str(element.tag).rpartition("}")[2]):
            for each in element.iter(etree.Element):
                each.text = MASK if each.text and each.text.strip() else each.text
        elif element.text and len(element.text) > LONGEST_TEXT:
            element.text = _short(element.text)
    etree.indent(root)
    return etree.tostring(root, encoding="unicode", with_tail=False)


def _shortened(value: Any, name: str = "") -> Any:
    if is_private(name):
        return _all_masked(value)
    if isinstance(value, dict):
        return {key: _shortened(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [_shortened(item, name) for item in value]
    return _short(value) if isinstance(value, str) else value


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else f"{text[:80].rstrip()}… ({len(text):,} characters)"


def _is_below(pointer: str, place: str) -> bool:
    found, masked = _names(parse_path(place)), _names_of(pointer)
    return masked[: len(found)] == found


def _names(path: Path) -> list[str]:
    return [step.name for step in path.steps]


def _names_of(pointer: str) -> list[str]:
    return [part.lstrip("@").partition("[")[0] for part in pointer.strip("/").split("/")]
