from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_run import Run, small_run

from harness.bundle.files import inventory
from harness.bundle.statement import open_statement
from harness.bundle.write import begin_bundle, write_bundle
from harness.errors import ConfigurationFault
from harness.host import WINDOWS
from harness.report.derive import DERIVED
from harness.security.statement_key import SigningKey


@pytest.fixture
def fresh(tmp_path: Path) -> Run:
    return small_run(tmp_path)


def write(run: Run, *keys: SigningKey, **options: object) -> Path | None:
    return write_bundle(run.folder, run.plan, run.pack, run.record(), keys, **options)  # type: ignore[arg-type]


def test_a_bundle_has_its_parts(bundle: Path) -> None:
    assert {entry.name for entry in bundle.iterdir()} == {
        "record.json",
        "plan.json",
        "pack",
        "evidence",
        "derived",
        "view",
        "statement.dsse.json",
    }
    assert {entry.name for entry in (bundle / "derived").iterdir()} == set(DERIVED)
    assert {entry.name for entry in (bundle / "pack" / "suites").iterdir()} == {"neighbours", "open-neighbours"}
    assert not list(bundle.rglob("*.part"))


def test_the_statement_lists_every_file(bundle: Path) -> None:
    statement, _ = open_statement((bundle / "statement.dsse.json").read_bytes())
    files = {path.relative_to(bundle).as_posix() for path in bundle.rglob("*") if path.is_file()}
    assert {each["name"] for each in statement["subject"]} == files - {"statement.dsse.json"}


def test_what_the_system_claims_goes_in(fresh: Run, key: SigningKey) -> None:
    write(fresh, key, ics={"messages": ["notice"]})
    assert json.loads((fresh.folder / "ics.json").read_bytes()) == {"messages": ["notice"]}


def test_without_a_key_there_is_no_statement(fresh: Run) -> None:
    assert write(fresh) is None
    assert (fresh.folder / "record.json").is_file()
    assert not (fresh.folder / "statement.dsse.json").exists()


def test_a_harness_fault_is_never_signed(fresh: Run, key: SigningKey) -> None:
    record = fresh.record()
    record["cases"][0]["verdict"] = "harness_error"
    assert write_bundle(fresh.folder, fresh.plan, fresh.pack, record, [key]) is None
    assert not (fresh.folder / "statement.dsse.json").exists()


def test_writing_again_replaces_what_was_there(fresh: Run, key: SigningKey) -> None:
    write(fresh, key)
    (fresh.folder / "derived" / "old.txt").write_text("from an earlier version")
    (fresh.folder / "evidence" / "x.part").write_text("from a crash")
    write(fresh, key)
    assert not (fresh.folder / "derived" / "old.txt").exists()
    assert not list(fresh.folder.rglob("*.part"))


@pytest.mark.parametrize("name", ["plan.json", "ics.json", "pack/suites/neighbours/pack.yaml", "pack/suites/more"])
def test_what_was_written_before_the_run_must_be_of_the_run(name: str, fresh: Run, key: SigningKey) -> None:
    begin_bundle(fresh.folder, fresh.plan, fresh.pack)
    (fresh.folder / name).write_text("{}")
    with pytest.raises(ConfigurationFault, match="not what the run was planned with"):
        write(fresh, key)


def test_what_was_written_before_the_run_stays(fresh: Run, key: SigningKey) -> None:
    begin_bundle(fresh.folder, fresh.plan, fresh.pack, ics={"messages": []})
    before = inventory(fresh.folder)
    write(fresh, key, ics={"messages": []})
    assert before.items() <= inventory(fresh.folder).items()


def test_a_foreign_file_is_not_signed_by_accident(fresh: Run, key: SigningKey) -> None:
    (fresh.folder / "signing-key.pem").write_text("oh dear")
    with pytest.raises(ConfigurationFault, match=r"signing-key\.pem.*Move it elsewhere"):
        write(fresh, key)


@pytest.mark.skipif(WINDOWS, reason="only on systems with file modes")
def test_a_folder_that_cannot_be_written_is_a_clear_fault(fresh: Run, key: SigningKey) -> None:
    (fresh.folder / "derived").write_text("a file where a folder must be")
    (fresh.folder / "pack").mkdir()
    fresh.folder.chmod(0o500)
    try:
        if (fresh.folder / "probe").parent.stat().st_uid == 0:
            pytest.skip("only on systems where this user is not root")
        with pytest.raises(ConfigurationFault, match="cannot be written"):
            write(fresh, key)
    finally:
        fresh.folder.chmod(0o700)


def test_the_zip_is_written_too(fresh: Run, key: SigningKey, tmp_path: Path) -> None:
    write(fresh, key, zipped=tmp_path / "b.zip")
    assert (tmp_path / "b.zip").stat().st_size > 1000
