"""All checks by name, and how findings find the requirement that they break."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import lru_cache

from harness.check.content import codelist, encoding, envelope, protection, rule, schema, transport
from harness.check.dialogue import consistency, correlation, legality, signer
from harness.check.model import Check, Finding, Severity, Subject
from harness.check.named import named_checks
from harness.check.relay import relay
from harness.errors import HarnessFault
from harness.message.model import Value
from harness.pack.model import Pack, Requirement

CHECKS: Mapping[str, Check] = {
    "envelope": envelope,
    "encoding": encoding,
    "transport": transport,
    "signature": protection,
    "signer": signer,
    "schema": schema,
    "codelist": codelist,
    "rule": rule,
    "correlation": correlation,
    "consistency": consistency,
    "legality": legality,
    "relay": relay,
}
"""In the order of the report."""

PARTS: Mapping[str, tuple[str, ...]] = {
    "signature": ("signature", "structure", "algorithm", "certificate", "timestamp", "token"),
    "signer": ("certificate",),
}
"""Names under which a check reports its findings, where it is not its own."""

IDLE: Mapping[bool, str] = {True: "certificate/changed", False: "certificate/wrong-party"}
"""What the check of the signer cannot find, by whether the certificates of the sender are known."""


def findings(subject: Subject, role: str | None, names: tuple[str, ...] = tuple(CHECKS)) -> tuple[Finding, ...]:
    """What the named checks say about a message, each finding with the requirement that it breaks.

    Parameters:
        subject: the message.
        role: who sent it; ``None`` when that is not known.
        names: names from :data:`CHECKS`.
    """
    return tuple(_with_requirement(found, subject, role) for name in names for found in CHECKS[name](subject))


def asked(
    subject: Subject, role: str, name: str, parameters: Mapping[str, Value], requirement: str | None
) -> tuple[Finding, ...]:
    """What a check that the script names says about a message.

    Parameters:
        subject, role: the message, and who sent it.
        name, parameters: of the check, see :mod:`harness.check.named`.
        requirement: what a finding breaks that breaks nothing else.

    Raises:
        HarnessFault: the check is not installed here.
    """
    check = named_checks().get(name)
    if check is None:
        raise HarnessFault(f"the check {name!r} is not installed here", remedy="Install the package that gives it.")
    found = (_with_requirement(each, subject, role) for each in check(subject, parameters))
    return tuple(each if each.requirement else replace(each, requirement=requirement) for each in found)


def _with_requirement(finding: Finding, subject: Subject, role: str | None) -> Finding:
    named = subject.pack.requirements.get(finding.requirement or "")
    if named is not None and _borne(named, role):
        return finding
    broken = next(broken_by(subject.pack, finding, role, subject.opened.name), None)
    return replace(finding, requirement=broken.id, severity=severity(broken)) if broken else finding


def broken_by(pack: Pack, finding: Finding, role: str | None, message: str | None) -> Iterator[Requirement]:
    """The requirements that a finding breaks, nearest first: its own code, then the whole check."""
    fitting = [
        requirement
        for requirement in pack.requirements.values()
        if requirement.checks and _borne(requirement, role) and _about(requirement, message)
    ]
    for exact in (True, False):
        for requirement in fitting:
            if any(_names(pattern, finding, exact=exact) for pattern in requirement.checks):
                yield requirement


@lru_cache(maxsize=512)
def exercised(pack: Pack, role: str, message: str | None, *, signers: bool = False) -> frozenset[str]:
    """Ids of the requirements that are tested by running all checks on a message of that role.

    Parameters:
        pack, role, message: whose message, and which one.
        signers: whether the certificates that the role signs with are known.
    """
    return frozenset(_exercised(pack, role, message, IDLE[signers]))


def _exercised(pack: Pack, role: str, message: str | None, idle: str) -> Iterator[str]:
    parts = {part for name in CHECKS for part in PARTS.get(name, (name,))}
    for requirement in pack.requirements.values():
        touched = any(pattern.partition("/")[0] in parts and pattern != idle for pattern in requirement.checks)
        if touched and _borne(requirement, role) and _about(requirement, message):
            yield requirement.id


@lru_cache(maxsize=512)
def timed(pack: Pack, role: str, request: str) -> frozenset[str]:
    """Ids of the requirements that are tested by holding a time limit against what a role says in an exchange.

    Parameters:
        pack, role: who says it.
        request: name of the request of the exchange.
    """
    return frozenset(
        requirement.id
        for requirement in pack.requirements.values()
        if _borne(requirement, role)
        and _about(requirement, request)
        and any(pattern.partition("/")[0] == "timing" for pattern in requirement.checks)
    )


def _borne(requirement: Requirement, role: str | None) -> bool:
    return role is None or requirement.bearer in (role, "any")


def _about(requirement: Requirement, message: str | None) -> bool:
    return not requirement.messages or message in requirement.messages


def _names(pattern: str, finding: Finding, *, exact: bool) -> bool:
    full = f"{finding.check}/{finding.code}"
    if exact:
        return "/" in pattern and not pattern.endswith("*") and fnmatchcase(full, pattern)
    return fnmatchcase(full, pattern) or pattern == finding.check


def severity(requirement: Requirement) -> Severity:
    """How grave it is to break a requirement: an error for a MUST, else a warning."""
    return "error" if requirement.level == "MUST" else "warning"
