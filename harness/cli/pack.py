"""Make a pack, lay official schemas over one, and prove that a pack is whole.

  c2c pack check etir-4.3
  c2c pack new suites/my-pack
  c2c pack import official-files --extends etir-4.3 --out suites/official
  c2c pack import official-files --extends etir-4.3 --out suites/official --again
  c2c pack pages etir-4.3

`import` reads a folder with XML Schemas, and a WSDL, sample messages and code lists where there are some. It proposes
which root is which message and where each place is, with its reasons, and writes an overlay for a person to finish.
With `--again` it only makes the golden samples anew, from what the person has written.

`check` exits 0 when the pack is whole, 10 when something is still open in it, 11 when something is wrong.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import CONFIGURATION, CONFORMANT, NOT_FULLY_VERIFIED, ConfigurationFault, Where
from harness.pack.data import find_pack
from harness.pack.load import load_pack
from harness.pack.new import new_pack
from harness.pack.overlay import Imported, import_folder, sample_again
from harness.pack.page import index_page, message_page
from harness.reference.points import wrong_switches
from harness.scenario.sound import check_whole, spoken_pointers

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

SHOWN, MOST = 20, 100


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the commands."""
    commands = parser.add_subparsers(title="what to do", metavar="WHAT", required=True)
    check = commands.add_parser("check", help="prove that a pack is whole", allow_abbrev=False)
    check.add_argument("pack", metavar="PACK", help="name or folder of the pack")
    check.set_defaults(action=_check)
    new = commands.add_parser("new", help="start a pack from nothing", allow_abbrev=False)
    new.add_argument("folder", type=Path, metavar="DIR", help="folder of the new pack; its name becomes the id")
    new.set_defaults(action=_new)
    taken = commands.add_parser("import", help="lay the schemas of a folder over a pack", allow_abbrev=False)
    taken.add_argument("folder", type=Path, metavar="DIR", help="schemas, and what else there is")
    taken.add_argument("--extends", required=True, metavar="PACK", help="name or folder of the pack below")
    taken.add_argument("--out", type=Path, metavar="DIR", help="the overlay (default: ./<folder>-<pack>)")
    taken.add_argument(
        "--others", action="store_true", help="also add roots that are no message of PACK, for c2c check only"
    )
    taken.add_argument(
        "--again", action="store_true", help="only make the golden samples of --out again, from its messages.yaml"
    )
    taken.set_defaults(action=_import)
    pages = commands.add_parser("pages", help="write a page about each message", allow_abbrev=False)
    pages.add_argument("pack", metavar="PACK", help="name or folder of the pack")
    pages.add_argument("--out", type=Path, metavar="DIR", help="folder of the pages (default: docs/messages/<pack>)")
    pages.set_defaults(action=_pages)


def _pages(options: argparse.Namespace) -> int:
    pack = load_pack(options.pack)
    folder = options.out or Path("docs") / "messages" / pack.id
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "README.md").write_text(index_page(pack), "utf-8", newline="\n")
        for name in pack.messages:
            (folder / f"{name}.md").write_text(message_page(pack, name), "utf-8", newline="\n")
    except OSError as problem:
        raise ConfigurationFault(
            f"the pages cannot be written: {problem.strerror}", where=Where(folder), remedy="Choose another folder."
        ) from None
    print(f"{len(pack.messages)} pages: {folder}")
    return CONFORMANT


def run(options: argparse.Namespace) -> int:
    """Do what was asked."""
    return int(options.action(options))


def _check(options: argparse.Namespace) -> int:
    folder = find_pack(options.pack)
    try:
        pack = load_pack(folder)
    except ConfigurationFault as fault:
        _tell_wrong(fault.each)
        print(f"{len(fault.each)} wrong in {options.pack}: the rest is looked at when this is right")
        return CONFIGURATION
    faults = [*wrong_switches(pack), *check_whole(pack)]
    _tell_wrong(faults)
    open_places = [(message.name, place) for message in pack.messages.values() for place in message.unmapped]
    for name, place in open_places:
        print(f"open: {name}: {place}")
    what = f"{pack.id} {pack.version}, {pack.digest}"
    if faults:
        print(f"{len(faults)} wrong in {what}")
        return CONFIGURATION
    if open_places:
        print(f"{len(open_places)} open in {what}: cases that need them are not run")
        return NOT_FULLY_VERIFIED
    told = f"{len(pack.messages)} messages, {len(pack.requirements)} requirements, {len(pack.scenarios)} scenarios"
    print(f"whole: {what}: {told}, {len(pack.rules)} rules, {len(pack.faults)} faults")
    return CONFORMANT


def _tell_wrong(faults: Sequence[ConfigurationFault]) -> None:
    for fault in faults[:MOST]:
        print(f"wrong: {fault}")
    if len(faults) > MOST:
        print(f"... and {len(faults) - MOST} more")


def _new(options: argparse.Namespace) -> int:
    for file in new_pack(options.folder):
        print(file)
    print(
        f"Next: change what stands there into your protocol, and run `c2c pack check {options.folder}` after each step."
    )
    return CONFORMANT


def _import(options: argparse.Namespace) -> int:
    pack = load_pack(options.extends)
    out = options.out or Path(f"{options.folder.resolve().name}-{pack.id}")
    if options.again:
        made = sample_again(pack, options.folder, out)
        print("".join(f"open: {each}\n" for each in made.open), end="")
        print(f"{len(made.samples)} golden samples: {out / 'golden'}\nNext: run `c2c pack check {out}`.")
        return NOT_FULLY_VERIFIED if made.open else CONFORMANT
    done = import_folder(pack, options.folder, out, spoken_pointers(pack), others=options.others)
    print("\n".join(_told(done)))
    print(f"Next: finish {out / 'messages.yaml'}, and run `c2c pack check {out}`.")
    return NOT_FULLY_VERIFIED if done.open else CONFORMANT


def _told(done: Imported) -> list[str]:
    found = [each for each in done.adopted if each.sure]
    lines = [f"not used: {problem}" for problem in done.problems[:SHOWN]]
    if len(done.problems) > SHOWN:
        lines.append(f"... and {len(done.problems) - SHOWN} more that are not used")
    for each in found:
        places = [one for place, one in each.proposals.items() if place in each.used and one.found]
        least = min((one.confidence for one in places), default=1.0)
        root = each.root.tag if each.root is not None else ""
        lines.append(f"{each.message.name}: {root} ({each.confidence:.2f}: {', '.join(each.reasons)})")
        lines.append(f"    {len(places)} of {len(each.used)} places found, the least sure with {least:.2f}")
    lines += [f"code list {name}: {file.name}" for name, file in done.codelists.items()]
    lines += [f"added to be checked: {each.local}" for each in done.others]
    lines += [f"open: {each}" for each in done.open[:SHOWN]]
    lines += [f"... and {len(done.open) - SHOWN} more, each with ? in messages.yaml"] if len(done.open) > SHOWN else []
    lines.append(f"{len(found)} of {len(done.adopted)} messages found, {len(done.open)} things open")
    return lines
