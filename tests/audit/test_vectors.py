"""The format is pinned: a third implementation, the portal and the stand-alone verifier make the same bytes."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
import rfc8785

from audit import signing, verifier
from audit.chain import canonical, digest
from audit.exceptions import AuditError
from audit.merkle import GrowingTree, WholeTree
from tests.audit import vectors

FILE = Path(__file__).resolve().parent.parent.parent / "docs" / "receipts-vectors.json"
VECTORS = json.loads(FILE.read_text(encoding="utf-8"))


def test_committed_vectors_are_those_of_the_independent_reading() -> None:
    assert vectors.made() == VECTORS


@pytest.mark.parametrize("vector", VECTORS["canonical"])
def test_canonical_bytes_are_the_pinned_ones(vector: dict[str, Any]) -> None:
    assert canonical(vector["value"]) == vector["bytes"]
    assert digest(vector["bytes"]) == vector["sha256"]
    assert verifier.canonical(vector["value"]).decode() == vector["bytes"]


@pytest.mark.parametrize("vector", VECTORS["merkle"], ids=lambda vector: str(len(vector["entries"])))
def test_roots_and_paths_are_the_pinned_ones(vector: dict[str, Any]) -> None:
    entries = [bytes.fromhex(entry) for entry in vector["entries"]]
    growing, whole, theirs = GrowingTree(), WholeTree(entries), verifier.Tree(0, [])
    for entry in entries:
        growing.add(entry)
        theirs.add(entry)

    assert {growing.root().hex(), whole.root().hex(), theirs.root().hex()} == {vector["root"]}
    assert [[node.hex() for node in whole.path(index)] for index in range(len(entries))] == vector["paths"]


@pytest.mark.parametrize("size", range(1, 40))
def test_every_path_leads_to_the_root_and_to_no_other(size: int) -> None:
    entries = [bytes([number]) * 32 for number in range(size)]
    tree = WholeTree(entries)

    for index, entry in enumerate(entries):
        path = tree.path(index)
        assert verifier.root_from_path(entry, index, size, path) == tree.root()
        assert [node.hex() for node in path] == vectors.path(index, entries)
        assert verifier.root_from_path(b"another" + entry, index, size, path) != tree.root()
        assert verifier.root_from_path(entry, index, size, [*path, entry]) is None
        if path:
            assert verifier.root_from_path(entry, index, size, path[:-1]) != tree.root()
        if size > 1:
            assert verifier.root_from_path(entry, (index + 1) % size, size, path) != tree.root()


def test_signature_is_the_pinned_one(settings: Any) -> None:
    settings.INLOCK_SIGNING_KEY = VECTORS["signing"]["secret"]
    pinned = VECTORS["signing"]["document"]

    made = signing.sign({key: value for key, value in pinned["signed"].items() if key != "key"})

    assert json.loads(made) == pinned
    assert verifier.signers(pinned) == {pinned["signed"]["key"]} == signing.opened(made)[1]


def test_pinned_trail_and_checkpoint_hold_for_the_verifier() -> None:
    trail = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in VECTORS["trail"]["lines"])
    sources = [trail, json.dumps(VECTORS["trail"]["checkpoint"])]

    report = verifier.Verifier(frozenset({VECTORS["signing"]["document"]["signed"]["key"]})).run(
        [(str(number), io.BytesIO(text.encode())) for number, text in enumerate(sources)]
    )

    assert report.faults == []
    assert report.verified[-1].endswith(
        "3 entries of workspace:00000000-0000-4000-8000-000000000001, compared with 1 checkpoints"
    )


@pytest.mark.parametrize("value", [0.1, 2**53, -(2**53), "\ud800", {"\udfff": 1}, [{"deep": 1e3}]])
def test_what_has_no_one_spelling_is_refused(value: Any) -> None:
    with pytest.raises(AuditError):
        canonical({"value": value})


def test_names_are_sorted_by_utf_16_units_and_not_by_code_points() -> None:
    names = {"\ue000": 1, "\U00010000": 2}

    assert canonical(names).index("\U00010000") < canonical(names).index("\ue000")
    assert canonical(names) != json.dumps(names, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert rfc8785.dumps(names).decode() == canonical(names)
