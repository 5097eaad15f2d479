"""A table of certification paths with the reason for each refusal, and two second opinions on each verdict.

Cryptography's verifier and ``openssl verify`` come to the same verdict wherever they judge what a vector is about.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, replace
from itertools import product

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier
from cryptography.x509.verification import Criticality, ExtensionPolicy, PolicyBuilder, Store, VerificationError
from path_kit import DAY, LEAF, NOW, ROOT, Spec, address, authority, name, network, path

from harness.security.certificate import find_path
from harness.security.model import SecurityProfile, Trust

PROFILE = SecurityProfile("wss", curves=("secp256r1", "secp384r1"))
CLIENT, MAIL = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.EMAIL_PROTECTION
A, B, ANY = "1.2.3.1", "1.2.3.2", "2.5.29.32.0"
UNKNOWN = x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")


@dataclass(frozen=True)
class Vector:
    """Specifications from root to leaf, and the code of the one problem; ``None`` where all is right."""

    specs: tuple[Spec, ...]
    code: str | None = None
    profile: SecurityProfile = PROFILE


def dns(text):
    return x509.DNSName(text)


def mail(text):
    return x509.RFC822Name(text)


def uri(text):
    return x509.UniformResourceIdentifier(text)


def directory(*units):
    return x509.DirectoryName(x509.Name(list(name("x", *units))[: 2 + len(units)]))


def subject(*units):
    return x509.DirectoryName(name("leaf", *units))


NAMES = [
    (dns("example.org"), dns("example.org"), True),
    (dns("example.org"), dns("a.b.example.org"), True),
    (dns("example.org"), dns("badexample.org"), False),
    (dns("example.org"), dns("example.org.evil.net"), False),
    (dns("EXAMPLE.org"), dns("a.Example.ORG"), True),
    (mail("example.org"), mail("x@example.org"), True),
    (mail("example.org"), mail("x@a.example.org"), False),
    (mail(".example.org"), mail("x@a.example.org"), True),
    (mail(".example.org"), mail("x@example.org"), False),
    (mail("x@example.org"), mail("x@example.org"), True),
    (mail("x@example.org"), mail("y@example.org"), False),
    (uri("example.org"), uri("https://example.org/a"), True),
    (uri("example.org"), uri("https://a.example.org/"), False),
    (uri(".example.org"), uri("https://a.example.org:8443/?q"), True),
    (uri(".example.org"), uri("https://user@example.org/"), False),
    (uri("example.org"), uri("https://example.org.evil.net/"), False),
    (network("10.0.0.0/8"), address("10.255.0.1"), True),
    (network("10.0.0.0/8"), address("11.0.0.1"), False),
    (network("10.0.0.0/8"), address("::a00:1"), False),
    (network("2001:db8::/32"), address("2001:db8:1::1"), True),
    (network("2001:db8::/32"), address("2001:db9::1"), False),
    (directory(), subject(), True),
    (directory("unit"), subject("unit"), True),
    (directory("UNIT "), subject("unit"), True),
    (directory("unit"), subject("other"), False),
    (directory("unit"), subject(), False),
    (directory("unit", "below"), subject("unit"), False),
]
"""Constraint, name, and whether the name lies within."""


def constrained(constraint, given, kind):
    listed = {"permitted_subtrees": None, "excluded_subtrees": None, kind: [constraint]}
    extension = (x509.NameConstraints(**listed), True)
    if isinstance(given, x509.DirectoryName):
        leaf = replace(LEAF, subject=given.value)
    else:
        leaf = replace(LEAF, extensions=((x509.SubjectAlternativeName([given]), False),))
    return extension, leaf


def vectors():
    yield "good, by the root", Vector((ROOT, LEAF))
    for depth in (1, 2, 3, 5):
        middle = tuple(authority(number) for number in range(depth))
        yield f"good, {depth} authorities", Vector((ROOT, *middle, LEAF))
        for place in range(depth):
            for what, changes, code in (
                ("expired", {"end": NOW - DAY}, "issuer-out-of-date"),
                ("not yet valid", {"begin": NOW + DAY}, "issuer-out-of-date"),
                ("no authority", {"ca": False}, "issuer-no-authority"),
                ("without basic constraints", {"ca": None}, "issuer-no-authority"),
                ("key not for certificates", {"usages": ("crl_sign",)}, "issuer-key-usage"),
                ("without key usage", {"usages": None}, None),
                ("unknown critical extension", {"extensions": ((UNKNOWN, True),)}, "critical-extension"),
                ("unknown extension", {"extensions": ((UNKNOWN, False),)}, None),
                ("RSA of 1024 bits", {"kind": "rsa1024"}, "weak-key"),
                ("curve", {"kind": "p521"}, "curve"),
                ("signed by another key", {"signer": "stranger"}, "untrusted"),
            ):
                changed = tuple(replace(each, **changes) if at == place else each for at, each in enumerate(middle))
                yield f"{what}, authority {place} of {depth}", Vector((ROOT, *changed, LEAF), code)
            for length in range(4):
                below = depth - 1 - place
                changed = tuple(replace(each, length=length) if at == place else each for at, each in enumerate(middle))
                code = None if below <= length else "path-length"
                yield f"length {length}, authority {place} of {depth}", Vector((ROOT, *changed, LEAF), code)
    one = (ROOT, authority(0))
    for what, changes, code in (
        ("expired", {"end": NOW - DAY}, "expired"),
        ("not yet valid", {"begin": NOW + DAY}, "not-yet-valid"),
        ("an authority", {"ca": True}, "is-ca"),
        ("without basic constraints", {"ca": None}, None),
        ("without key usage", {"usages": None}, None),
        ("key for signatures", {"usages": ("content_commitment",)}, None),
        ("key for encryption", {"usages": ("key_encipherment",)}, "key-usage"),
        ("unknown critical extension", {"extensions": ((UNKNOWN, True),)}, "critical-extension"),
        ("RSA of 2048 bits", {"kind": "rsa2048"}, None),
        ("RSA of 1024 bits", {"kind": "rsa1024"}, "weak-key"),
        ("P-384", {"kind": "p384"}, None),
        ("curve", {"kind": "p521"}, "curve"),
        ("signed by another key", {"signer": "stranger"}, "untrusted"),
    ):
        yield f"leaf {what}", Vector((*one, replace(LEAF, **changes)), code)
    for what, purposes, wanted, code in (
        ("none, any wanted", None, (), None),
        ("none, client wanted", None, (CLIENT,), None),
        ("client, client wanted", [CLIENT], (CLIENT,), None),
        ("mail, client wanted", [MAIL], (CLIENT,), "extended-key-usage"),
        ("mail, client or mail wanted", [MAIL], (CLIENT, MAIL), None),
        ("any, client wanted", [ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE], (CLIENT,), None),
        ("mail, any wanted", [MAIL], (), None),
    ):
        extensions = ((x509.ExtendedKeyUsage(purposes), False),) if purposes else ()
        profile = replace(PROFILE, extended_key_usages=tuple(each.dotted_string for each in wanted))
        yield f"purposes {what}", Vector((*one, replace(LEAF, extensions=extensions)), code, profile)
    for number, (constraint, given, inside) in enumerate(NAMES):
        for kind, allowed in (("permitted_subtrees", inside), ("excluded_subtrees", not inside)):
            extension, leaf = constrained(constraint, given, kind)
            code = None if allowed else "name-constraints"
            near, far = authority(0, extensions=(extension,)), authority(1)
            label = f"names {number}, {kind.partition('_')[0]}"
            yield f"{label}, near", Vector((ROOT, near, leaf), code)
            yield f"{label}, far", Vector((ROOT, near, replace(far, subject=leaf.subject), leaf), code)
    for above, below, wanted, required in product(
        (None, {A}, {B}, {ANY}), (None, {A}, {A, B}, {ANY}), ((), (A,)), (None, 0)
    ):
        # an independent reading of RFC 5280 for one authority: anyPolicy stands for whatever the other one says
        both = None if above is None or below is None else above & below
        both = below if above == {ANY} else above if below == {ANY} else both
        both = set() if above is None or below is None else both
        explicit = bool(wanted) or required is not None
        fits = bool(both) and (not wanted or A in both or ANY in both)
        extensions = [*policies(above), *([(x509.PolicyConstraints(required, None), True)] if required == 0 else [])]
        specs = (ROOT, authority(0, extensions=tuple(extensions)), replace(LEAF, extensions=tuple(policies(below))))
        shown = f"{above or ''} {below or ''} {wanted or ''} {required}"
        code = None if fits or not explicit else "policy"
        yield f"policy {shown}", Vector(specs, code, replace(PROFILE, policies=wanted))


def policies(given):
    if given is None:
        return []
    listed = [x509.PolicyInformation(ObjectIdentifier(each), None) for each in sorted(given)]
    return [(x509.CertificatePolicies(listed), True)]


VECTORS = dict(vectors())
assert len(VECTORS) > 350


@pytest.fixture(scope="module")
def made():
    return {label: path(*vector.specs) for label, vector in VECTORS.items()}


def test_every_vector_has_its_reason(made):
    wrong = {}
    for label, vector in VECTORS.items():
        root, *middle, leaf = made[label]
        found = find_path(leaf, middle, Trust((root,)), NOW, vector.profile)
        got = {problem.code for problem in found.problems}
        if got != ({f"certificate/{vector.code}"} if vector.code else set()):
            wrong[label] = (vector.code, found.problems)
        assert bool(found.subjects) or vector.code is not None
    assert wrong == {}


OURS = {"is-ca", "key-usage", "curve", "weak-key", "extended-key-usage"}
"""What others leave to their caller: the pack decides about the leaf and about keys."""


def by_cryptography(certificates):
    root, *middle, leaf = certificates
    authority_policy = ExtensionPolicy.permit_all().require_present(x509.BasicConstraints, Criticality.AGNOSTIC, None)
    builder = PolicyBuilder().store(Store([root])).time(NOW)
    policy = builder.extension_policies(ee_policy=ExtensionPolicy.permit_all(), ca_policy=authority_policy)
    try:
        policy.build_client_verifier().verify(leaf, middle)
    except (VerificationError, ValueError):
        return False
    return True


def test_verdicts_of_cryptography(made):
    """It knows no policies and not all kinds of names, and asks for key usages where it is told to only."""
    differs = {}
    for label, vector in VECTORS.items():
        if label.startswith(("policy", "names")) or vector.code in OURS | {"issuer-key-usage"}:
            continue
        if by_cryptography(made[label]) != (vector.code is None):
            differs[label] = vector.code
    assert differs == {}


OPENSSL = shutil.which("openssl")


@pytest.mark.skipif(OPENSSL is None, reason="the command openssl is not installed")
def test_verdicts_of_openssl(made, tmp_path):
    differs = {}
    for label, vector in VECTORS.items():
        if vector.code in OURS:
            continue
        root, *middle, leaf = made[label]
        for file, listed in (("root", [root]), ("middle", middle), ("leaf", [leaf])):
            (tmp_path / file).write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in listed))
        command = [OPENSSL, "verify", "-attime", str(int(NOW.timestamp())), "-auth_level", "0"]
        command += ["-CAfile", tmp_path / "root", *(["-untrusted", tmp_path / "middle"] if middle else [])]
        if label.startswith("policy"):
            wanted = vector.profile.policies  # without one OpenSSL takes none, where the standard takes any
            command += ["-policy_check", *[part for each in wanted or (ANY,) for part in ("-policy", each)]]
            command += ["-explicit_policy"] if wanted else []
        done = subprocess.run([*map(str, command), tmp_path / "leaf"], capture_output=True, check=False, timeout=300)
        if (done.returncode == 0) != (vector.code is None):
            differs[label] = (vector.code, (done.stdout + done.stderr).decode()[-200:])
    assert differs == {}
