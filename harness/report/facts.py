"""What a derived file says, read back: so that files that two versions of the tool made can be compared.

Everything here is read from strangers: whatever is not as it should be raises ``ValueError`` or ``LookupError``.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping

from lxml import etree, html

from harness.report.earl import CASE

Fact = tuple[str, str, str]
"""Kind, id and verdict of something."""

_GITB = "{http://www.gitb.com/tr/v1/}"


def facts(name: str, data: bytes) -> list[Fact]:
    """Everything that a derived file says, sorted.

    Parameters:
        name: of the file, below ``derived/``.
        data: its bytes.
    """
    return sorted(_READ[name](data))


def _page(data: bytes) -> Iterator[Fact]:
    page = html.document_fromstring(data)
    for kind, word in (("case", "verdict"), ("requirement", "status")):
        for element in page.xpath(f"//*[@data-{kind}]"):
            yield kind, str(element.get(f"data-{kind}")), str(element.get(f"data-{word}"))
    for body in page.iter("body"):
        yield "run", str(body.get("data-baseline")), str(body.get("data-verdict"))


def _pdf(data: bytes) -> Iterator[Fact]:
    """A PDF is a picture of the summary page: another version of the tool may draw it in another way."""
    if not data.startswith(b"%PDF-"):
        raise ValueError("it is no PDF")
    yield "run", "", "a PDF"


def _xml(data: bytes) -> etree._Element:
    return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))


def _junit(data: bytes) -> Iterator[Fact]:
    for case in _xml(data).iter("testcase"):
        kinds = [each.get("type") for each in case if each.tag in ("failure", "error", "skipped")]
        yield "case", str(case.get("name")), str(kinds)


def _gitb(data: bytes) -> Iterator[Fact]:
    root = _xml(data)
    yield "run", "", str(root.findtext(f"{_GITB}statement/{_GITB}summary/{_GITB}status"))
    for case in root.iterfind(f"{_GITB}statement/{_GITB}testDetails/{_GITB}testCase"):
        yield "case", str(case.get("id")), str(case.findtext(f"{_GITB}result"))


def _ctrf(data: bytes) -> Iterator[Fact]:
    results = json.loads(data)["results"]
    yield "run", "", str(results["summary"]["extra"]["verdict"])
    for test in results["tests"]:
        yield "case", str(test["testId"]), f"{test['status']} {test['rawStatus']}"


def _earl(data: bytes) -> Iterator[Fact]:
    for node in json.loads(data)["@graph"]:
        if node["@type"] == "earl:Assertion":
            yield "case", str(node["test"]["@id"]).removeprefix(CASE), str(node["result"]["outcome"])


def _sarif(data: bytes) -> Iterator[Fact]:
    for run in json.loads(data)["runs"]:
        yield "run", "", str(run["properties"]["verdict"])
        for result in run["results"]:
            yield "case", str(result["properties"]["case"]), f"{result['kind']} {result['properties']['verdict']}"


def _allure(data: bytes) -> Iterator[Fact]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as files:
            for entry in files.infolist():
                if entry.compress_type != zipfile.ZIP_STORED or entry.file_size > len(data):
                    raise ValueError(f"{entry.filename} is compressed")
                result = json.loads(files.read(entry))
                yield "case", str(result["fullName"]).partition("/")[2], str(result["status"])
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as problem:
        raise ValueError(str(problem)) from None


def _summary(data: bytes) -> Iterator[Fact]:
    line = json.loads(data)
    yield "run", line["baseline"], json.dumps([line[key] for key in ("verdict", "required", "executed", "passed")])


_READ: Mapping[str, Callable[[bytes], Iterator[Fact]]] = {
    "report.html": _page,
    "summary.html": _page,
    "summary.pdf": _pdf,
    "junit.xml": _junit,
    "gitb-tr.xml": _gitb,
    "ctrf.json": _ctrf,
    "earl.jsonld": _earl,
    "sarif.json": _sarif,
    "allure-results.zip": _allure,
    "summary.json": _summary,
}
