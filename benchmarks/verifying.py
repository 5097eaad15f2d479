"""Verifying one signed envelope: what the harness takes, the bare sum beside it, and python-xmlsec.

The bare sum is what cannot be left out, with bare libraries in one straight line: parse, index the ids (of every kind
that a reference can mean, in the fastest way that we know), canonicalise Body, Timestamp and SignedInfo, digest the two
references, one operation with the public key. Where the signature, its parts and the key are is known before.

The harness says besides what was signed by whom, at which time, under which trust, and why not. The path to the trust
anchor is remembered, as in a run; working it out is measured apart.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.util import find_spec

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from lxml import etree

from benchmarks.floor import der, forms_of, parse
from benchmarks.measure import Compared, Sample, Series, measure, sample
from benchmarks.world import World
from harness.message.document import parse as parse_document
from harness.security.certificate import find_path
from harness.security.markup import WSU
from harness.security.model import Identity
from harness.security.protect import inspect, protect

SIZE = 10_000
_IDS = etree.XPath(
    "/descendant-or-self::*/@wsu:Id | /descendant-or-self::*/@Id | /descendant-or-self::*/@xml:id",
    namespaces={"wsu": WSU},
)


@dataclass(frozen=True)
class Verifying:
    """What verifying an envelope takes.

    Parameters:
        key: kind of the signing key.
        size: of the envelope, in bytes.
        compared: each way of verifying it, with the bare sum beside it.
        path: working out the path to the trust anchor, which is left out above.
    """

    key: str
    size: int
    compared: tuple[Compared, ...]
    path: Series

    @property
    def of_the_other(self) -> float | None:
        """What the harness takes of what python-xmlsec takes, ``None`` where that is not installed."""
        ours, *others = (each.series for each in self.compared)
        return Compared(ours, others[0]).ratio if others else None


def measure_verifying(world: World, *, units: int, repeats: int) -> Iterator[Verifying]:
    """Measure it with a key on an elliptic curve, and with an RSA key; a unit is one envelope."""
    for kind, signer in (("ECDSA, P-256", world.ours), ("RSA, 2048 bits", world.pki.issue("rsa", key="rsa"))):
        yield _measure(world, kind, signer, units, repeats)


def _measure(world: World, kind: str, signer: Identity, units: int, repeats: int) -> Verifying:
    data, now = _envelope(world, signer), datetime.now(UTC)
    profile, trust, leaf = world.pack.security, world.trust, signer.certificate
    if inspect(data, {}, profile, trust, now).report.problems:
        raise ValueError("verifying is measured with a right message")
    ways: dict[str, Callable[[], object]] = {
        "the bare sum": _bare(data),
        "this harness": lambda: inspect(data, {}, profile, trust, now),
    }
    if find_spec("xmlsec"):
        ways["python-xmlsec"] = _by_xmlsec(data)
    bare, *others = _in_turns(ways, units, repeats)
    path = measure("path", lambda: find_path(leaf, (), replace(trust), now, profile), units=units, repeats=repeats)
    return Verifying(kind, len(data), tuple(Compared(each, bare) for each in others), path)


def _envelope(world: World, signer: Identity) -> bytes:
    """The longest golden message of the pack, with its longest list repeated until the envelope is long enough."""
    golden = [(message, file) for message in world.pack.messages.values() for file in message.golden.values()]
    message, file = max(golden, key=lambda each: each[1].stat().st_size)
    lists = [binding.parts[0] for binding in message.bindings.values() if binding.parts[1] is not None]
    now, data = datetime.now(UTC), b""
    for times in range(1, 100):
        document = parse_document(world.pack.format, file.read_bytes())
        longest = max((document.top.reach(path)[0] for path in lists), key=lambda place: len(place.text or ""))
        longest.repeat(times)
        data = protect(document, signer, world.pack.security, now).data
        if len(data) >= SIZE:
            break
    return data


def _in_turns(ways: Mapping[str, Callable[[], object]], units: int, repeats: int) -> list[Series]:
    """Measure several ways, repeat by repeat one after the other, so that all of them see the same computer."""
    samples: dict[str, list[Sample]] = {name: [] for name in ways}
    for _ in range(repeats + 1):
        for name, way in ways.items():
            samples[name].append(sample(way, units))
    return [Series(name, taken[1:]) for name, taken in samples.items()]


def _bare(data: bytes) -> Callable[[], object]:
    parts = parse(data)
    signature = parts.signed_info.getparent()
    assert signature is not None
    security = signature.getparent()
    assert security is not None
    key = x509.load_der_x509_certificate(b64decode(security[0].text or "")).public_key()
    value = b64decode(signature[1].text or "")

    def verify(signed: bytes) -> None:
        if isinstance(key, RSAPublicKey):
            key.verify(value, signed, PKCS1v15(), SHA256())
        elif isinstance(key, EllipticCurvePublicKey):
            key.verify(der(value), signed, ECDSA(SHA256()))

    def work() -> None:
        found = parse(data)
        ids = _IDS(found.body)
        dict(zip(ids, [each.getparent() for each in ids], strict=True))
        body, timestamp, signed_info = forms_of(found)
        hashlib.sha256(body).digest()
        hashlib.sha256(timestamp).digest()
        verify(signed_info)

    return work


def _by_xmlsec(data: bytes) -> Callable[[], object]:
    """As short as it can be: parse, register the ids, verify with the certificate in the token."""
    import xmlsec

    names = xmlsec.constants
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)

    def work() -> None:
        root = etree.fromstring(data, parser)
        xmlsec.tree.add_ids(root, ["Id"])
        context = xmlsec.SignatureContext()
        certificate = b64decode(root[0][0][0].text or "")
        context.key = xmlsec.Key.from_memory(certificate, names.KeyDataFormatCertDer)
        signature = xmlsec.tree.find_node(root, names.NodeSignature)
        assert signature is not None
        context.verify(signature)

    return work
