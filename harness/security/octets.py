"""From a reference of an XML signature to the bytes that are digested, for every form of signature.

A reference leads to a part of the same document, the document around an enveloped signature, an Object inside an
enveloping one, or to content outside. WS-Security needs less and verifies without this; what signs, and what judges
other XML signatures, goes through here.

Source: XML Signature 1.1, sections 4.4.3.2 (processing), 4.4.3.3 (same-document references) and 6.6.4 (enveloped).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from lxml import etree

from harness.errors import MalformedInput
from harness.message.model import DEFAULT_LIMITS, Limits
from harness.message.xml import parse_xml
from harness.security.algorithm import CANONICALISATIONS, ENVELOPED
from harness.security.c14n import canonical, canonical_document
from harness.security.markup import Ids, index_ids
from harness.security.strtransform import token_form
from harness.security.xmldsig_read import Reference, Signature, Transform

_BY_ID = re.compile(r"#xpointer\(id\((?:'([^']+)'|\"([^\"]+)\")\)\)")
WHOLE = ("", "#xpointer(/)")
"""URIs that mean the whole document, without and with its comments."""

Dereference: TypeAlias = Callable[[etree._Element], etree._Element]
"""From a reference to a token to what is digested in its place; raises MalformedInput with the code of a problem."""


@dataclass(frozen=True, eq=False)
class Content:
    """What references can lead to.

    Parameters:
        root: of the document that holds the signature.
        ids: of that document.
        outside: content that is not in it, by the URI of the reference.
        limits: for content outside that must be parsed.
    """

    root: etree._Element
    ids: Ids
    outside: Mapping[str, bytes] = field(default_factory=dict)
    limits: Limits = DEFAULT_LIMITS


def content_of(root: etree._Element, outside: Mapping[str, bytes] | None = None) -> Content:
    """The content of a document, its ids looked up once."""
    return Content(root, index_ids(root), outside or {})


def target_of(reference: Reference, content: Content) -> etree._Element | bytes:
    """What a reference points at: an element, the root for the whole document, or content outside.

    Raises:
        MalformedInput: ``signature/reference-unresolved``, ``signature/external-reference`` or
            ``signature/reference-not-allowed``.
    """
    uri = reference.uri
    if uri in WHOLE:
        return content.root
    if uri is None:
        if len(content.outside) == 1:
            return next(iter(content.outside.values()))
        text = "A reference has no URI, and it is not said what it means."
        raise MalformedInput("signature/reference-not-allowed", text)
    if not uri.startswith("#"):
        if uri in content.outside:
            return content.outside[uri]
        text = f"The reference {uri[:200]!r} leads out of the document, and what it leads to was not given."
        raise MalformedInput("signature/external-reference", text)
    if "(" in uri and not id_of(uri):
        text = f"The reference {uri[:200]!r} is neither an id nor one of the pointers of XML Signature."
        raise MalformedInput("signature/reference-not-allowed", text)
    name = id_of(uri) or uri[1:]
    element = content.ids.elements.get(name)
    if element is None:
        where = "more than one element" if name in content.ids.duplicates else "no element"
        raise MalformedInput("signature/reference-unresolved", f"The id {name[:200]!r} stands on {where}.")
    return element


def id_of(uri: str) -> str:
    """The id in ``#xpointer(id('...'))``, ``""`` for anything else."""
    pointer = _BY_ID.fullmatch(uri)
    return (pointer[1] or pointer[2]) if pointer else ""


def octets(reference: Reference, signature: Signature, content: Content, dereference: Dereference) -> bytes:
    """The bytes that a reference digests.

    Its transforms must be known to be allowed: at most one canonicalisation, as the last, and enveloped-signature.

    Raises:
        MalformedInput: as :func:`target_of`, or the content cannot be parsed or has no canonical form.
    """
    target = target_of(reference, content)
    method = reference.canonicalisation
    if isinstance(target, bytes):
        if not reference.transforms:
            return target
        target = parse_xml(target, content.limits).element
        return _form(target, method, whole=True, comments=CANONICALISATIONS[method.uri].comments)
    if method.of_token:
        exclusive = CANONICALISATIONS[method.uri].exclusive
        return token_form(dereference(target), exclusive=exclusive, prefixes=method.prefixes)
    if any(each.uri == ENVELOPED for each in reference.transforms):
        target = _without(signature.element, target)
    pointed = reference.uri is not None and reference.uri.startswith("#xpointer")
    comments = pointed and CANONICALISATIONS[method.uri].comments
    return _form(target, method, whole=reference.uri in WHOLE, comments=comments)


def _form(target: etree._Element, method: Transform, *, whole: bool, comments: bool) -> bytes:
    form = canonical_document if whole else canonical
    return form(target, exclusive=CANONICALISATIONS[method.uri].exclusive, prefixes=method.prefixes, comments=comments)


def _without(signature: etree._Element, target: etree._Element) -> etree._Element:
    """The target in a copy of its document in which the signature is not there; the text after it stays."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    root = etree.fromstring(etree.tostring(target.getroottree(), encoding="UTF-8"), parser)
    gone, kept = _found(root, _place(signature)), _found(root, _place(target))
    parent, before = gone.getparent(), gone.getprevious()
    if parent is None:
        raise MalformedInput("signature/reference-unresolved", "Nothing is left when the signature is taken out.")
    if gone.tail and before is not None:
        before.tail = (before.tail or "") + gone.tail
    elif gone.tail:
        parent.text = (parent.text or "") + gone.tail
    parent.remove(gone)
    return kept


def _place(element: etree._Element) -> list[int]:
    """The way from the root by position alone: names and prefixes of strangers have no part in it."""
    steps = []
    parent = element.getparent()
    while parent is not None:
        steps.append(parent.index(element))
        element, parent = parent, parent.getparent()
    return steps[::-1]


def _found(element: etree._Element, place: list[int]) -> etree._Element:
    for step in place:
        element = element[step]
    return element
