"""The register of admitted systems: list it, show a history, suspend, resume, revoke, and publish it.

  c2c register list
  c2c register revoke ID --reason 'Signs with a key that was published.' --person 'B. Reviewer'
  c2c register export --key operator.pem --operator 'Customs Union' --out status.dsse.json
  c2c register check --list status.dsse.json --trust operator.pub.pem          nothing was taken out since
  c2c register page --operator 'Customs Union' --out public
  c2c register status ID --list status.dsse.json --trust operator.pub.pem      offline

status ends with 0 when the certificate is valid, the list is not overdue and a trusted key has signed it, else with 10.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from harness.admission.page import make_pages
from harness.admission.status import ask, make_status_list, must_continue, sign_status_list
from harness.admission.store import entry, open_register
from harness.bundle.files import STATEMENT
from harness.bundle.statement import open_statement, statement_digest
from harness.bundle.write import write_durably
from harness.cli.check import moment
from harness.cli.keys import add_key, add_trust, key_of, trust_of
from harness.errors import CONFORMANT, NOT_FULLY_VERIFIED
from harness.security.statement_key import load_public_keys

if TYPE_CHECKING:
    import argparse

_ACTIONS = {"suspend": "suspended", "resume": "resumed", "revoke": "revoked"}
_DEFAULT = "register.db"


def add_register(parser: argparse.ArgumentParser) -> None:
    """Which register."""
    parser.add_argument(
        "--register",
        default=_DEFAULT,
        metavar="R",
        help=f"SQLite file, or postgresql://user@host/database (default: {_DEFAULT})",
    )


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the commands and their options."""
    commands = parser.add_subparsers(metavar="ACTION", required=True)
    listing = commands.add_parser("list", help="all certificates, with their status today")
    listing.add_argument("--json", action="store_true", help="print it as JSON")
    history = commands.add_parser("history", help="what was done with a certificate")
    history.add_argument("id", metavar="ID")
    for name, action in _ACTIONS.items():
        child = commands.add_parser(name, help=f"a certificate is {action}")
        child.add_argument("id", metavar="ID")
        child.add_argument("--reason", required=True, metavar="TEXT", help="why, in one sentence; it is published")
        child.add_argument("--person", required=True, metavar="NAME", help="who decided it")
        child.set_defaults(action=action)
    export = commands.add_parser("export", help="the signed status list")
    export.add_argument("--days", type=int, default=7, metavar="N", help="after so many days the next list is due (7)")
    add_key(export)
    check = commands.add_parser("check", help="whether the register still holds all that a status list of it told")
    check.add_argument("--list", required=True, type=Path, metavar="FILE", help="a signed status list of this register")
    check.add_argument("--trust", required=True, type=Path, metavar="KEYS", help="public keys of the operator")
    page = commands.add_parser("page", help="a static public page with badges")
    for child, what in ((export, "file"), (page, "folder")):
        child.add_argument("--operator", required=True, metavar="NAME", help="who stands behind the register")
        child.add_argument("--out", required=True, type=Path, metavar="PATH", help=what)
    status = commands.add_parser("status", help="ask a signed status list, offline")
    status.add_argument("id", metavar="ID", help="of the certificate, or the folder of its bundle")
    status.add_argument("--list", required=True, type=Path, metavar="FILE", help="the signed status list")
    status.add_argument("--at", type=moment, metavar="TIME", help="the time that is asked about (default: now)")
    add_trust(status)
    for name, child in commands.choices.items():
        child.set_defaults(run_action=name)
        if name != "status":
            add_register(child)


def run(options: argparse.Namespace) -> int:
    """Do what was asked."""
    if options.run_action == "status":
        return _status(options)
    now = datetime.now(UTC)
    with open_register(options.register) as register:
        match options.run_action:
            case "list":
                found = [(each, *register.status(each, now)) for each in register.certificates()]
                if options.json:
                    print(json.dumps([{**each.to_json(), "status": status} for each, status, _ in found], indent=1))
                for each, status, _ in () if options.json else found:
                    print(f"{each.id}  {status:<9}  {each.word:<21}  {each.authority}: {each.product} {each.version}")
            case "history":
                register.get(options.id)
                for line in register.history(options.id):
                    print(f"{line.at}  {line.action:<9}  {line.person}: {line.reason}")
            case "export":
                key = key_of(options)
                assert key is not None  # noqa: S101 - the option is required
                if options.out.exists():
                    print(must_continue(register, options.out.read_bytes(), [key.public]))
                document = make_status_list(register, options.operator, now, timedelta(days=options.days))
                write_durably(options.out, sign_status_list(document, key))
                count = len(document["certificates"])
                print(f"{options.out}: {count} certificates; the next list is due {document['next']}")
            case "check":
                print(must_continue(register, options.list.read_bytes(), load_public_keys(options.trust)))
            case "page":
                for name, content in make_pages(register, options.operator, now).items():
                    write_durably(options.out / name, content)
                print(f"{options.out / 'index.html'}")
            case _:
                register.note(entry(options.id, now, options.action, options.person, options.reason))
                print(f"{options.id}: {options.action}")
    return CONFORMANT


def _status(options: argparse.Namespace) -> int:
    name, evidence, file = options.id, (), Path(options.id) / STATEMENT
    if file.is_file():
        envelope = file.read_bytes()
        statement, _ = open_statement(envelope)
        name, evidence = statement_digest(envelope), statement["predicate"].get("evidence", ())
    answer = ask(options.list.read_bytes(), name, trust_of(options), options.at or datetime.now(UTC), evidence)
    print("\n".join(answer.lines))
    return CONFORMANT if answer.good else NOT_FULLY_VERIFIED
