"""Writing an overlay for a person to finish: what was found, how sure it is and why, and what is open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.errors import ConfigurationFault, Where
from harness.message.xml import XmlDocument
from harness.pack.adopt import Adopted, adopt, known_places
from harness.pack.data import data_folder
from harness.pack.fill import fill, to_file
from harness.pack.intake import GivenList, Intake, Root, quoted, read_folder, write_list
from harness.pack.layers import read_table
from harness.pack.match import Proposal, propose
from harness.pack.model import CodeList, Pack
from harness.pack.names import id_of, pick
from harness.pack.paths import OPEN
from harness.pack.source import Source
from harness.pack.xsd_tree import places, smallest, words

SCHEMAS = "imported"
"""The folder below ``schemas/`` with what was given, so that it replaces nothing that the base still needs."""

_LIKE = 0.5
_COLUMN = 60


@dataclass
class Imported:
    """What came of an import.

    Parameters:
        folder: the overlay.
        adopted: what was found for each message.
        samples: message and shape to where its golden sample comes from.
        codelists: code list of the base to the file that replaces it.
        open: what a person must still find, in words.
        others: roots that are no message of the base, and were added so that they can be checked.
        problems: files that could not be used.
    """

    folder: Path
    adopted: tuple[Adopted, ...]
    samples: dict[str, str] = field(default_factory=dict)
    codelists: dict[str, Path] = field(default_factory=dict)
    open: list[str] = field(default_factory=list)
    others: tuple[Root, ...] = ()
    problems: tuple[ConfigurationFault, ...] = ()


def import_folder(
    pack: Pack, folder: Path, out: Path, pointers: Mapping[str, frozenset[str]], *, others: bool = False
) -> Imported:
    """Make an overlay of a pack from a folder of official files.

    Parameters:
        pack: the base.
        folder: the official files.
        out: folder of the overlay, which must be empty or not be there; its name becomes the id.
        pointers: places that scenarios speak of, by message.
        others: also add the roots that are no message of the base, so that ``c2c check`` can judge them.

    Raises:
        ConfigurationFault: the base is not XML or would not be found from there, or nothing can be used.
    """
    if pack.format != "xml":
        raise ConfigurationFault(
            f"the pack {pack.id} is not XML",
            where=Where(pack.root / "pack.yaml"),
            expected="a pack with XML Schema",
            remedy="Name another pack with --extends.",
        )
    name = id_of(out)
    if out.exists() and any(out.iterdir()):
        raise ConfigurationFault("the folder is not empty", where=Where(out), remedy="Name another one with --out.")
    base = pack.root.resolve()
    if base.parent not in (out.resolve().parent, data_folder("suites").resolve()):
        raise ConfigurationFault(
            f"from there the overlay would not find its base {pack.id}",
            where=Where(out),
            expected=f"a folder in {base.parent}",
            remedy="Choose --out beside the base.",
        )
    intake = read_folder(folder, out / "schemas" / SCHEMAS, _names(pack))
    done = Imported(out, adopt(pack, intake, pointers), problems=intake.problems)
    if others:
        taken = {each.root.tag for each in done.adopted if each.root is not None and each.sure}
        names = {each.message.name for each in done.adopted}
        done.others = tuple(root for root in intake.roots.values() if root.tag not in taken and root.local not in names)
    (out / "golden").mkdir()
    _write_samples(pack, intake, done)
    for root in done.others:
        sample = XmlDocument(smallest(root.compiled.grammar, root.tag, set(), {}))
        (out / "golden" / f"{root.local}.xml").write_bytes(to_file(sample))
    _write_codelists(pack, intake, done)
    soap = next((service.soap for service in intake.services if service.soap), None)
    (out / "pack.yaml").write_text("\n".join(_head(pack, name, folder, soap)) + "\n", "utf-8", newline="\n")
    (out / "messages.yaml").write_text("\n".join(_messages(pack, done)) + "\n", "utf-8", newline="\n")
    return done


def sample_again(pack: Pack, folder: Path, out: Path) -> Imported:
    """Make the golden samples of an overlay again, with the roots and places that its ``messages.yaml`` now says.

    Parameters:
        pack: the base.
        folder: the official files from which the overlay was made.
        out: the overlay; only its samples are written, those that are there included.

    Raises:
        ConfigurationFault: it has no right ``messages.yaml``, or names a root that the folder does not have.
    """
    if not (out / "messages.yaml").is_file():
        raise ConfigurationFault(
            "there is no overlay in this folder",
            where=Where(out),
            expected="one that c2c pack import has made",
            remedy="Name it with --out, or import without --again first.",
        )
    said = read_table((out, *pack.roots), "messages")
    with TemporaryDirectory(prefix="c2c-import-") as temporary:
        intake = read_folder(folder, Path(temporary) / SCHEMAS, _names(pack))
        adopted = tuple(_as_said(pack, each, said, intake) for each in adopt(pack, intake, {}))
        done = Imported(out, adopted, problems=intake.problems)
        (out / "golden").mkdir(exist_ok=True)
        _write_samples(pack, intake, done)
    return done


def _names(pack: Pack) -> list[str]:
    """Local names by which messages of the pack may be known."""
    return [name for message in pack.messages.values() for name in (message.name, message.root.rpartition("}")[2])]


def _as_said(pack: Pack, each: Adopted, said: Source, intake: Intake) -> Adopted:
    """What a person has made of a proposal; nothing where the root is open, or that of the base."""
    name = each.message.name
    entry = said.data["messages"].get(name, {})
    tag = entry.get("root", OPEN)
    if tag in (OPEN, each.message.root) and tag not in intake.roots:
        return replace(each, root=None)
    root = intake.roots[pick(tag, intake.roots, "root element in the folder", said.where(("messages", name, "root")))]
    proposals = each.proposals
    if root is not each.root or not proposals:
        proposals = propose(known_places(pack, each.message), places(root.compiled.grammar, root.tag)[1:])
    told = {place: Proposal(place, here, 1.0, ()) for place, here in entry.get("paths", {}).items() if here != OPEN}
    taken = {one.found for one in told.values()}
    others = {place: replace(one, found="") if one.found in taken else one for place, one in proposals.items()}
    return replace(each, root=root, sure=True, proposals={**others, **told})


def _write_samples(pack: Pack, intake: Intake, done: Imported) -> None:
    for each in done.adopted:
        if each.root is None:
            continue
        for shape, file in each.message.golden.items():
            filled = fill(pack, each, shape, intake)
            target = done.folder / "golden" / file.name
            target.write_bytes(to_file(filled.document))
            done.samples[f"{each.message.name} {shape}"] = filled.origin
            done.open += [f"{each.message.name}: {target.name} is not valid: {wrong}" for wrong in filled.wrong]


def _write_codelists(pack: Pack, intake: Intake, done: Imported) -> None:
    for codelist in pack.codelists.values():
        likeness = [(_like(codelist, given), given) for given in intake.codelists]
        score, given = max(likeness, key=lambda pair: pair[0], default=(0.0, None))
        if given is not None and score >= _LIKE:
            folder = done.folder / "codelists"
            folder.mkdir(exist_ok=True)
            (folder / f"{codelist.id}.yaml").write_text(
                write_list(given, codelist.id, codelist.title), "utf-8", newline="\n"
            )
            done.codelists[codelist.id] = given.file
        elif intake.codelists:
            done.open.append(f"code list {codelist.id}: none of the given ones is like it; the one of the base stays")


def _like(codelist: CodeList, given: GivenList) -> float:
    """How alike two code lists are: by name, else by their codes."""
    mine = frozenset((*words(codelist.id), *words(codelist.title)))
    named = max(len(mine & set(words(name))) / max(len(set(words(name))), 1) for name in given.names)
    shared = set(codelist.codes) & set(given.codes)
    same = len(shared) / max(min(len(codelist.codes), len(given.codes)), 1)
    return 0.5 * named + 0.5 * same if shared else 0.0


def _head(pack: Pack, name: str, folder: Path, soap: str | None) -> Iterator[str]:
    yield f"id: {quoted(name)}"
    yield 'version: "0.1.0"'
    yield f"extends: {quoted(pack.root.name)}"
    yield f"title: {quoted(f'{pack.title}, with the schemas of {folder.resolve().name}')}"
    told = f"Schemas from the folder {folder.resolve().name}; everything else from {pack.id} {pack.version}."
    yield f"provenance: {quoted(told)}"
    yield "fixtures: ./golden"
    if soap is not None and pack.envelope != f"soap-{soap}":
        yield f"envelope: soap-{soap}    # from the WSDL"
    if soap == "1.1" and pack.envelope != "soap-1.1":
        yield "media_type: text/xml"


def _messages(pack: Pack, done: Imported) -> Iterator[str]:
    yield f"# Where the messages and places of {pack.id} are. Made by 'c2c pack import' for a person to finish:"
    yield "# a number is the confidence from 0 to 1; ? is open. A case that needs what is open is not run."
    yield "messages:"
    for each in done.adopted:
        name, root = each.message.name, each.root
        yield f"  {name}:"
        if not each.sure:
            near = ", ".join(each.others) or "nothing is like it"
            done.open.append(f"{name}: no root (nearest {near})")
            yield f"    # nearest: {near}"
            yield f'    root: "{OPEN}"' + (f"    # what follows is right if it is {root.tag}" if root else "")
        if root is None:
            continue
        if each.sure:
            yield f"    # {each.confidence:.2f}: {', '.join(each.reasons)}"
            yield f"    root: {quoted(root.tag)}"
        yield f"    schema: {quoted(f'{SCHEMAS}/{root.file}')}"
        if each.action:
            yield f"    action: {quoted(each.action)}"
        golden = {shape: quoted(file.name) for shape, file in each.message.golden.items()}
        yield "    golden: {" + ", ".join(f"{shape}: {file}" for shape, file in golden.items()) + "}"
        if lines := list(_paths(each, done)):
            yield "    paths:"
            yield from lines
    role = next(iter(pack.roles))
    for other in done.others:
        yield f"  {other.local}:"
        yield f"    title: {quoted(other.local)}"
        yield "    purpose: It is no message of the base; it is here to be checked only."
        yield f"    from: {role}"
        yield f"    to: {role}"
        yield f"    root: {quoted(other.tag)}"
        yield f"    schema: {quoted(f'{SCHEMAS}/{other.file}')}"
        yield f"    golden: {quoted(f'{other.local}.xml')}"
        yield "    bind: {}"


def _paths(each: Adopted, done: Imported) -> Iterator[str]:
    """One line for each place that is elsewhere or open; nothing where the base is right as it is."""
    moved = {place: one for place, one in each.proposals.items() if one.found and one.found != place}
    beginnings = set(moved)
    for place, one in each.proposals.items():
        steps = place.split("/")
        inside = any("/".join(steps[:length]) in beginnings for length in range(1, len(steps)))
        if place in moved or (one.found and inside):
            yield _line(place, one.found, f"{one.confidence:.2f} {', '.join(one.reasons)}")
        elif one in each.open:
            near = f"nearest {', '.join(one.others)}" if one.others else one.misfit or "nothing is like it"
            done.open.append(f"{each.message.name}: {place} ({near})")
            yield _line(place, OPEN, near)


def _line(place: str, found: str, why: str) -> str:
    key = place if place[0] not in "@`" else quoted(place)
    value = found if found[0] not in "@?`" else quoted(found)
    return f"{f'      {key}: {value}':<{_COLUMN}} # {why}"
