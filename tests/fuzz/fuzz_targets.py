"""What is fuzzed: each target takes any bytes, and may raise nothing but what its door declares.

A target also asserts what must hold whatever comes in: what is trusted is what was signed, what is read is what is
written. The corpus holds messages that were signed once with keys that were thrown away; ``fuzz_seeds.py`` makes it.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from harness.errors import ConfigurationFault, MalformedInput
from harness.message.binding import read
from harness.message.build import build
from harness.message.document import parse
from harness.message.envelope import open_envelope
from harness.message.json import parse_json
from harness.message.model import Binding, Document
from harness.message.path import parse_path, same_place
from harness.message.xml import XmlDocument, parse_xml
from harness.pack.load import load_pack
from harness.pack.model import Pack
from harness.scenario.load import load_scenario
from harness.security.algorithm import DS
from harness.security.c14n import canonical
from harness.security.certificate import find_path
from harness.security.keys import load_certificates, load_crls
from harness.security.model import SecurityProfile, Trust
from harness.security.names import comparable, read_name
from harness.security.pkipath import read_pki_path, write_pki_path
from harness.security.problems import PROBLEMS
from harness.security.protect import inspect, inspect_document, inspect_jws
from harness.security.tokens import TOKENS
from harness.security.trust import make_trust
from harness.security.x509 import read_certificate, read_crl, read_ocsp

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"
NOW = datetime(2026, 11, 23, 10, 0, 0, tzinfo=UTC)
NEIGHBOURS = HERE.parent / "packs" / "neighbours"
ALL = ("exc-c14n", "exc-c14n-with-comments", "c14n", "c14n-with-comments")
WSS = SecurityProfile("wss", tokens=TOKENS, canonicalisations=ALL)
XMLDSIG = SecurityProfile("xmldsig", tokens=TOKENS, canonicalisations=ALL)
JOSE = SecurityProfile("jws", signatures=("RS256", "ES256", "PS256"), critical=("b64", "iat"), most_signatures=5)
JWS = SecurityProfile("jws", signatures=("RS256", "ES256", "PS256"))


@cache
def trust() -> Trust:
    return make_trust(load_certificates(HERE / "trust.pem"), load_crls(HERE / "crl.pem"))


@cache
def signed_payloads(target: str) -> frozenset[bytes]:
    """What the messages of the corpus say: nothing else was ever signed with these keys."""
    said = set()
    for file in (CORPUS / target).glob("good-*"):
        data, headers = _message(target, file.read_bytes())
        found = inspect(data, headers, WSS if target == "signature" else JWS, trust(), NOW)
        assert found.report.trusted, file
        assert found.document is not None
        said.add(_content(found.document))
    return frozenset(said)


def _message(target: str, data: bytes) -> tuple[bytes, dict[str, str]]:
    """For JWS the first line is the HTTP header."""
    if target == "signature":
        return data, {}
    header, _, body = data.partition(b"\n")
    return body, {JWS.header: header.decode("latin-1")}


def _content(document: Document) -> bytes:
    """Without comments and namespace declarations that nothing uses: they are not signed."""
    return canonical(document.element) if isinstance(document, XmlDocument) else document.to_bytes()


def envelope(data: bytes) -> None:
    try:
        open_envelope(data)
    except MalformedInput:
        return


def json(data: bytes) -> None:
    try:
        document = parse_json(data)
    except MalformedInput:
        return
    assert parse_json(document.to_bytes()).value == document.value


def _inspected(target: str, data: bytes, profile: SecurityProfile) -> None:
    message, headers = _message(target, data)
    try:
        found = inspect(message, headers, profile, trust(), NOW)
    except MalformedInput:
        return
    assert {problem.code for problem in found.report.problems} <= PROBLEMS.keys()
    if found.report.trusted:
        assert found.document is not None
        assert _content(found.document) in signed_payloads(target), "trusted, and never signed"


def signature(data: bytes) -> None:
    _inspected("signature", data, WSS)


def jws(data: bytes) -> None:
    _inspected("jws", data, JWS)


def document(data: bytes) -> None:
    """A signed XML document; what lies outside of it is the text ``outside``, under the name ``x``."""
    try:
        found = inspect_document(data, {"x": b"outside"} if b'"x"' in data else {}, XMLDSIG, trust(), NOW)
    except MalformedInput:
        return
    assert {problem.code for problem in found.report.problems} <= PROBLEMS.keys()
    if found.report.trusted and b'"x"' not in data:
        assert found.document is not None
        assert _words(found.document) in {_words(each) for each in _good_documents("document")}, "never signed"


def jose(data: bytes) -> None:
    """A JWS in any serialisation."""
    try:
        found = inspect_jws(data, None, JOSE, trust(), NOW)
    except MalformedInput:
        return
    assert {problem.code for problem in found.report.problems} <= PROBLEMS.keys()
    if found.report.trusted:
        assert found.document is not None
        assert _words(found.document) in {_words(each) for each in _good_documents("jose")}, "never signed"


@cache
def _good_documents(target: str) -> tuple[Document, ...]:
    read: list[Document | None] = []
    for file in (CORPUS / target).glob("good-*"):
        if target == "jose":
            read.append(inspect_jws(file.read_bytes(), None, JOSE, trust(), NOW).document)
        else:
            read.append(inspect_document(file.read_bytes(), {}, XMLDSIG, trust(), NOW).document)
    return tuple(each for each in read if each is not None)


def _words(document: Document) -> bytes:
    """What a document says, without the signature in it, comments and unused declarations."""
    if not isinstance(document, XmlDocument):
        return document.to_bytes()
    copy = document.copy()
    for signature in list(copy.element.iter(f"{{{DS}}}Signature")):
        parent = signature.getparent()
        if parent is not None:
            signature.tail = None
            parent.remove(signature)
    return canonical(parse_xml(copy.to_bytes()).element)


def revocation(data: bytes) -> None:
    """A revocation list or an OCSP response of strangers, at hand while a good certificate is judged."""
    leaf, known = trust().known[0], trust()
    crls, answers = [], []
    with suppress(ValueError):
        crls.append(read_crl(data))
    with suppress(ValueError):
        answers.append(read_ocsp(data))
    if crls or answers:
        found = find_path(leaf, (), Trust(known.anchors, (), known.intermediates, ocsp=tuple(answers)), NOW, WSS)
        listed = find_path(leaf, (), Trust(known.anchors, tuple(crls), known.intermediates), NOW, WSS)
        for each in (found, listed):
            assert {problem.code for problem in each.problems} <= PROBLEMS.keys()
            assert each.subjects


def path(data: bytes) -> None:
    text, _, other = data.decode("utf-8", "replace").partition("\n")
    same_place(text, other)
    try:
        parsed = parse_path(text)
    except ConfigurationFault:
        return
    assert parse_path(str(parsed)) == parsed
    assert same_place(text, str(parsed))


def binding(data: bytes) -> None:
    """Lines ``path [drop] [field=path ...]``, an empty line, and a document; what is read can be written again."""
    head, _, content = data.partition(b"\n\n")
    bindings = {}
    for number, line in enumerate(head.decode("utf-8", "replace").splitlines()[:5]):
        place, *fields = line.split(" ")
        bindings[f"b{number}"] = Binding(f"b{number}", place, dict(each.partition("=")[::2] for each in fields))
    try:
        document = parse("xml" if content.lstrip().startswith(b"<") else "json", content)
        values = read(document, bindings)
        again = build(document, bindings, values)
    except (MalformedInput, ConfigurationFault):
        return
    read(again, bindings)


def name(data: bytes) -> None:
    try:
        read_name(data.decode("utf-8", "replace"))
    except ValueError:
        return


def certificate(data: bytes) -> None:
    for read_it in (read_pki_path, lambda each: (read_certificate(each),)):
        try:
            path = read_it(data)
        except ValueError:
            continue
        assert read_pki_path(write_pki_path(path[-1:])) == path[-1:]
        comparable(path[-1].issuer)
        found = find_path(path[-1], path[:-1], trust(), NOW, WSS)
        assert {problem.code for problem in found.problems} <= PROBLEMS.keys()
        if not found.problems:
            known = {each.tbs_certificate_bytes for each in trust().known}
            assert path[-1].tbs_certificate_bytes in known  # what is signed; the rest can be written in several ways


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="fuzz-"))


@cache
def _neighbours() -> Pack:
    return load_pack(NEIGHBOURS)


def scenario(data: bytes) -> None:
    file = _folder() / "fuzz.yaml"
    file.write_bytes(data)
    try:
        load_scenario(file, _neighbours())
    except ConfigurationFault as fault:
        str(fault)


@cache
def _pack_copy() -> Path:
    return Path(shutil.copytree(NEIGHBOURS, _folder() / "pack"))


def pack(data: bytes) -> None:
    """The first line names a file of the pack, the rest is its content."""
    head, _, content = data.partition(b"\n")
    files = sorted(each.name for each in NEIGHBOURS.glob("*.yaml"))
    chosen = head.decode("utf-8", "replace").strip()
    if chosen not in files:
        return
    file = _pack_copy() / chosen
    try:
        file.write_bytes(content)
        load_pack(_pack_copy())
    except ConfigurationFault as fault:
        str(fault)
    finally:
        shutil.copyfile(NEIGHBOURS / chosen, file)


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    target.__name__: target
    for target in (
        envelope,
        json,
        signature,
        jws,
        document,
        jose,
        path,
        binding,
        name,
        certificate,
        revocation,
        scenario,
        pack,
    )
}
"""Every target, by name; its corpus is the folder of that name."""
