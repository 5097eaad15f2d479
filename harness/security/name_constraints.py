"""Name constraints of the authorities of a path, and the names of the certificates below them.

Source: RFC 5280, section 4.2.1.10.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.x509.oid import NameOID

from harness.security.names import comparable
from harness.security.x509 import extension_of, name_of


def name_problem(chain: Sequence[x509.Certificate]) -> str | None:
    """Say which name of a path is not allowed by an authority above it; ``None`` when all are.

    Parameters:
        chain: from the leaf to the anchor, whose constraints count as well.
    """
    for place, authority in enumerate(chain):
        constraints = extension_of(authority, x509.NameConstraints)
        if constraints is None:
            continue
        for below, certificate in enumerate(chain[:place]):
            if below and certificate.subject == certificate.issuer:
                continue
            for name in _names(certificate):
                why = _why_not(name, constraints)
                if why is not None:
                    return f"{name_of(authority)} does not allow {name_of(certificate)} the name {_shown(name)}: {why}"
    return None


def _names(certificate: x509.Certificate) -> Iterator[x509.GeneralName]:
    if certificate.subject.rdns:
        yield x509.DirectoryName(certificate.subject)
    listed = extension_of(certificate, x509.SubjectAlternativeName)
    yield from listed or ()
    if listed is None or not any(isinstance(each, x509.RFC822Name) for each in listed):
        for attribute in certificate.subject.get_attributes_for_oid(NameOID.EMAIL_ADDRESS):
            yield x509.RFC822Name(str(attribute.value))


def _why_not(name: x509.GeneralName, constraints: x509.NameConstraints) -> str | None:
    permitted, excluded = (
        [each for each in listed or () if type(each) is type(name)]
        for listed in (constraints.permitted_subtrees, constraints.excluded_subtrees)
    )
    if not permitted and not excluded:
        return None
    within = _WITHIN.get(type(name))
    if within is None:
        return "names of this kind are constrained, and cannot be compared here"
    try:
        if any(within(name.value, each.value) for each in excluded):
            return "it is excluded"
        if permitted and not any(within(name.value, each.value) for each in permitted):
            return "it is not among those that are permitted"
    except ValueError as error:
        return f"it cannot be read: {error}"
    return None


def _in_domain(host: str, constraint: str) -> bool:
    host, constraint = host.lower().rstrip("."), constraint.lower()
    if constraint.startswith("."):
        return host.endswith(constraint)
    return not constraint or host == constraint or host.endswith(f".{constraint}")


def _at_host(host: str, constraint: str) -> bool:
    """As for addresses and URIs: a host is that host alone, a dot before it means what is below."""
    host, constraint = host.lower(), constraint.lower()
    return host.endswith(constraint) if constraint.startswith(".") else host == constraint


def _mail_within(mail: str, constraint: str) -> bool:
    local, at, host = mail.rpartition("@")
    if not at:
        raise ValueError("it is no mail address")
    if "@" in constraint:
        other, _, domain = constraint.rpartition("@")
        return local == other and host.lower() == domain.lower()
    return _at_host(host, constraint)


def _uri_within(uri: str, constraint: str) -> bool:
    host = urlsplit(uri).hostname
    if not host or host.replace(".", "").isdigit() or ":" in host:
        raise ValueError("a URI without a host name")
    return _at_host(host, constraint)


def _ip_within(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, network: ipaddress.IPv4Network | ipaddress.IPv6Network
) -> bool:
    return address.version == network.version and address in network


def _directory_within(name: x509.Name, constraint: x509.Name) -> bool:
    whole, part = comparable(name)[::-1], comparable(constraint)[::-1]
    return whole[: len(part)] == part


_WITHIN: Mapping[type[x509.GeneralName], Callable[..., bool]] = {
    x509.DNSName: _in_domain,
    x509.RFC822Name: _mail_within,
    x509.UniformResourceIdentifier: _uri_within,
    x509.IPAddress: _ip_within,
    x509.DirectoryName: _directory_within,
}
"""How names of each kind are compared with a constraint."""


def _shown(name: x509.GeneralName) -> str:
    value = name.value
    return (value.rfc4514_string() if isinstance(value, x509.Name) else str(value))[:200]
