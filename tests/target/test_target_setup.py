"""From a target file to the setup of the play, and what is refused on the way."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import ocsp
from target_bench import Bench

from harness.errors import ConfigurationFault
from harness.host import write_private
from harness.pack.model import Pack
from harness.security.issue import make_crl
from harness.security.keys import to_pem
from harness.security.pki import TestPki
from harness.target.identities import load_trust
from harness.target.load import load_target
from harness.target.preflight import check_dates
from harness.target.setup import make_setup
from harness.target.subject import believed, subject_of


def test_a_test_pki_issues_what_is_missing(bench: Bench, neighbours: Pack) -> None:
    target = load_target(bench.write(endpoints="{url: https://sut.example/c2c}"))
    setup = make_setup(target, neighbours)
    assert set(setup.identities) == {"customs.export", "customs.import"}
    assert setup.listener.name == "harness"
    assert setup.sut_urls == {
        "customs.export": "https://sut.example/c2c",
        "customs.import": "https://sut.example/c2c",
    }
    assert "expired" in setup.spares["customs.import"]
    again = make_setup(target, neighbours)
    assert (
        again.spares["customs.import"]["revoked"].certificate == setup.spares["customs.import"]["revoked"].certificate
    )
    listed = load_trust(target).crls[0]
    revoked = setup.spares["customs.import"]["revoked"].certificate.serial_number
    assert listed.get_revoked_certificate_by_serial_number(revoked) is not None


def test_who_is_revoked_is_on_a_list_in_the_folder_or_is_not_used(bench: Bench, neighbours: Pack) -> None:
    target, now = load_target(bench.write()), datetime.now(UTC)
    setup = make_setup(target, neighbours)
    check_dates(target, setup, now)
    by = TestPki.open(bench.folder / "identities", now).issuing
    own = setup.spares["customs.import"]
    alone = replace(setup, spares={"customs.import": own})
    listed = {own["revoked"].certificate.serial_number: now - timedelta(days=500)}
    empty, past, right = (
        make_crl(by.certificate.subject, by.key, at, revoked)
        for at, revoked in ((now, {}), (now - timedelta(days=400), listed), (now, listed))
    )
    check_dates(target, replace(alone, crls=(right,)), now)
    for crls in ((), (empty,), (past,)):
        with pytest.raises(ConfigurationFault, match=r"nothing shows .* customs\.import .* is revoked"):
            check_dates(target, replace(alone, crls=crls), now)
    check_dates(target, replace(setup, crls=(), spares={"customs.import": {"expired": own["expired"]}}), now)


@pytest.mark.parametrize("days", [0, 45, 364])
def test_what_is_wrong_on_purpose_stays_so_for_as_long_as_our_own_certificates_hold(
    bench: Bench, neighbours: Pack, days: int
) -> None:
    target, now = load_target(bench.write()), datetime.now(UTC)
    setup = make_setup(target, neighbours)
    check_dates(target, setup, now + timedelta(days=days))


def test_a_wrong_certificate_whose_time_is_over_is_made_anew_or_refused(bench: Bench, neighbours: Pack) -> None:
    target, now = load_target(bench.write()), datetime.now(UTC)
    right = make_setup(target, neighbours).spares["customs.import"]
    folder = bench.folder / "identities" / "spares"
    for suffix in ("pem", "key"):
        shutil.copy(folder / f"customs.import.expired.{suffix}", folder / f"customs.import.not-yet-valid.{suffix}")
    setup = make_setup(target, neighbours)
    again = setup.spares["customs.import"]
    changed = [name for name in right if right[name].certificate != again[name].certificate]
    assert changed == ["not-yet-valid"]
    check_dates(target, setup, now)
    stale = replace(setup, spares={"customs.import": {"not-yet-valid": again["expired"]}})
    with pytest.raises(ConfigurationFault, match="that shall show certificate/not-yet-valid is valid from"):
        check_dates(target, stale, now)


def test_one_certificate_serves_every_party_without_its_own(bench: Bench, neighbours: Pack) -> None:
    folder = bench.folder / "real"
    folder.mkdir()
    bench.issue("harness")
    for name in ("harness.pem", "harness.key"):
        shutil.copy(bench.folder / "identities" / name, folder / name)
    setup = make_setup(load_target(bench.write(identities="real")), neighbours)
    assert setup.identities["customs.import"].certificate == setup.listener.certificate
    assert setup.spares == {"customs.export": {}, "customs.import": {}}


def test_a_folder_without_identities_is_refused(bench: Bench, neighbours: Pack) -> None:
    (bench.folder / "empty").mkdir()
    with pytest.raises(ConfigurationFault, match=r"no harness\.pem") as fault:
        make_setup(load_target(bench.write(identities="empty")), neighbours)
    assert fault.value.where is not None
    assert fault.value.where.line == 5


def test_a_real_run_refuses_test_keys(bench: Bench, neighbours: Pack) -> None:
    with pytest.raises(ConfigurationFault, match="keys: test"):
        make_setup(load_target(bench.write(keys="real")), neighbours)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ({"role": "custom"}, "Did you mean 'customs'"),
        ({"positions": "[exprot]"}, "Did you mean 'export'"),
        ({"facts": "{positions: {imprt: {office: X}}}"}, "Did you mean 'import'"),
        ({"ics": "{messages: {notise: true}}"}, "Did you mean 'notice'"),
        ({"ixit": "{pools: {carrier: [A]}}"}, "Did you mean 'carriers'"),
        ({"ixit": "{timers: {answr: 5s}}"}, "Did you mean 'answer'"),
    ],
)
def test_names_are_those_of_the_pack(bench: Bench, neighbours: Pack, lines: dict[str, str], says: str) -> None:
    with pytest.raises(ConfigurationFault, match=says) as fault:
        make_setup(load_target(bench.write(**lines)), neighbours)
    assert fault.value.where is not None
    assert fault.value.where.line is not None


def test_the_statement_key_is_no_transport_key(bench: Bench, neighbours: Pack) -> None:
    target = load_target(bench.write(statement="{key: identities/customs.import.key}"))
    bench.issue("customs.import")
    with pytest.raises(ConfigurationFault, match=r"transport key of customs\.import"):
        make_setup(target, neighbours)
    key = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_private(bench.folder / "statement.key", key)
    make_setup(load_target(bench.write(statement="{key: statement.key}")), neighbours)


def test_a_command_must_be_confirmed(bench: Bench, neighbours: Pack) -> None:
    target = load_target(bench.write(control="{type: command, arguments: [python]}"))
    with pytest.raises(ConfigurationFault, match="not confirmed"):
        make_setup(target, neighbours)
    assert make_setup(target, neighbours, lambda _: True).control.available


def test_the_plan_knows_with_which_certificates_the_system_signs(bench: Bench) -> None:
    old, new = bench.issue("old"), bench.issue("new")
    certificates = "{tls: [identities/trust.pem], signers: [identities/old.pem, identities/new.pem]}"
    target = load_target(bench.write(certificates=certificates))
    assert subject_of(target).signers == tuple(each.certificate.fingerprint(SHA256()).hex() for each in (old, new))
    assert subject_of(load_target(bench.write())).signers == ()


def test_an_authority_is_no_signer(bench: Bench) -> None:
    certificates = "{tls: [identities/trust.pem], signers: [identities/trust.pem]}"
    target = load_target(bench.write(certificates=certificates))
    with pytest.raises(ConfigurationFault, match="no certificate of a signer"):
        subject_of(target)


def test_a_real_run_refuses_a_signer_that_is_for_tests(bench: Bench) -> None:
    bench.issue("old")
    certificates = "{tls: [identities/trust.pem], signers: [identities/old.pem]}"
    with pytest.raises(ConfigurationFault, match="for tests"):
        subject_of(load_target(bench.write(certificates=certificates, keys="real")))


@pytest.mark.parametrize("kind", ["crls", "ocsp"])
def test_revocation_data_out_of_date_are_refused_before_the_run(bench: Bench, neighbours: Pack, kind: str) -> None:
    certificates = f"{{tls: [identities/trust.pem], {kind}: [data]}}"
    now, long_ago = datetime.now(UTC), datetime.now(UTC) - timedelta(days=900)
    for at, fresh in ((now, True), (long_ago, False)):
        (bench.folder / "data").write_bytes(revocation_data(bench, kind, at))
        target = load_target(bench.write(certificates=certificates))
        assert bool(believed(target)[kind])
        if fresh:
            check_dates(target, make_setup(target, neighbours), now)
            continue
        with pytest.raises(ConfigurationFault, match="is out of date since") as fault:
            check_dates(target, make_setup(target, neighbours), now)
        assert str(fault.value).startswith(str(bench.folder / "data"))


def revocation_data(bench: Bench, kind: str, at: datetime) -> bytes:
    """A revocation list, or an OCSP answer about the listener, as of that time."""
    issuing = bench.pki.issuing
    if kind == "crls":
        return to_pem((make_crl(issuing.certificate.subject, issuing.key, at, {}),))
    asked = bench.issue("harness").certificate
    builder = ocsp.OCSPResponseBuilder().add_response(
        asked, issuing.certificate, SHA256(), ocsp.OCSPCertStatus.GOOD, at, at + timedelta(days=1), None, None
    )
    signed = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, issuing.certificate).sign(issuing.key, SHA256())
    return signed.public_bytes(Encoding.DER)
