"""How one message is going to be protected: plain data, so that a defect can change any part of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeAlias

from harness.errors import ConfigurationFault
from harness.message.model import Document
from harness.security.model import Identity, PrivateKey, SecurityProfile
from harness.security.timestamp import write_time


@dataclass(frozen=True)
class Protected:
    """A message as it travels.

    Parameters:
        data: the bytes.
        headers: HTTP headers that belong to the protection.
        payload: what stands in these very bytes, where it was read for the signature; ``None`` where it was not.
    """

    data: bytes
    headers: dict[str, str]
    payload: Document | None = None


Edit: TypeAlias = Callable[[Protected], Protected]
"""A change of the finished message: a defect."""


@dataclass(frozen=True)
class Signing:
    """How a message is signed.

    Parameters:
        identity: whose certificate goes along.
        key: what signs; the identity's own, unless that is the defect.
        algorithm, digest: by name.
        token: kind of the key reference.
        created, expires: the times that are claimed, UTC; ``None`` leaves them out.
        parts: the parts that are signed; none of them leaves the signature out.
        canonicalisation: by name, of SignedInfo and of what is signed.
        prefixes: PrefixList of an exclusive canonicalisation.
        ids: attribute that names what is signed.
        actor: role or actor of the Security header; empty for the ultimate receiver.
        cosigners: who else signs the same parts, and the signature before.
        write_time: a moment as it is written.
        unencoded: whether the payload of a JWS is signed as it is (``b64``: false).
        members: further members of the protected header of a JWS.
        forge: changes what the reference to a part digests, by the name of the part: that is a defect.
    """

    identity: Identity
    key: PrivateKey = field(repr=False)
    algorithm: str
    digest: str
    token: str
    created: datetime | None
    expires: datetime | None
    parts: tuple[str, ...]
    canonicalisation: str = "exc-c14n"
    prefixes: tuple[str, ...] = ()
    ids: str = "wsu:Id"
    actor: str = ""
    cosigners: tuple[Signing, ...] = ()
    write_time: Callable[[datetime], str] = write_time
    unencoded: bool = False
    members: Mapping[str, Any] = field(default_factory=dict, hash=False)
    forge: Mapping[str, Callable[[Form], Form]] = field(default_factory=dict, hash=False)


class Form(NamedTuple):
    """What a reference of a signature digests.

    Parameters:
        uri: what it points at.
        data: the bytes, ``None`` until the whole document is known.
        transforms: how they come about, in canonical XML.
    """

    uri: str
    data: bytes | None
    transforms: str


def plan_signing(
    identity: Identity,
    profile: SecurityProfile,
    now: datetime,
    fits: Callable[[str, PrivateKey], bool],
) -> Signing:
    """Plan a signature as the profile wants it.

    Parameters:
        identity: who signs.
        profile: of its algorithms the first that fits the key is taken.
        now: the time to claim.
        fits: whether an algorithm, by name, can be used with a key.

    Raises:
        ConfigurationFault: no allowed algorithm fits the key.
    """
    algorithm = next((name for name in profile.signatures if fits(name, identity.key)), None)
    if algorithm is None:
        raise ConfigurationFault(
            f"The key of {identity.name} fits none of the signature algorithms of the pack",
            expected=f"a key for {' or '.join(profile.signatures)}",
            remedy="Give this party a key of another kind.",
        )
    created = now.astimezone(UTC)
    return Signing(
        identity,
        identity.key,
        algorithm,
        profile.digests[0],
        profile.tokens[0],
        created,
        created + profile.lifetime,
        profile.signed,
        profile.canonicalisations[0],
        profile.prefixes,
        profile.ids,
        profile.actor,
        unencoded="b64" in profile.critical,
    )
