"""Signing what is written as text: a document with blanks where digests and signature values belong, filled in.

The document says how it is signed (canonicalisations, transforms, references), as a template of xmlsec does. Each
signature is completed by itself, in the given order, and the text is parsed again for it: so a later signature can
cover an earlier one, and what is digested is what travels.

Source: XML Signature 1.1, section 3.1 (generation).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias
from xml.sax.saxutils import quoteattr

from lxml import etree

from harness.security.algorithm import CANONICALISATIONS, DS, EXC_C14N, WRITABLE, WRITABLE_DIGESTS, sign
from harness.security.octets import Dereference, content_of, octets
from harness.security.signing import Form, Signing
from harness.security.xmldsig import signed_bytes
from harness.security.xmldsig_read import Signature, read_signature

Sign: TypeAlias = Callable[[bytes], bytes]
"""From the canonical SignedInfo to the signature value."""

_URIS = {each.name: each.uri for each in CANONICALISATIONS.values()}
_DIGESTS = {digest.uri: digest for digest in WRITABLE_DIGESTS.values()}


def method_of(signing: Signing, element: str = "Transform") -> str:
    """The canonicalisation of a signature, as the element of this name."""
    listed = ""
    if signing.prefixes and signing.canonicalisation.startswith("exc-"):
        prefixes = quoteattr(" ".join(signing.prefixes))
        listed = f'<ec:InclusiveNamespaces xmlns:ec="{EXC_C14N}" PrefixList={prefixes}></ec:InclusiveNamespaces>'
    return f'<ds:{element} Algorithm="{_URIS[signing.canonicalisation]}">{listed}</ds:{element}>'


def compose(
    signing: Signing,
    forms: Sequence[Form],
    key_info: str,
    own: str,
    identifier: str = "",
    *,
    usual: bool = False,
    content: str = "",
) -> str:
    """The text of a ds:Signature; digests and values that are not known yet are blanks.

    Parameters:
        signing: how.
        forms: what its references digest.
        key_info: what stands in ds:KeyInfo.
        own: a word that no other signature of the document has.
        identifier: attribute of the signature, with a space before it.
        usual: exclusive canonicalisation without PrefixList: SignedInfo is signed as it is written here.
        content: the ds:Object of an enveloping signature.
    """
    algorithm, digest = WRITABLE[signing.algorithm], WRITABLE_DIGESTS[signing.digest]
    references = "".join(
        f'<ds:Reference URI="{form.uri}"><ds:Transforms>{form.transforms}</ds:Transforms>'
        f'<ds:DigestMethod Algorithm="{digest.uri}"></ds:DigestMethod><ds:DigestValue>'
        f"{blank(f'{own} {number}') if form.data is None else b64encode(digest.of(form.data)).decode()}"
        "</ds:DigestValue></ds:Reference>"
        for number, form in enumerate(forms)
    )
    signed_info = (
        f'<ds:SignedInfo xmlns:ds="{DS}">{method_of(signing, "CanonicalizationMethod")}'
        f'<ds:SignatureMethod Algorithm="{algorithm.uri}"></ds:SignatureMethod>'
        f"{references}</ds:SignedInfo>"
    )
    value = b64encode(sign(algorithm, signing.key, signed_info.encode())).decode() if usual else blank(own)
    return (
        f'<ds:Signature xmlns:ds="{DS}"{identifier}>{signed_info}<ds:SignatureValue>{value}</ds:SignatureValue>'
        f"<ds:KeyInfo>{key_info}</ds:KeyInfo>{content}</ds:Signature>"
    )


def blank(name: str) -> str:
    """What stands for a value until it is known; *name* is unique in its document."""
    return b64encode(f"blank {name}".encode()).decode()


def complete(
    data: bytes,
    signs: Sequence[Sign],
    *,
    outside: Mapping[str, bytes] | None = None,
    dereference: Callable[[etree._Element], Dereference] | None = None,
) -> bytes:
    """Fill in the blanks of the signatures of a document.

    Parameters:
        data: the document; each ``DigestValue`` and ``SignatureValue`` that is to be filled in holds a :func:`blank`.
        signs: one for each signature, in document order, which is the order of completion.
        outside: content of references that lead out of the document, by URI.
        dereference: from the root to what resolves references to tokens, where a STR transform is used.

    Raises:
        MalformedInput: a reference leads nowhere, or something has no canonical form.
    """
    for number, make in enumerate(signs):
        root = _parse(data)
        signature = _signature(root, number)
        follow = dereference(root) if dereference else _no_tokens
        content = content_of(root, outside)
        for reference in signature.references:
            if reference.value.startswith(b"blank "):
                made = _DIGESTS[reference.digest].of(octets(reference, signature, content, follow))
                data = _filled(data, reference.value, made)
        signature = _signature(_parse(data), number)
        data = _filled(data, signature.value, make(signed_bytes(signature)))
    return data


def _signature(root: etree._Element, number: int) -> Signature:
    return read_signature(list(root.iter(f"{{{DS}}}Signature"))[number])


def _filled(data: bytes, value: bytes, made: bytes) -> bytes:
    return data.replace(b64encode(value), b64encode(made), 1)


def _no_tokens(element: etree._Element) -> etree._Element:
    raise ValueError(f"{etree.QName(element).localname} cannot be signed with a STR transform here")


def _parse(data: bytes) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    root: etree._Element = etree.fromstring(data, parser)
    return root
