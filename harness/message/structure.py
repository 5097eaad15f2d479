"""Ways to arrange an XML message otherwise than the golden sample is: wrongly, or as legally as that one.

Each takes an element of the message, which belongs to a copy, and changes it in place, or gives back what shall stand
there.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping

from lxml import etree

from harness.message.xml import XmlDocument

Rearrange = Callable[[etree._Element], etree._Element | None]

STRANGE = "{urn:example:strange}Strange"


def rearranged(document: XmlDocument, choose: Callable[[str], Rearrange | None]) -> XmlDocument:
    """A message with elements that are arranged otherwise; the one that came in is not changed.

    Parameters:
        document: the message.
        choose: path of an element to what is done with it. A path is that of the elements below the root, without
            indices; ``/`` is the root.
    """
    root = document.copy().element
    for element, path in places(root):
        rearrange = choose(path)
        made = rearrange(element) if rearrange is not None else None
        parent = element.getparent()
        if made is not None and parent is not None:
            parent.replace(element, made)
        elif made is not None:
            root = made
    return XmlDocument(root)


def places(root: etree._Element) -> list[tuple[etree._Element, str]]:
    """Every element with its path, as :func:`rearranged` names it."""
    return [(each, _path(each, root)) for each in root.iter(etree.Element)]


def _path(element: etree._Element, root: etree._Element) -> str:
    names: list[str] = []
    each: etree._Element | None = element
    while each is not None and each is not root:
        names.insert(0, etree.QName(each).localname)
        each = each.getparent()
    return "/".join(names) or "/"


def _swapped(element: etree._Element) -> None:
    """Behind its next sibling."""
    following = element.getnext()
    if following is not None:
        following.addnext(element)


def _emptied(element: etree._Element) -> None:
    for child in list(element):
        element.remove(child)
    element.text = None


def _removed(element: etree._Element) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def _twice(element: etree._Element) -> None:
    element.addnext(copy.deepcopy(element))


def _rebuilt(element: etree._Element, prefixes: Mapping[str, str], *, bare: bool = False) -> etree._Element:
    """A copy that declares only these prefixes; lxml cannot change a declaration in place."""
    name = etree.QName(element)
    made = etree.Element(
        name.localname if bare else str(element.tag), attrib=dict(element.attrib), nsmap=dict(prefixes)
    )
    made.text, made.tail = element.text, element.tail
    made.extend(
        _rebuilt(child, prefixes, bare=bare) if isinstance(child.tag, str) else copy.deepcopy(child)
        for child in element
    )
    return made


def _without_namespace(element: etree._Element) -> etree._Element:
    return _rebuilt(element, {}, bare=True)


def _prefixed(element: etree._Element) -> etree._Element:
    return _rebuilt(element, {"m": etree.QName(element).namespace or ""})


def _with_spare_declaration(element: etree._Element) -> etree._Element:
    """Declares a prefix that nothing uses."""
    made = etree.Element(element.tag, attrib=dict(element.attrib), nsmap={**element.nsmap, "x": "urn:example:unused"})
    made.text, made.tail = element.text, element.tail
    made.extend(list(element))
    return made


def _other_namespace(element: etree._Element) -> None:
    for each in element.iter(etree.Element):
        each.tag = f"{{urn:example:earlier-version}}{etree.QName(each).localname}"


def _renamed(element: etree._Element) -> None:
    """The first letter is small, as in other dialects of XML."""
    name = etree.QName(element)
    element.tag = etree.QName(name.namespace, name.localname[:1].lower() + name.localname[1:])


def _with_stranger(element: etree._Element) -> None:
    element.append(etree.Element(STRANGE))


def _without_attributes(element: etree._Element) -> None:
    element.attrib.clear()


def _with_attribute(element: etree._Element) -> None:
    element.set("strange", "1")


def _comment(element: etree._Element) -> None:
    element.insert(0, etree.Comment(" a remark "))


def _comment_in_text(element: etree._Element) -> None:
    """Cuts the text of an element in two: whoever reads only the first piece reads it wrongly."""
    text = element.text or ""
    if not len(element) and len(text) > 1:
        remark = etree.Comment(" a remark ")
        element.text, remark.tail = text[:1], text[1:]
        element.append(remark)


def _instruction(element: etree._Element) -> None:
    element.insert(0, etree.ProcessingInstruction("made-by", "hand"))


def _cdata(element: etree._Element) -> None:
    if not len(element) and (element.text or "").strip():
        element.text = etree.CDATA(element.text or "")


def _compact(element: etree._Element) -> None:
    """No white space between elements."""
    for each in element.iter(etree.Element):
        if len(each) and not (each.text or "").strip():
            each.text = None
        if not (each.tail or "").strip():
            each.tail = None


def _spacious(element: etree._Element) -> None:
    """Much white space between elements."""
    etree.indent(element, space="\t\t")


STRUCTURES: Mapping[str, Rearrange] = {
    "swapped": _swapped,
    "emptied": _emptied,
    "removed": _removed,
    "twice": _twice,
    "without-namespace": _without_namespace,
    "other-namespace": _other_namespace,
    "renamed": _renamed,
    "with-stranger": _with_stranger,
    "without-attributes": _without_attributes,
    "with-attribute": _with_attribute,
    "comment": _comment,
    "comment-in-text": _comment_in_text,
    "instruction": _instruction,
    "cdata": _cdata,
    "compact": _compact,
    "spacious": _spacious,
    "prefixed": _prefixed,
    "with-spare-declaration": _with_spare_declaration,
}
"""Every arrangement by name."""
