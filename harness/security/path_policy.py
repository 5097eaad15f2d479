"""Certificate policies of a path: is it valid under one of the policies that are wanted?

Source: RFC 5280, section 6.1 (valid policy tree), steps in the letters of that section.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import ObjectIdentifier

from harness.security.x509 import extension_of

ANY_POLICY = "2.5.29.32.0"
MAPPINGS = ObjectIdentifier("2.5.29.33")

_MOST_NODES = 1000


@dataclass(eq=False)
class _Node:
    """A node of the tree: a policy, the policies that are expected below it, and the node above."""

    policy: str
    expected: frozenset[str]
    above: _Node | None


class _Tree:
    """The valid policy tree; one list of nodes for each depth. Empty lists: the tree is null."""

    def __init__(self) -> None:
        self.levels = [[_Node(ANY_POLICY, frozenset({ANY_POLICY}), None)]]

    @property
    def last(self) -> list[_Node]:
        return self.levels[-1]

    def grow(self, nodes: Iterable[_Node]) -> None:
        self.levels.append(list(nodes)[:_MOST_NODES])
        self.prune()

    def drop(self, policies: set[str]) -> None:
        self.levels[-1] = [node for node in self.last if node.policy not in policies]
        self.prune()

    def prune(self) -> None:
        """Remove nodes above the last level that have nothing below them."""
        for depth in range(len(self.levels) - 2, -1, -1):
            parents = {id(node.above) for node in self.levels[depth + 1]}
            self.levels[depth] = [node for node in self.levels[depth] if id(node) in parents]


def policy_problem(path: Sequence[x509.Certificate], wanted: Sequence[str]) -> str | None:
    """Say why a path is not valid under any wanted policy; ``None`` when it is.

    Parameters:
        path: from the certificate below the anchor to the leaf.
        wanted: dotted object identifiers; none means that any policy will do, also no policy at all.
    """
    tree = _Tree()
    size = len(path)
    explicit, inhibit_any, mapping = (0 if wanted else size + 1), size + 1, size + 1
    for number, certificate in enumerate(path, 1):
        is_last, self_issued = number == size, certificate.subject == certificate.issuer
        _process(tree, certificate, any_counts=inhibit_any > 0 or (not is_last and self_issued))
        if explicit == 0 and not tree.last:
            return f"no policy is valid for {certificate.subject.rfc4514_string()}"
        constraints = extension_of(certificate, x509.PolicyConstraints)
        required = None if constraints is None else constraints.require_explicit_policy
        if is_last:
            explicit = 0 if required == 0 else max(explicit - 1, 0)
            break
        mapped = mappings_of(certificate)
        if any(ANY_POLICY in pair for pair in mapped):
            return "a policy is mapped to or from anyPolicy"
        _map(tree, mapped, allowed=mapping > 0)
        if not self_issued:
            explicit, mapping, inhibit_any = (max(each - 1, 0) for each in (explicit, mapping, inhibit_any))
        if required is not None:
            explicit = min(explicit, required)
        if constraints is not None and constraints.inhibit_policy_mapping is not None:
            mapping = min(mapping, constraints.inhibit_policy_mapping)
        inhibited = extension_of(certificate, x509.InhibitAnyPolicy)
        if inhibited is not None:
            inhibit_any = min(inhibit_any, inhibited.skip_certs)
    valid = {_root_policy(node) for node in tree.last}
    if wanted and ANY_POLICY not in valid:
        valid &= set(wanted)
    if explicit == 0 and not valid:
        return f"it is valid under no policy{', wanted: ' * bool(wanted)}{', '.join(wanted)}"
    return None


def _process(tree: _Tree, certificate: x509.Certificate, *, any_counts: bool) -> None:
    """Steps (d) and (e)."""
    policies = extension_of(certificate, x509.CertificatePolicies)
    if policies is None or not tree.last:
        tree.levels = [[]]
        return
    named = {each.policy_identifier.dotted_string for each in policies}
    grown: list[_Node] = []
    for policy in sorted(named - {ANY_POLICY}):
        above = [node for node in tree.last if policy in node.expected]
        above = above or [node for node in tree.last if node.policy == ANY_POLICY]
        grown += [_Node(policy, frozenset({policy}), node) for node in above]
    if ANY_POLICY in named and any_counts:
        for node in tree.last:
            present = {each.policy for each in grown if each.above is node}
            grown += [_Node(each, frozenset({each}), node) for each in sorted(node.expected - present)]
    tree.grow(grown)


def _map(tree: _Tree, mapped: Sequence[tuple[str, str]], *, allowed: bool) -> None:
    """Steps (a) and (b) of the preparation for the next certificate."""
    issuers = {issuer for issuer, _ in mapped}
    if not allowed:
        tree.drop(issuers)
        return
    for issuer in sorted(issuers):
        expected = frozenset(subject for each, subject in mapped if each == issuer)
        nodes = [node for node in tree.last if node.policy == issuer]
        for node in nodes:
            node.expected = expected
        if not nodes:
            above = next((node.above for node in tree.last if node.policy == ANY_POLICY), None)
            if above is not None:
                tree.levels[-1].append(_Node(issuer, expected, above))


def _root_policy(node: _Node) -> str:
    """The policy of a node in the words of the anchor: that of the highest node above it that is not anyPolicy."""
    while node.above is not None and node.above.policy != ANY_POLICY:
        node = node.above
    return node.policy


# --- policy mappings, which the library does not read -----------------------------------------------------------------


def mappings_of(certificate: x509.Certificate) -> tuple[tuple[str, str], ...]:
    """Pairs of issuer's and subject's policy (RFC 5280, section 4.2.1.5).

    Raises:
        ValueError: the extension cannot be read.
    """
    try:
        extension = certificate.extensions.get_extension_for_oid(MAPPINGS).value
    except x509.ExtensionNotFound:
        return ()
    if not isinstance(extension, x509.UnrecognizedExtension):
        raise ValueError("the policy mappings are not as expected")
    return tuple(_pair(each) for each in _elements(_content(extension.value, 0x30), 0x30))


def _pair(data: bytes) -> tuple[str, str]:
    issuer, subject = _elements(data, 0x06)
    return _dotted(issuer), _dotted(subject)


def _content(data: bytes, tag: int) -> bytes:
    (content,) = _elements(data, tag)
    return content


def _elements(data: bytes, tag: int) -> Iterator[bytes]:
    while data:
        if len(data) < 2 or data[0] != tag or data[1] > 0x82 or data[1] == 0x80:
            raise ValueError("the policy mappings are not in DER")
        size = data[1] & 0x7F if data[1] & 0x80 else 0
        start = 2 + size
        end = start + (int.from_bytes(data[2:start], "big") if size else data[1])
        if end > len(data):
            raise ValueError("the policy mappings are cut off")
        yield data[start:end]
        data = data[end:]


def _dotted(data: bytes) -> str:
    numbers, current = [], 0
    for byte in data:
        current = current << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(current)
            current = 0
    first = min(numbers[0] // 40, 2) if numbers else 0
    return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:]))) if numbers else ""
