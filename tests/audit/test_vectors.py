"""The format is pinned: a third implementation, the portal and the stand-alone verifier make the same bytes."""

import io
import json
from collections.abc import Callable
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


def forged(pinned: dict[str, Any], change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """The manifest after a change, signed again by who holds the key."""
    said = json.loads(json.dumps({k: v for k, v in pinned["manifest"]["signed"].items() if k != "key"}))
    change(said)
    return vectors.signed(said)


@pytest.mark.parametrize(
    ("change", "content", "says"),
    [
        (lambda said: None, lambda text: text, ""),
        (lambda said: None, lambda text: text.replace("1?", "2?"), "line 2 is no example"),
        (lambda said: None, lambda text: text.splitlines(keepends=True)[0], "lines are missing"),
        (lambda said: said["examples"].pop(), lambda text: text, "2 examples, and 1 are named"),
        (lambda said: said["examples"].reverse(), lambda text: text, "are not its lines"),
        (lambda said: said["examples"][1].update(id=said["examples"][0]["id"]), lambda text: text, "named twice"),
        (lambda said: said["files"][0].update(split="validation"), lambda text: text, "not those of its examples"),
    ],
)
def test_a_training_file_is_the_one_of_its_manifest_or_none(
    change: Any, content: Any, says: str, tmp_path: Path, capsys: Any
) -> None:
    pinned = VECTORS["training_set"]
    manifest, file = tmp_path / "manifest.json", tmp_path / "train.jsonl"
    manifest.write_text(json.dumps(forged(pinned, change)), encoding="utf-8")
    file.write_text(content(pinned["content"]), encoding="utf-8")

    left = verifier.main([str(manifest), "--training", str(file)])

    assert left == (1 if says else 0)
    assert says in capsys.readouterr().out


def test_a_manifest_that_was_changed_without_the_key_is_no_manifest(tmp_path: Path) -> None:
    manifest = VECTORS["training_set"]["manifest"]
    file = tmp_path / "manifest.json"
    for said in (manifest, {**manifest, "signed": manifest["signed"] | {"training_set": "another"}}):
        file.write_text(json.dumps(said), encoding="utf-8")
        assert verifier.main([str(file)]) == (0 if said is manifest else 1)


@pytest.mark.parametrize("value", [0.1, 2**53, -(2**53), "\ud800", {"\udfff": 1}, [{"deep": 1e3}]])
def test_what_has_no_one_spelling_is_refused(value: Any) -> None:
    with pytest.raises(AuditError):
        canonical({"value": value})


def test_names_are_sorted_by_utf_16_units_and_not_by_code_points() -> None:
    names = {"\ue000": 1, "\U00010000": 2}

    assert canonical(names).index("\U00010000") < canonical(names).index("\ue000")
    assert canonical(names) != json.dumps(names, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert rfc8785.dumps(names).decode() == canonical(names)
