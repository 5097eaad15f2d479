"""Make the corpus anew: ``python tests/fuzz/fuzz_seeds.py``. Its keys live in a temporary folder and nowhere else.

What earlier runs found (``found-*``) stays.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.ocsp import OCSPCertStatus, OCSPResponderEncoding, OCSPResponseBuilder
from fuzz_targets import ALL, CORPUS, HERE, JOSE, JWS, NEIGHBOURS, NOW, WSS, XMLDSIG

from harness.message.document import parse
from harness.security.keys import to_pem
from harness.security.model import Identity
from harness.security.pki import TestPki
from harness.security.pkipath import write_pki_path
from harness.security.protect import protect
from harness.security.tokens import TOKENS

XML = b'<m:Doc xmlns:m="urn:m" m:a="1"><m:Name>Goods &amp; seals</m:Name><m:Seal>A</m:Seal><m:Seal>B</m:Seal></m:Doc>'
JSON = b'{"name": "Transit", "mass": 12.50, "seals": ["A", "B"], "more": {"a": null, "b": true}}'


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        pki = TestPki.create(Path(folder) / "pki", NOW)
        ec, rsa = pki.issue("ec", country="KG", hosts=["localhost"]), pki.issue("rsa", key="rsa")
        (HERE / "trust.pem").write_bytes(to_pem((*_authorities(pki), ec.certificate, rsa.certificate)))
        (HERE / "crl.pem").write_bytes(to_pem(pki.crl()))
        xml, json = parse("xml", XML), parse("json", JSON)
        for soap in ("1.1", "1.2"):
            write("envelope", f"plain-{soap}", protect(xml, ec, replace(WSS, style="none", soap=soap), NOW).data)
            for token in TOKENS:
                for part in ("", "token"):
                    signed = ("body", "timestamp", *filter(None, (part,)))
                    profile = replace(WSS, soap=soap, tokens=(token,), signed=signed)
                    name = f"good-{soap}-{token}{'-signed' if part else ''}"
                    write("signature", name, protect(xml, ec if soap == "1.1" else rsa, profile, NOW).data)
        for identity in (ec, rsa):
            made = protect(json, identity, JWS, NOW)
            write("jws", f"good-{identity.name}", made.headers[JWS.header].encode() + b"\n" + made.data)
            write("certificate", f"good-{identity.name}", identity.certificate.public_bytes(Encoding.DER))
            chain = (*reversed(identity.chain), identity.certificate)
            write("certificate", f"good-path-{identity.name}", write_pki_path(chain))
        write("certificate", "issuing", pki.issuing.certificate.public_bytes(Encoding.DER))
        for form in ("enveloped", "enveloping"):
            for method in ALL:
                profile = replace(XMLDSIG, form=form, canonicalisations=(method,), tokens=("x509-data",))
                write("document", f"good-{form}-{method}", protect(xml, ec, profile, NOW).data)
        for form in ("compact", "flattened", "general"):
            for critical in ((), ("b64",)):
                profile = replace(JOSE, form=form, critical=critical)
                cosigners = (rsa,) if form == "general" else ()
                made = protect(json, ec, profile, NOW, cosigners=cosigners)
                write("jose", f"good-{form}-{len(critical)}", made.data)
        for number, crl in enumerate(pki.crl()):
            write("revocation", f"list-{number}", crl.public_bytes(Encoding.DER))
        write("revocation", "answer", _answer(pki, ec))
    write("json", "document", JSON)
    for number, line in enumerate(("Seal[*]/ID\nSeal[1]/ID", "Date/@formatCode\n/Date", "/\n/A/B[2]/C")):
        write("path", f"path-{number}", line.encode())
    write("binding", "xml", b"Name\nSeal[*]\n@a\nName/@b\n\n" + XML)
    write("binding", "xml-records", b"C/Seal[*] id=ID kind=@k\n\n<r><C><Seal k='1'><ID>a</ID></Seal><Seal/></C></r>")
    write("binding", "json", b"name\nseals[*]\nmore/a\nmore/b\n\n" + JSON)
    for number, name in enumerate(("CN=a,O=TEST\\, x,C=KG", 'CN="a;b", OU=#0C0161', "1.2.3=x+CN=y;ST=z")):
        write("name", f"name-{number}", name.encode())
    for file in sorted(NEIGHBOURS.glob("scenarios/**/*.yaml")):
        write("scenario", file.stem, file.read_bytes().replace(f"id: {file.stem}".encode(), b"id: fuzz"))
    for file in sorted(NEIGHBOURS.glob("*.yaml")):
        write("pack", file.stem, file.name.encode() + b"\n" + file.read_bytes())


def _answer(pki: TestPki, identity: Identity) -> bytes:
    builder = OCSPResponseBuilder().add_response(
        cert=identity.certificate, issuer=pki.issuing.certificate, algorithm=SHA256(), cert_status=OCSPCertStatus.GOOD,
        this_update=NOW - timedelta(days=1), next_update=NOW + timedelta(days=9), revocation_time=None,
        revocation_reason=None,
    ).responder_id(OCSPResponderEncoding.HASH, pki.issuing.certificate)  # fmt: skip
    return builder.sign(pki.issuing.key, SHA256()).public_bytes(Encoding.DER)


def _authorities(pki: TestPki) -> tuple:
    return pki.root.certificate, pki.issuing.certificate


def write(target: str, name: str, data: bytes) -> None:
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
