"""EARL 1.0 as JSON-LD, for registries of test results.

The terms are declared in the file itself, from the published vocabulary, so that nothing has to be fetched to read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.report.checked import json_bytes
from harness.report.mapping import words_of
from harness.report.plain import Case, earlier, ended, identity, said

CONTEXT = {
    "earl": "http://www.w3.org/ns/earl#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "doap": "http://usefulinc.com/ns/doap#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "assertedBy": {"@id": "earl:assertedBy", "@type": "@id"},
    "subject": {"@id": "earl:subject", "@type": "@id"},
    "test": {"@id": "earl:test", "@type": "@id"},
    "result": {"@id": "earl:result"},
    "mode": {"@id": "earl:mode", "@type": "@id"},
    "outcome": {"@id": "earl:outcome", "@type": "@id"},
    "info": {"@id": "earl:info"},
    "title": {"@id": "dct:title"},
    "description": {"@id": "dct:description"},
    "hasVersion": {"@id": "dct:hasVersion"},
    "isPartOf": {"@id": "dct:isPartOf", "@type": "@id"},
    "date": {"@id": "dct:date", "@type": "xsd:dateTime"},
    "name": {"@id": "foaf:name"},
}

CASE = "urn:c2c-harness:case:"
"""What the name of a case begins with."""


def earl(record: Mapping[str, Any]) -> bytes:
    """The record as one graph: an assertion for each attempt at each case, about one subject, by one tool."""
    sut, tool = record["sut"], record["tool"]
    subject, assertor = f"urn:uuid:{identity(record, 'subject')}", f"urn:uuid:{identity(record, 'tool')}"
    requirements = [
        {
            "@id": _requirement(each["id"]),
            "@type": "earl:TestRequirement",
            "title": each["id"],
            "description": each["text"],
        }
        for each in record["requirements"]
    ]
    document = {
        "@context": CONTEXT,
        "@graph": [
            {
                "@id": subject,
                "@type": ["earl:TestSubject", "earl:Software"],
                "title": sut["product"] or "system under test",
                "hasVersion": sut["version"],
                "description": " ".join([record["role"], *record["positions"]]),
            },
            {
                "@id": assertor,
                "@type": ["earl:Assertor", "earl:Software"],
                "title": tool["name"],
                "hasVersion": tool["version"],
                "description": f"profile {record['pack']['id']} {record['pack']['version']}",
            },
            *requirements,
            *(
                _assertion(record, each, subject, assertor, name)
                for case in record["cases"]
                for each, name in (*((old, f"attempt {old['attempt']}") for old in earlier(case)), (case, ""))
            ),
        ],
    }
    return json_bytes("earl", document)


def _requirement(name: str) -> str:
    return f"urn:c2c-harness:requirement:{name}"


def _assertion(record: Mapping[str, Any], case: Case, subject: str, assertor: str, attempt: str) -> dict[str, Any]:
    return {
        "@id": f"urn:uuid:{identity(record, case['id'], *([attempt] if attempt else []))}",
        "@type": "earl:Assertion",
        "assertedBy": assertor,
        "subject": subject,
        "mode": "earl:automatic",
        "test": {
            "@id": f"{CASE}{case['id']}",
            "@type": "earl:TestCase",
            "title": case["title"],
            "description": case["purpose"],
            "hasVersion": str(case["version"]),
            "isPartOf": [_requirement(name) for name in case["requirements"]],
        },
        "result": {
            "@type": "earl:TestResult",
            "outcome": f"earl:{words_of(case).earl}",
            "info": f"{attempt}: {said(case)}" if attempt else said(case),
            "date": ended(record, case),
        },
    }
