"""Canonical XML, and the one place that knows where lxml's is wrong.

Three defects of lxml are worked round here; each has a regression test:

* A prefix of an InclusiveNamespaces list is silently ignored when the libxml2 dictionary of the running thread
  has not met it, so a digest would depend on what the thread parsed before. Every prefix is made known first.
* ``#default`` in such a list is never honoured, for the same reason.
* Inclusive canonicalisation of an inner element writes a wrong ``xmlns=""`` under an inherited default namespace.
  The element is cut out with its declarations and parsed again, and that root is canonicalised.

Even so, only trees that came out of a parser are canonicalised: a tree that was built or whose nodes were moved has
other declarations than the text it will be written as. Serialise, parse, then digest.
"""

from __future__ import annotations

import io
import threading
from typing import TYPE_CHECKING

from lxml import etree

from harness.errors import MalformedInput

if TYPE_CHECKING:
    from collections.abc import Sequence

_XML = "{http://www.w3.org/XML/1998/namespace}"
_MOST_KNOWN = 1000
_thread = threading.local()


def canonical(
    element: etree._Element, *, exclusive: bool = True, prefixes: Sequence[str] = (), comments: bool = False
) -> bytes:
    """The canonical form of one element of a parsed tree, in the context of its document.

    Parameters:
        element: the apex.
        exclusive: Exclusive XML Canonicalization 1.0, else Canonical XML 1.0.
        prefixes: InclusiveNamespaces PrefixList, ``#default`` included; only for the exclusive kind.
        comments: keep comments.

    Raises:
        MalformedInput: ``not-canonicalisable``: the element has no canonical form, such as one with a relative
            namespace name (Canonical XML 1.0, section 1.3). That is never the same as an empty form.
    """
    if prefixes:
        _make_known(prefixes)
    apex = element if exclusive and "#default" not in prefixes else _cut_out(element, inherit_xml=not exclusive)
    return _write(apex, exclusive=exclusive, prefixes=prefixes, comments=comments)


def canonical_document(
    root: etree._Element, *, exclusive: bool = True, prefixes: Sequence[str] = (), comments: bool = False
) -> bytes:
    """The canonical form of the whole document of a root, with the processing instructions around it.

    Parameters and errors are those of :func:`canonical`.
    """
    if prefixes:
        _make_known(prefixes)
    return _write(root.getroottree(), exclusive=exclusive, prefixes=prefixes, comments=comments)


def _write(
    apex: etree._Element | etree._ElementTree, *, exclusive: bool, prefixes: Sequence[str], comments: bool
) -> bytes:
    try:
        return etree.tostring(
            apex,
            method="c14n",
            exclusive=exclusive,
            inclusive_ns_prefixes=list(prefixes) if exclusive and prefixes else None,
            with_comments=comments,
        )
    except (etree.LxmlError, ValueError) as error:
        raise MalformedInput("not-canonicalisable", f"The element has no canonical form: {error}") from error


def _make_known(prefixes: Sequence[str]) -> None:
    """Put prefixes into the libxml2 dictionary of this thread; an event filter is interned there."""
    known: set[str] = _thread.__dict__.setdefault("known", set())
    for prefix in prefixes:
        if prefix not in known:
            for _ in etree.iterparse(io.BytesIO(b"<a/>"), tag=prefix):
                pass
            if len(known) >= _MOST_KNOWN:
                known.clear()
            known.add(prefix)


def _cut_out(element: etree._Element, *, inherit_xml: bool) -> etree._Element:
    """The element as the root of a document of its own, with the declarations that it inherits.

    Parameters:
        inherit_xml: carry over the ``xml:`` attributes of its ancestors (Canonical XML 1.0, section 2.4).
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    root: etree._Element = etree.fromstring(etree.tostring(element, encoding="UTF-8", with_tail=False), parser)
    if inherit_xml:
        for ancestor in element.iterancestors():
            for name, value in ancestor.attrib.items():
                if name.startswith(_XML) and name not in root.attrib:
                    root.set(name, value)
    return root
