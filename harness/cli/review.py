"""Grade what only a person can see, in a signed file beside the bundle, and show the verdict with it.

  c2c review out/20261123-120000                                      what waits for a person
  c2c review out/20261123-120000 --form review.yaml                   write a form to fill in
  c2c review out/20261123-120000 --files documents                    write what is attached to answers
  c2c review out/20261123-120000 --grades review.yaml --key K --out R sign it
  c2c review out/20261123-120000 --reviews R --trust operator.pub.pem judge again with it; exit by the verdict

The bundle itself never changes.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from harness.bundle.review import (
    judge_reviewed,
    open_reviews,
    open_steps,
    read_grades,
    sign_reviews,
    write_files,
    write_form,
)
from harness.bundle.verify import opened, verify_bundle
from harness.campaign import EXIT_CODES
from harness.cli.keys import add_key, add_trust, key_of, trust_of
from harness.errors import (
    BUNDLE_INVALID,
    CONFORMANT,
    HARNESS,
    NOT_FULLY_VERIFIED,
    BundleFault,
    ConfigurationFault,
)
from harness.judge.review import Review
from harness.judge.run import describe_annex, harness_failed
from harness.record.strict import loads
from harness.security.statement_key import key_id

if TYPE_CHECKING:
    import argparse

    from harness.security.statement_key import PublicKey


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="the folder, or its .zip")
    parser.add_argument("--form", type=Path, metavar="FILE", help="write a form with everything that waits")
    parser.add_argument("--files", type=Path, metavar="DIR", help="write the documents that are attached to answers")
    parser.add_argument("--grades", type=Path, metavar="FILE", help="the form, filled in; it is signed with --key")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where the signed review goes")
    parser.add_argument(
        "--reviews", action="append", default=[], type=Path, metavar="FILE", help="judge again with this; repeatable"
    )
    add_key(parser, required=False)
    add_trust(parser)


def run(options: argparse.Namespace) -> int:
    """Do what the options ask."""
    with opened(options.bundle) as folder:
        data = (folder / "record.json").read_bytes()
        record = loads(data, "record.json")
        if options.form is not None:
            print(f"{write_form(options.form, record)} steps wait for a person")
            return CONFORMANT
        if options.files is not None:
            print(f"{write_files(folder, options.files)} documents below {options.files}")
            return CONFORMANT
        if options.grades is not None:
            key = key_of(options)
            if key is None or options.out is None:
                raise ConfigurationFault("a review is signed", expected="--key KEY and --out FILE")
            reviews = read_grades(options.grades, record)
            options.out.write_bytes(sign_reviews(data, reviews, datetime.now(UTC), key))
            print(f"{len(reviews)} steps graded by {reviews[0].person}, signed with key {key_id(key.public)}")
            return CONFORMANT
        if options.reviews:
            return _judge(folder, data, options.reviews, trust_of(options))
        waiting = open_steps(record)
        for each in waiting:
            print(f"{each.case}  {each.step}: {each.question}")
            if each.answer:
                print(f"    {each.answer}")
            for name, digest in each.files:
                print(f"    file {name} ({digest})")
        print(f"{len(waiting)} steps wait for a person")
        return NOT_FULLY_VERIFIED if waiting else CONFORMANT


def _judge(folder: Path, record: bytes, files: list[Path], trust: list[PublicKey] | None) -> int:
    verification = verify_bundle(folder, None, datetime.now(UTC))
    if verification.exit_code == BUNDLE_INVALID:
        raise BundleFault(verification.lines[-1].removeprefix("INVALID: "))
    reviews: list[Review] = []
    for file in files:
        given = open_reviews(file.read_bytes(), record)
        keys = list(map(key_id, given.signers))
        names = ", ".join(keys)
        if trust is None:
            print(f"{file}: signed by key {names}, which was NOT checked (--trust)")
        elif not set(keys) <= set(map(key_id, trust)):
            raise BundleFault(f"The review {file} is signed by a key that is not trusted: {names}")
        reviews += given.reviews
    judgement, _ = judge_reviewed(folder, reviews)
    for each in reviews:
        print(f"{each.case}  {each.step}: {each.verdict.value} by {each.person}: {each.reason}")
    print(f"with reviews {judgement.verdict.value}: {judgement.reason}")
    for annex in judgement.annexes:
        print(describe_annex(annex))
    code = HARNESS if harness_failed(judgement) else EXIT_CODES[judgement.verdict]
    return NOT_FULLY_VERIFIED if code == CONFORMANT and trust is None else code
