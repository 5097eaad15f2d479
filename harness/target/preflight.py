"""What must be right before the first message; where it is not, a run would say nothing about the SUT.

``doctor`` looks at far more and goes on after what is wrong; here the first thing that is wrong ends the run.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.x509 import Certificate, CertificateRevocationList

from harness.errors import ConfigurationFault, Where
from harness.exchange.model import Setup
from harness.host import refusal
from harness.security.spares import out_of_time
from harness.target.identities import revocation_data
from harness.target.model import HttpControl, Target

SECONDS = 5.0
"""How long an address may take to answer."""


def check_dates(target: Target, setup: Setup, now: datetime) -> None:
    """Check that no certificate of ours, no revocation list and no OCSP answer is out of date.

    Raises:
        ConfigurationFault: one is; the SUT would rightly refuse our messages, or nothing could be said of its
            certificates. Or one that is wrong on purpose would be wrong in another way.
    """
    _check_own_certificates(setup, now)
    _check_spares(setup, now)
    for file, what, end in revocation_data(target):
        if end <= now:
            raise ConfigurationFault(
                f"the {what} is out of date since {end:%Y-%m-%d %H:%M} UTC",
                where=Where(file),
                expected="what holds now: with it alone can a certificate be checked",
                remedy="Get the current one from the authority, or leave it out: then revocation is not checked.",
            )


def _check_spares(setup: Setup, now: datetime) -> None:
    for party, spares in setup.spares.items():
        for name, spare in spares.items():
            if why := out_of_time(name, spare, now):
                raise ConfigurationFault(
                    f"the certificate of {party} that shall show certificate/{name} {why}",
                    where=Where(spare.certificate_file) if spare.certificate_file else None,
                    expected=f"nothing wrong with it now but certificate/{name}",
                    remedy="Make a new one; or take it away, then its cases are not run.",
                )
        revoked = spares.get("revoked")
        if revoked is not None and not any(_shows(crl, revoked.certificate, now) for crl in setup.crls):
            raise ConfigurationFault(
                f"nothing shows that the certificate of {party} that shall show certificate/revoked is revoked",
                where=Where(revoked.certificate_file) if revoked.certificate_file else None,
                expected="the current revocation list of its issuer, with its number, as crl.pem beside our identities",
                remedy="Put that list there; or take the certificate away, then its cases are not run.",
            )


def _shows(crl: CertificateRevocationList, certificate: Certificate, now: datetime) -> bool:
    """Whether a list, which holds now, names a certificate."""
    holds = crl.next_update_utc is None or now < crl.next_update_utc
    listed = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
    return holds and crl.issuer == certificate.issuer and listed is not None


def _check_own_certificates(setup: Setup, now: datetime) -> None:
    for identity in (setup.listener, *setup.identities.values()):
        first, last = identity.certificate.not_valid_before_utc, identity.certificate.not_valid_after_utc
        if not first <= now <= last:
            word = f"expired on {last:%Y-%m-%d %H:%M}" if last < now else f"is valid only from {first:%Y-%m-%d %H:%M}"
            raise ConfigurationFault(
                f"our certificate of {identity.name} {word} UTC",
                where=Where(identity.certificate_file) if identity.certificate_file else None,
                expected="a certificate that is valid now",
                remedy="Get a new one (`c2c pki issue` makes test certificates), and check the clock of this computer.",
            )


async def check_reachable(target: Target, setup: Setup) -> None:
    """Check that something listens at every address of the SUT, its control interface included.

    Raises:
        ConfigurationFault: nothing does.
    """
    control = [target.control.url] if isinstance(target.control, HttpControl) else []
    for url in dict.fromkeys((*setup.sut_urls.values(), *control)):
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            async with asyncio.timeout(SECONDS):
                _, writer = await asyncio.open_connection(parts.hostname, port)
        except OSError as problem:
            reason = refusal(problem) or f"no answer within {SECONDS:g} s"
            raise ConfigurationFault(
                f"the system under test cannot be reached at {url}: {reason}",
                where=target.source.where(("control" if url in control else "endpoints",)),
                expected="a system that listens there",
                remedy=f"Start it, or correct the address; `c2c doctor --target {target.source.path}` looks closer.",
            ) from None
        writer.close()


async def reset(target: Target, setup: Setup) -> None:
    """Ask the SUT to forget everything, where the target says so.

    Raises:
        ConfigurationFault: it does not.
    """
    if target.setup != "reset":
        return
    answer = await setup.control.reset()
    if not answer.taken:
        raise ConfigurationFault(
            f"the system under test was not reset: {answer.error}",
            where=target.source.where(("setup",)),
            remedy="Let its control interface offer a reset, or choose another `setup`.",
        )


def first_number(target: Target) -> int:
    """The first number for generated data that no run against this target has used."""
    file = _numbers(target)
    try:
        text = file.read_text("utf-8").strip() if file.is_file() else "0"
        return int(text)
    except (OSError, ValueError):
        raise ConfigurationFault(
            "the number of the next movement cannot be read",
            where=Where(file),
            expected="one number that no run has used",
            remedy="Write a number that is higher than in any earlier run.",
        ) from None


def keep_number(target: Target, following: int) -> None:
    """Remember the first number that is still free, so that no run against this target uses one twice.

    Raises:
        ConfigurationFault: the file beside the target file cannot be written.
    """
    file = _numbers(target)
    try:
        file.write_text(f"{following}\n", "utf-8", newline="\n")
    except OSError as problem:
        raise ConfigurationFault(
            f"the number of the next movement cannot be kept: {problem.strerror}",
            where=Where(file),
            remedy="Make the folder of the target file writable: a number must never be used twice.",
        ) from None


def check_free(folder: Path) -> None:
    """Check that a folder for a bundle holds nothing yet.

    Raises:
        ConfigurationFault: it does, or it is no folder.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigurationFault(
            "there is something here already",
            where=Where(folder),
            expected="an empty folder, or a new name: each run has its own",
            remedy="Choose another --out, or move the old one away.",
        )


def _numbers(target: Target) -> Path:
    path = target.source.path
    return path.with_name(f"{path.name}.next")
