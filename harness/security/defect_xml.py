"""Defects that are put into a finished signed envelope by editing its text, or into what a reference digests.

Nodes of a tree are never moved: that would change their namespace declarations, and break more than was meant. A
forged reference keeps the signature value right: whoever follows it as it is written finds that its digest agrees.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import replace

from harness.security.signing import Edit, Form, Protected

XPATH = "http://www.w3.org/TR/1999/REC-xpath-19991116"
XSLT = "http://www.w3.org/TR/1999/REC-xslt-19991116"

_ID = rb'(?:wsu:Id|xml:id|Id)="'
BODY = re.compile(rb"(<env:Body [^>]*" + _ID + rb')([^"]*)("[^>]*>)(.*)(</env:Body>)', re.DOTALL)
_TIMESTAMP = re.compile(rb"(<wsu:Timestamp [^>]*" + _ID + rb')([^"]*)("[^>]*>)(.*)(</wsu:Timestamp>)', re.DOTALL)
_OBJECT = re.compile(rb"(.*<ds:Object [^>]*)(>.*<)(/ds:Object>.*)", re.DOTALL)
_BEFORE = re.compile(rb"(\s*<[^\s/>]*[^>]*)(>.*)(<ds:Signature .*)", re.DOTALL)
_WRAPPER = b'<w:Wrapper xmlns:w="urn:example:wrapper">%b</w:Wrapper></env:Header>'
XML_TEXT = re.compile(rb">([^<>&]*[0-9A-Za-z][^<>&]*)<")
_DIGIT = re.compile(rb"[0-9]")
_LETTER_OR_DIGIT = re.compile(rb"[0-9A-Za-z]")


def alter_content(content: bytes, texts: re.Pattern[bytes] = XML_TEXT) -> bytes:
    """Change one digit, or else one letter, of the longest text; without any text, add a space.

    A digit first: a number or a time with another digit is still one, so that nothing but the signature breaks.
    """
    found = max(texts.finditer(content), key=lambda match: len(match[1]), default=None)
    if found is None:
        return content + b" "
    digits, letters = (list(each.finditer(content, *found.span(1))) for each in (_DIGIT, _LETTER_OR_DIGIT))
    at = (digits or letters)[-1].start()
    old = content[at : at + 1]
    other, another = (b"7", b"8") if old.isdigit() else (b"x", b"y") if old.islower() else (b"X", b"Y")
    return content[:at] + (another if old == other else other) + content[at + 1 :]


def alter_body(protected: Protected) -> Protected:
    """Alter the payload in its Body."""

    def altered(match: re.Match[bytes]) -> bytes:
        return match[1] + match[2] + match[3] + alter_content(match[4]) + match[5]

    return replace(protected, data=BODY.sub(altered, protected.data))


def alter_document(protected: Protected) -> Protected:
    """Alter what a signature without an envelope is about: the Object in it, or the document around it."""
    about = _OBJECT.search(protected.data) or _BEFORE.search(protected.data)
    if about is None:
        return protected
    return replace(protected, data=about[1] + alter_content(about[2]) + about[3])


def alter_time(protected: Protected) -> Protected:
    """Claim a slightly shorter life: Created a little later, or Expires a little earlier."""
    last = re.search(rb"<wsu:Created>[^<]*([0-9])Z<", protected.data)
    if last is None:
        return protected
    name, digit = (b"Created", b"9") if last[1] != b"9" else (b"Expires", b"8")
    pattern = re.compile(rb"(<wsu:%b>[^<]*)[0-9](Z<)" % name)
    return replace(protected, data=pattern.sub(lambda match: match[1] + digit + match[2], protected.data))


def flip_bit_in(element: bytes) -> Edit:
    """Flip a bit in the first element of this name."""

    def edit(protected: Protected) -> Protected:
        pattern = re.compile(b"(<ds:%b>)([^<]*)(<)" % element)
        return replace(
            protected,
            data=pattern.sub(lambda match: match[1] + _flip_bit(match[2]) + match[3], protected.data, count=1),
        )

    return edit


def _flip_bit(text: bytes) -> bytes:
    value = bytearray(b64decode(text))
    value[len(value) // 2] ^= 1
    return b64encode(value)


# --- wrapping: what is signed stays as it is, and something else stands in its place ----------------------------------


def wrap_body(identifier: Callable[[bytes], bytes]) -> Edit:
    """Move the signed Body into the Header, and put an altered one, with that id, in its place."""

    def edit(protected: Protected) -> Protected:
        body = BODY.search(protected.data)
        if body is None:
            return protected
        forged = body[1] + identifier(body[2]) + body[3] + alter_content(body[4]) + body[5]
        data = protected.data.replace(body[0], forged)
        return replace(protected, data=data.replace(b"</env:Header>", _WRAPPER % body[0], 1))

    return edit


def nest_body(protected: Protected) -> Protected:
    """Put an altered Body around the signed one, which ends up behind the payload."""

    def nested(body: re.Match[bytes]) -> bytes:
        return body[1] + b"body-of-somebody-else" + body[3] + alter_content(body[4]) + body[0] + body[5]

    return replace(protected, data=BODY.sub(nested, protected.data))


def wrap_timestamp(protected: Protected) -> Protected:
    """Move the signed Timestamp into the Header, and put another one in its place."""
    timestamp = _TIMESTAMP.search(protected.data)
    if timestamp is None:
        return protected
    forged = timestamp[1] + b"time-of-somebody-else" + b"".join(timestamp.groups()[2:])
    data = protected.data.replace(timestamp[0], forged)
    return replace(protected, data=data.replace(b"</env:Header>", _WRAPPER % timestamp[0], 1))


# --- the markup of the signature --------------------------------------------------------------------------------------


def insert(before: bytes, made: Callable[[bytes], bytes]) -> Edit:
    """Put something, made out of what stands there, before the first place where *before* matches."""
    pattern = re.compile(before, re.DOTALL)
    return lambda protected: replace(
        protected, data=pattern.sub(lambda match: made(match[0]) + match[0], protected.data, count=1)
    )


def repeat(what: bytes) -> Edit:
    """Put a copy, with ids of its own, behind the first place that matches."""
    pattern, named = re.compile(what, re.DOTALL), re.compile(rb"( " + _ID + b")")
    return lambda protected: replace(
        protected, data=pattern.sub(lambda match: match[0] + named.sub(rb"\1twin-", match[0]), protected.data, count=1)
    )


def remove(what: bytes) -> Edit:
    """Take out the first place that matches."""
    return lambda protected: replace(protected, data=re.sub(what, b"", protected.data, count=1, flags=re.DOTALL))


def comment_digest(protected: Protected) -> Protected:
    """Put a comment before a digest: it is not in the canonical form, so the signature value stays right."""
    return replace(protected, data=protected.data.replace(b"<ds:DigestValue>", b"<ds:DigestValue><!-- AAAA -->", 1))


# --- references that lead elsewhere -----------------------------------------------------------------------------------


def hide_by_xpath(form: Form) -> Form:
    """Filter by an XPath that no node satisfies: the signature is right, and over nothing."""
    xpath = f'<ds:Transform Algorithm="{XPATH}"><ds:XPath>false()</ds:XPath></ds:Transform>'
    return Form(form.uri, b"", xpath + form.transforms)


def replace_by_xslt(form: Form) -> Form:
    """Transform by a stylesheet that always gives the same text: the signature is right, and over that text."""
    sheet = (
        '<xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform" version="1.0"><xsl:output method="text">'
        '</xsl:output><xsl:template match="/">nothing</xsl:template></xsl:stylesheet>'
    )
    return Form(form.uri, b"nothing", f'<ds:Transform Algorithm="{XSLT}">{sheet}</ds:Transform>')


def point_at(uri: str) -> Callable[[Form], Form]:
    """Let a reference lead somewhere else, with the digest of what it should have led to."""
    return lambda form: form._replace(uri=uri, data=form.data or b"")
