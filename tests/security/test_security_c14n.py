"""Canonical XML: the defects of lxml must not show, whatever the thread did before."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from harness.errors import MalformedInput
from harness.security.c14n import canonical

DEFAULTED = b'<p:S xmlns="urn:d" xmlns:p="urn:p"><p:I><p:R><M/><N xmlns=""/></p:R></p:I></p:S>'
WITH_DEFAULT = b'<p:I xmlns="urn:d" xmlns:p="urn:p"><p:R><M></M><N xmlns=""></N></p:R></p:I>'


def in_a_fresh_thread(function, *arguments):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function, *arguments).result()


def test_default_prefix_is_honoured_in_every_thread():
    tree = etree.fromstring(DEFAULTED)
    for run in (lambda: in_a_fresh_thread(canonical_inner, tree), lambda: canonical_inner(tree)):
        assert run() == WITH_DEFAULT
    assert in_a_fresh_thread(lambda: canonical_inner(etree.fromstring(DEFAULTED))) == WITH_DEFAULT


def canonical_inner(tree):
    return canonical(tree[0], prefixes=["#default"])


def test_default_prefix_at_the_root():
    text = b'<p:S xmlns="urn:d" xmlns:p="urn:p"><M></M></p:S>'
    assert canonical(etree.fromstring(text), prefixes=["#default"]) == text


def test_prefix_that_this_thread_never_parsed_is_honoured():
    root = etree.Element("root", nsmap={"neverparsed": "urn:x"})
    inner = etree.SubElement(root, "inner")
    for _ in range(2):
        assert canonical(inner, prefixes=["neverparsed"]) == b'<inner xmlns:neverparsed="urn:x"></inner>'
    assert in_a_fresh_thread(canonical, inner) == b"<inner></inner>"


def test_built_and_parsed_tree_agree_in_two_threads():
    def built():
        root = etree.Element("{urn:a}root", nsmap={"fresh1": "urn:a", "fresh2": "urn:b"})
        etree.SubElement(root, "{urn:b}inner").text = "x"
        return root

    def digest(tree):
        return canonical(tree[0], prefixes=["fresh1"])

    parsed = etree.fromstring(etree.tostring(built()))
    expected = b'<fresh2:inner xmlns:fresh1="urn:a" xmlns:fresh2="urn:b">x</fresh2:inner>'
    assert in_a_fresh_thread(lambda: digest(built())) == expected
    assert in_a_fresh_thread(digest, parsed) == digest(parsed) == expected


def test_inclusive_form_under_an_inherited_default_namespace():
    tree = etree.fromstring(b'<S xmlns="urn:d" xmlns:u="urn:u"><I><R><M/></R></I></S>')
    assert canonical(tree[0], exclusive=False) == b'<I xmlns="urn:d" xmlns:u="urn:u"><R><M></M></R></I>'


def test_inclusive_form_with_names_in_another_script():
    tree = etree.fromstring("<S><ტვირთი წონა='1'/></S>")
    assert canonical(tree[0], exclusive=False).decode() == '<ტვირთი წონა="1"></ტვირთი>'


def test_inclusive_form_inherits_xml_attributes_of_the_nearest_ancestor():
    tree = etree.fromstring(b'<S xml:lang="en" xml:space="preserve"><T xml:lang="ru"><I b="2" a="1"/></T></S>')
    assert canonical(tree[0][0], exclusive=False) == b'<I a="1" b="2" xml:lang="ru" xml:space="preserve"></I>'
    assert canonical(tree[0][0]) == b'<I a="1" b="2"></I>'


def test_comments_go_unless_they_are_asked_for():
    tree = etree.fromstring(b"<a>x<!-- c -->y</a>")
    assert canonical(tree) == b"<a>xy</a>"
    assert canonical(tree, comments=True) == b"<a>x<!-- c -->y</a>"


@pytest.mark.parametrize("exclusive", [True, False])
def test_relative_namespace_name_is_refused_and_never_empty(exclusive):
    tree = etree.fromstring(b'<r><a xmlns:x="abc"><x:b/></a></r>', etree.XMLParser())
    with pytest.raises(MalformedInput) as caught:
        canonical(tree[0], exclusive=exclusive)
    assert caught.value.code == "not-canonicalisable"


@st.composite
def elements(draw, depth=3):
    """An element whose namespaces are declared, redeclared and undeclared at will."""
    prefix = draw(st.sampled_from(["", "p:", "q:"]))
    default = draw(st.sampled_from(["", ' xmlns=""', ' xmlns="urn:d"', ' xmlns="urn:e"']))
    bound = st.sampled_from(["", ' xmlns:{}="urn:p"', ' xmlns:{}="urn:q"'])
    others = "".join(draw(bound).format(prefix) for prefix in "pq")
    attribute = draw(st.sampled_from(["", ' p:a="1"', ' b="&#13;&#9;&quot;"']))
    inner = "".join(draw(st.lists(elements(depth - 1), max_size=2))) if depth else "t"
    return f"<{prefix}e{default}{others}{attribute}>{inner}</{prefix}e>"


EXCLUSIVE, INCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"


@settings(max_examples=60)
@given(elements(), st.sampled_from(["p:", ""]), st.lists(st.sampled_from(["#default", "p", "q", "z"]), unique=True))
def test_exclusive_form_is_that_of_libxmlsec(text, prefix, prefixes):
    whole = document(text, prefix)
    ours = canonical(etree.fromstring(whole)[0], prefixes=prefixes)
    assert sha256_of(ours) == digest_by_xmlsec(whole, EXCLUSIVE, prefixes)


@settings(max_examples=60)
@given(elements(), st.sampled_from(["p:", ""]))
def test_inclusive_form_is_that_of_libxmlsec(text, prefix):
    whole = document(text, prefix)
    ours = canonical(etree.fromstring(whole)[0], exclusive=False)
    assert sha256_of(ours) == digest_by_xmlsec(whole, INCLUSIVE, [])


def document(text, prefix):
    inner = f'<{prefix}a Id="i">{text}</{prefix}a>'
    return f'<r xmlns="urn:r" xmlns:p="urn:p" xmlns:q="urn:r" xml:lang="en">{inner}</r>'


def sha256_of(data):
    return b64encode(hashlib.sha256(data).digest()).decode()


def digest_by_xmlsec(whole, algorithm, prefixes):
    """Let libxmlsec sign a template, and read the digest it wrote."""
    xmlsec = pytest.importorskip("xmlsec")
    tree = etree.fromstring(whole)
    names = xmlsec.constants
    signature = xmlsec.template.create(tree, names.TransformExclC14N, names.TransformHmacSha256)
    reference = xmlsec.template.add_reference(signature, names.TransformSha256, uri="#i")
    transform = xmlsec.template.add_transform(reference, names.TransformExclC14N)
    transform.set("Algorithm", algorithm)
    if prefixes:
        listed = etree.SubElement(transform, f"{{{EXCLUSIVE}}}InclusiveNamespaces", nsmap={"ec": EXCLUSIVE})
        listed.set("PrefixList", " ".join(prefixes))
    tree.append(signature)
    tree = etree.fromstring(etree.tostring(tree))
    xmlsec.tree.add_ids(tree, ["Id"])
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_binary_data(names.KeyDataHmac, b"0123456789abcdef")
    context.sign(xmlsec.tree.find_node(tree, names.NodeSignature))
    return xmlsec.tree.find_node(tree, "DigestValue").text
