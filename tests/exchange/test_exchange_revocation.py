"""Revocation data of a target in a run: what they say of the system's certificate is judged live and later alike."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from pack_kit import pack_named
from play_kit import Outcome, World

from harness.evidence.log import read_events
from harness.evidence.store import Store
from harness.judge.model import Verdict
from harness.judge.run import judge_run
from harness.reference.serve import serve
from harness.scenario.plan import plan_from_json, plan_to_json
from harness.security.issue import make_crl
from harness.security.keys import load_certificates, to_pem
from harness.security.pki import TestPki

PACK = pack_named("neighbours")
CASE = "movement@import"
HOUR = timedelta(hours=1)


def answer(world: World, status: str, end: timedelta = HOUR) -> str:
    """What the authority says by OCSP of the certificate that the system signs with."""
    pki, now = TestPki.open(world.folder / "identities"), datetime.now(UTC)
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response(
            cert=load_certificates(Path(world.config.certificate))[0],
            issuer=pki.issuing.certificate,
            algorithm=SHA256(),
            cert_status=ocsp.OCSPCertStatus[status],
            this_update=now - 2 * HOUR,
            next_update=now + end,
            revocation_time=now - HOUR if status == "REVOKED" else None,
            revocation_reason=None,
        )
        .responder_id(ocsp.OCSPResponderEncoding.HASH, pki.issuing.certificate)
    )
    return b64encode(builder.sign(pki.issuing.key, SHA256()).public_bytes(Encoding.DER)).decode("ascii")


def old_list(world: World) -> str:
    """A list that was to be replaced long ago."""
    pki = TestPki.open(world.folder / "identities")
    issuing = pki.issuing
    return to_pem((make_crl(issuing.certificate.subject, issuing.key, datetime(2020, 1, 1, tzinfo=UTC), {}),)).decode()


async def play(world: World, **parameters: tuple[str, ...]) -> Outcome:
    plan = world.plan([CASE], **parameters)
    async with serve(world.config, PACK), world.engine(plan) as engine:
        return Outcome(world, plan, await engine.run())


def judged_later(outcome: Outcome) -> Verdict:
    """The verdict from the evidence, and from the plan as it stands in the bundle."""
    plan, folder = plan_from_json(plan_to_json(outcome.plan), PACK), outcome.world.folder / "evidence"
    verdicts = judge_run(plan, PACK, list(read_events(folder)), Store(folder).get).cases
    return next(each.verdict for each in verdicts if each.case == CASE)


@pytest.mark.parametrize(
    ("data", "verdict", "word"),
    [
        (lambda world: {"ocsp": (answer(world, "GOOD"),)}, "pass", ""),
        (lambda world: {"ocsp": (answer(world, "REVOKED"),)}, "fail", "is revoked by its issuer"),
        (lambda world: {"ocsp": (answer(world, "UNKNOWN"),)}, "fail", "does not know it"),
        (lambda world: {"ocsp": (answer(world, "GOOD", -HOUR),)}, "inconclusive", "The OCSP answer for"),
        (lambda world: {"crls": (old_list(world),)}, "inconclusive", "was to be replaced by"),
    ],
    ids=["good", "revoked", "unknown", "old answer", "old list"],
)
def test_revocation_data_decide(tmp_path, data, verdict, word):
    world = World(PACK, "customs", tmp_path, ("import",))
    outcome = asyncio.run(play(world, **{"crls": (), **data(world)}))
    live = next(each for each in outcome.played.verdicts if each.case == CASE)
    assert live.verdict.value == verdict, live.reason
    assert word in live.reason
    assert judged_later(outcome) is live.verdict
    if verdict == "inconclusive":
        assert Verdict.FAIL not in live.requirements.values()
