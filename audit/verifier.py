"""Verify Inlock's trail exports, archives, checkpoints, receipts, manifests and evidence packs, without Inlock.

    python verifier.py [--key PUBLIC_KEY]... [--text ANSWER.txt] [--training FILE]... [--complete] [--json] FILE...

Needs Python 3.11 and the package `cryptography`, and shares no code with the portal: docs/receipts.md describes the
formats it reads. Files that belong together (a trail and its checkpoints) are best given together. It exits with 0 when
everything holds, 1 when something does not, 2 when a file is none of these.

A signature proves who signed only as far as you know the key: give the operator's public key with --key, from a place
other than the files. Without it the files are compared with each other, and the keys are named for you to check.
"""

import argparse
import hashlib
import io
import json
import sys
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

TRAIL, CHECKPOINT, RECEIPT = "inlock-trail-1", "inlock-checkpoint-1", "inlock-receipt-1"
PACK, ARCHIVE, DELETION = "inlock-pack-1", "inlock-archive-1", "inlock-deletion-1"
READINESS, TRAINING_SET = "inlock-readiness-1", "inlock-training-set-1"


class NotOurs(Exception):
    """A file that is none of the formats, or not even JSON."""


# --- JSON and hashes ----------------------------------------------------------------------------------------


def parsed(text: str) -> Any:
    """`text` as data. What two readers could read differently is refused: repeated names, fractions, huge numbers."""

    def whole(digits: str) -> int:
        if abs(int(digits)) > 2**53 - 1:
            raise NotOurs(f"The number {digits[:20]} is too large to mean the same everywhere.")
        return int(digits)

    def refused(number: str) -> Any:
        raise NotOurs(f"{number} is not a whole number.")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({name for name, _value in pairs}) != len(pairs):
            raise NotOurs("A name stands twice in one object.")
        return dict(pairs)

    try:
        return json.loads(text, object_pairs_hook=once, parse_float=refused, parse_constant=refused, parse_int=whole)
    except (ValueError, RecursionError) as error:
        raise NotOurs(f"This is not JSON: {error}") from error


def canonical(value: Any) -> bytes:
    """The bytes that are signed (RFC 8785, without fractions): names sorted by UTF-16 units, no white space."""
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be", "surrogatepass"))
        return b"{" + b",".join(canonical(name) + b":" + canonical(value[name]) for name in names) + b"}"
    if isinstance(value, list):
        return b"[" + b",".join(map(canonical, value)) + b"]"
    try:
        return json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise NotOurs("A text holds half of a character.") from error


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


class Tree:
    """The Merkle tree of RFC 9162 over entries' hashes, as the roots of its perfect subtrees."""

    def __init__(self, size: int, peaks: Iterable[bytes]) -> None:
        self.size, self.peaks = size, list(peaks)
        if bin(size).count("1") != len(self.peaks):
            raise NotOurs("The tree that this export continues has the wrong number of peaks.")

    def add(self, entry: bytes) -> None:
        node = sha256(b"\0" + entry)
        for height in range(self.size.bit_length()):
            if not self.size >> height & 1:
                break
            node = sha256(b"\1" + self.peaks.pop() + node)
        self.peaks.append(node)
        self.size += 1

    def root(self) -> bytes:
        if not self.peaks:
            return sha256(b"")
        *lefts, node = self.peaks
        while lefts:
            node = sha256(b"\1" + lefts.pop() + node)
        return node


def root_from_path(entry: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    """The root that `path` leads to from entry `index` of `size` (RFC 9162, 2.1.3.2); None when it cannot."""
    if not 0 <= index < size:
        return None
    node, at, last = sha256(b"\0" + entry), index, size - 1
    for sibling in path:
        if last == 0:
            return None
        if at & 1 or at == last:
            node = sha256(b"\1" + sibling + node)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            node = sha256(b"\1" + node + sibling)
        at, last = at >> 1, last >> 1
    return node if last == 0 else None


# --- What was found -----------------------------------------------------------------------------------------


@dataclass
class Report:
    """What was verified, what does not hold (chain, number, kind, sentence), and what a person should still check."""

    verified: list[str] = field(default_factory=list)
    faults: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def fault(self, where: str, seq: int, kind: str, sentence: str) -> None:
        self.faults.append({"where": where, "seq": seq, "kind": kind, "sentence": sentence})


@dataclass
class Verifier:
    """Files given together: signed documents first, because trails are compared with them."""

    keys: frozenset[str]
    text_sha256: str = ""
    complete: bool = False
    #: Files that somebody was trained on, by name, to compare with the manifests of training sets.
    training: tuple[tuple[str, bytes], ...] = ()
    report: Report = field(default_factory=Report)
    checkpoints: dict[str, dict[int, dict[str, Any]]] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    heads: dict[str, tuple[int, str]] = field(default_factory=dict)
    ends: dict[str, tuple[str, int]] = field(default_factory=dict)
    #: Trails of archives, which are read with those that were given beside them.
    archived: list[tuple[str, BinaryIO]] = field(default_factory=list)
    #: What archives say of their last entry: chain and number → hash.
    told: dict[tuple[str, int], str] = field(default_factory=dict)
    #: The parts of each chain that were read: the entry a part begins behind, and its entries' hashes, 32 bytes each.
    passed: dict[str, list[tuple[int, bytearray]]] = field(default_factory=dict)

    def run(self, sources: list[tuple[str, BinaryIO]]) -> Report:
        trails = [source for source in sources if not self._take(*source)]
        trails += self.archived
        self._check_keys()
        for name, stream in sorted(trails, key=lambda source: _after(source[1])):
            self._trail(name, _lines(stream))
        for chain, (name, seq) in self.ends.items():
            self._compare_length(chain, name, seq)
        for key in sorted(self.unknown):
            self.report.notes.append(f"Signed with {key}: compare this key with the one the operator published.")
        return self.report

    def _take(self, name: str, stream: BinaryIO) -> bool:
        """Verify a signed document or a pack; False for a trail, which waits."""
        if stream.read(4) == b"PK\x03\x04":
            self._pack(name, stream)
            return True
        stream.seek(0)
        first = stream.readline()
        stream.seek(0)
        if first.lstrip().startswith(b"{") and f'"{TRAIL}"'.encode() in first:
            return False
        document = parsed(_utf8(stream.read()))
        signed = self._signed(name, document)
        if signed is not None:
            if signed.get("format") == CHECKPOINT:
                self._checkpoint(name, signed, document)
            elif signed.get("format") == RECEIPT:
                self._receipt(name, signed)
            elif signed.get("format") == DELETION:
                self._deletion(name, signed)
            elif signed.get("format") == READINESS:
                self._readiness(name, signed)
            elif signed.get("format") == TRAINING_SET:
                self._training_set(name, signed)
            else:
                raise NotOurs(f"The format is {str(signed.get('format'))[:40]!r}.")
        return True

    # --- Signatures ---

    def _signed(self, name: str, document: Any) -> dict[str, Any] | None:
        """What a document says if its own key signed exactly that; None, and a fault, if not."""
        if not isinstance(document, dict) or not isinstance(document.get("signed"), dict):
            raise NotOurs("This is not a signed document.")
        signed, key = document["signed"], str(document["signed"].get("key"))
        if key not in signers(document):
            self.report.fault(name, 0, "unsigned", "The signature does not fit what is signed.")
            return None
        if signed.get("format") != CHECKPOINT:
            self._trust(name, key)
        return signed

    def _trust(self, name: str, key: str) -> None:
        if not self.keys:
            self.unknown.add(key)
        elif key not in self.keys:
            self.report.fault(name, 0, "unsigned", f"It is signed with {key}, which is not a key you gave.")

    def _checkpoint(self, name: str, signed: dict[str, Any], document: Any) -> None:
        seq = signed.get("seq")
        if not isinstance(seq, int) or not isinstance(signed.get("chain"), str):
            raise NotOurs("This checkpoint names no chain or no number.")
        there = self.checkpoints.setdefault(signed["chain"], {})
        if seq in there and there[seq]["signed"]["root"] != signed["root"]:
            self.report.fault(signed["chain"], seq, "replaced", "Two checkpoints of the same number differ.")
        there[seq] = document
        self.report.verified.append(f"{name}: checkpoint of {signed['chain']} at entry {seq}")

    def _check_keys(self) -> None:
        """A change of key between checkpoints of a chain must be signed by the key before, or be to one you gave."""
        for chain, documents in self.checkpoints.items():
            before = ""
            for seq, document in sorted(documents.items()):
                key = document["signed"]["key"]
                if before and key != before and before not in signers(document) and key not in self.keys:
                    sentence = f"From entry {seq} on another key signs, and the one before did not vouch for it."
                    self.report.fault(chain, seq, "unsigned", sentence)
                before = key
            self._trust_chain(chain, before, documents)

    def _trust_chain(self, chain: str, last: str, documents: dict[int, Any]) -> None:
        used = {document["signed"]["key"] for document in documents.values()}
        if not self.keys:
            self.unknown.add(last)
        elif not used & self.keys:
            self.report.fault(chain, min(documents), "unsigned", "No checkpoint is signed with a key you gave.")

    # --- Trails ---

    def _trail(self, name: str, lines: Iterator[str]) -> None:
        header = parsed(next(lines))
        chain, seq, previous = header["chain"], header["after"], header["after_hash"]
        tree = Tree(seq, map(bytes.fromhex, header["peaks"]))
        known = self.heads.get(chain)
        overlaps = known is not None and seq < known[0] and (not seq or _hex(previous) in self._there(chain, seq))
        if known and known != (seq, previous) and not overlaps:
            self.report.fault(chain, seq + 1, "missing", f"{name} does not continue the part that was given before it.")
        elif seq and not known:
            self.report.notes.append(f"{name} begins behind entry {seq}: what stands before it was not given.")
        signed = self.checkpoints.get(chain, {})
        began, count, hashes = len(self.report.faults), 0, bytearray()
        self._against(chain, tree, signed, began)
        for line in lines:
            entry = parsed(line)
            count += 1
            seq, previous = self._entry(chain, entry, seq, previous)
            tree.add(_hex(entry["hash"]))
            if len(self.report.faults) == began:
                hashes += _hex(previous)
                self._compare(chain, name, seq, _hex(previous))
            if self.told.get((chain, seq), previous) != previous and len(self.report.faults) == began:
                self.report.fault(chain, seq, "replaced", f"Entry {seq} is not the one the archive says it ends with.")
            self._against(chain, tree, signed, began)
        if count != header["entries"]:
            sentence = f"The export says {header['entries']} entries and has {count}."
            self.report.fault(chain, seq + 1, "shortened" if count < header["entries"] else "inserted", sentence)
        elif previous != header["head_hash"] and len(self.report.faults) == began:
            self.report.fault(chain, seq, "changed", "The last entry is not the one that the export's head names.")
        self.passed.setdefault(chain, []).append((header["after"], hashes))
        if known is None or seq >= known[0]:
            self.heads[chain] = (seq, previous)
            self.ends[chain] = (name, seq)
        compared = sum(header["after"] <= number <= seq for number in signed)
        if not compared:
            self.report.notes.append(f"{name} is whole in itself; no checkpoint given says that it was ever like this.")
        self.report.verified.append(f"{name}: {count} entries of {chain}, compared with {compared} checkpoints")

    def _compare(self, chain: str, name: str, seq: int, sha256: bytes) -> None:
        """Where parts overlap, each entry must be the same in both."""
        if any(there != sha256 for there in self._there(chain, seq)):
            self.report.fault(chain, seq, "replaced", f"{name} has another entry {seq} than the part before it.")

    def _there(self, chain: str, seq: int) -> list[bytes]:
        """The hashes of entry `seq` in the parts that were read."""
        parts = ((hashes, 32 * (seq - after - 1)) for after, hashes in self.passed.get(chain, ()))
        return [bytes(hashes[at : at + 32]) for hashes, at in parts if 0 <= at < len(hashes)]

    def _entry(self, chain: str, entry: dict[str, Any], seq: int, previous: str) -> tuple[int, str]:
        """Check one entry behind entry `seq` with hash `previous`; return its own number and hash."""
        number, said, fault = entry["seq"], entry["hash"], self.report.fault
        if number == seq:
            fault(chain, number, "duplicated", f"Two entries carry the number {number}.")
        elif number != seq + 1:
            fault(chain, min(number, seq + 1), "missing" if number > seq else "reordered", f"{number} follows {seq}.")
        if hashlib.sha256(entry["body"].encode("utf-8", "surrogatepass")).hexdigest() != said:
            fault(chain, number, "changed", f"The content of entry {number} does not match its hash.")
            return number, said
        try:
            body = parsed(entry["body"])
            written, where, after = body["seq"], body["chain"], body["prev_hash"]
        except (NotOurs, KeyError, TypeError):
            fault(chain, number, "changed", f"The content of entry {number} is not what the portal writes.")
            return number, said
        if (written, where) != (number, chain):
            fault(chain, number, "reordered", f"Entry {number} was written as entry {written} of {where}.")
        elif after != previous and number == seq + 1:
            # The entry itself fits its hash: it is the one before that was put in another's place.
            fault(chain, max(seq, 1), "changed", f"Entry {number} was not written after this entry {seq}.")
        return number, said

    def _against(self, chain: str, tree: Tree, signed: dict[int, Any], began: int) -> None:
        document = signed.get(tree.size)
        if document and len(self.report.faults) == began and tree.root().hex() != document["signed"]["root"]:
            sentence = f"The entries up to {tree.size} are not those that were signed in the checkpoint."
            self.report.fault(chain, tree.size, "replaced", sentence)

    def _compare_length(self, chain: str, name: str, seq: int) -> None:
        """An export that ends before a checkpoint was made earlier, or was cut: only who asked for it knows."""
        last = max(self.checkpoints.get(chain, {}), default=0)
        if last > seq and self.complete:
            sentence = f"{name} ends at {seq}, and a checkpoint was signed when the chain had {last} entries."
            self.report.fault(chain, seq + 1, "shortened", sentence)
        elif last > seq:
            self.report.notes.append(
                f"{name} ends at {seq}: what the checkpoint at {last} covers beyond was not given."
            )

    # --- Receipts ---

    def _receipt(self, name: str, signed: dict[str, Any]) -> None:
        began = len(self.report.faults)
        facts = self._facts(name, signed)
        if facts is None:
            return
        for sentence in contradictions(signed, facts):
            self.report.fault(name, 0, "contradicted", sentence)
        if self.text_sha256 and self.text_sha256 != signed["text"]["sha256"]:
            self.report.fault(name, 0, "changed", "The text you gave is not the one that was released.")
        if len(self.report.faults) == began:
            self.report.verified.append(
                f"{name}: receipt of answer {signed['answer']}, {len(facts)} entries in the chain"
            )

    def _deletion(self, name: str, signed: dict[str, Any]) -> None:
        began = len(self.report.faults)
        facts = self._facts(name, signed)
        if facts is None:
            return
        for sentence in contradicted_deletion(signed, facts):
            self.report.fault(name, 0, "contradicted", sentence)
        if not any(signed["searched"]["probes"].get(kind) for kind in ("phrases", "file_parts")):
            self.report.notes.append(f"{name}: nothing of the text could be looked for, so nothing found says little.")
        if len(self.report.faults) == began:
            what = f"{len(signed['versions'])} versions of {signed['document']['id']}"
            self.report.verified.append(f"{name}: receipt of the deletion of {what}, {len(facts)} entries in the chain")

    def _readiness(self, name: str, signed: dict[str, Any]) -> None:
        began = len(self.report.faults)
        facts = self._facts(name, signed)
        if facts is None:
            return
        for sentence in contradicted_readiness(signed, facts):
            self.report.fault(name, 0, "contradicted", sentence)
        if len(self.report.faults) == began:
            verdict = "go" if signed["is_go"] else "no go"
            what = f"{verdict} for {signed['workspace']['slug']} by {len(signed['results'])} checks"
            self.report.verified.append(f"{name}: report of readiness, {what}, {len(facts)} entries in the chain")

    def _training_set(self, name: str, signed: dict[str, Any]) -> None:
        began, examples = len(self.report.faults), signed["examples"]
        for sentence in contradicted_training_set(signed):
            self.report.fault(name, 0, "contradicted", sentence)
        for file, content in self.training:
            for sentence in foreign_lines(signed, file, content):
                self.report.fault(name, 0, "changed", sentence)
        if len(self.report.faults) == began:
            what = f"{len(examples)} examples in {len(signed['files'])} files, compared with {len(self.training)}"
            self.report.verified.append(f"{name}: manifest of training set {signed['training_set']}, {what}")

    def _facts(self, name: str, signed: dict[str, Any]) -> list[dict[str, Any]] | None:
        """The entries a receipt carries that are in the chain its checkpoint signs; None without a checkpoint."""
        checkpoint = self._signed(name, signed["checkpoint"])
        if checkpoint is None:
            return None
        self._trust(name, str(checkpoint["key"]))
        bodies = [self._included(name, event, checkpoint) for event in signed["events"]]
        return [body for body in bodies if body is not None]

    def _included(self, name: str, event: dict[str, Any], checkpoint: dict[str, Any]) -> dict[str, Any] | None:
        """The content of an event that is in the checkpoint's tree, or None and a fault."""
        digest = sha256(event["body"].encode("utf-8"))
        path = [_hex(one) for one in event["path"]]
        root = root_from_path(digest, event["seq"] - 1, checkpoint["seq"], path)
        body = parsed(event["body"])
        if root is None or root.hex() != checkpoint["root"]:
            self.report.fault(name, event["seq"], "changed", "An entry is not in the chain that was signed.")
            return None
        if (body["seq"], body["chain"]) != (event["seq"], checkpoint["chain"]):
            self.report.fault(name, event["seq"], "reordered", "An entry was written under another number.")
            return None
        return body

    # --- Evidence packs ---

    def _pack(self, name: str, stream: BinaryIO) -> None:
        with zipfile.ZipFile(stream) as archive:
            names = archive.namelist()
            if "manifest.json" not in names or len(set(names)) != len(names):
                raise NotOurs("This archive has no manifest, or a name stands in it twice.")
            manifest = self._signed(name, parsed(_utf8(archive.read("manifest.json"))))
            if manifest is None:
                return
            if manifest.get("format") not in {PACK, ARCHIVE}:
                raise NotOurs("This is neither an evidence pack nor an archive.")
            listed = {one["name"]: one["sha256"] for one in manifest["files"]}
            for extra in sorted(set(names) - set(listed) - {"manifest.json"}):
                self.report.fault(name, 0, "inserted", f"{extra} is not in the manifest.")
            for member, said in listed.items():
                if member not in names:
                    self.report.fault(name, 0, "missing", f"{member} is gone.")
                elif hashlib.sha256(archive.read(member)).hexdigest() != said:
                    self.report.fault(name, 0, "changed", f"{member} is not the file that was signed.")
            folders = ("trail/", "checkpoints/", "receipts/")
            parts = [(one, io.BytesIO(archive.read(one))) for one in listed if one.startswith(folders) and one in names]
            if manifest["format"] == ARCHIVE:
                self.told[manifest["chain"], manifest["upto"]] = manifest["head_hash"]
                self.archived += [(f"{name}: {part}", stream) for part, stream in parts if not self._take(part, stream)]
                self.report.verified.append(f"{name}: archive of {manifest['chain']} up to entry {manifest['upto']}")
                return
            Verifier(self.keys, complete=True, report=self.report).run(parts)
            self.report.verified.append(f"{name}: evidence pack of {len(listed)} files")


def contradictions(receipt: dict[str, Any], facts: list[dict[str, Any]]) -> Iterator[str]:
    """Where a receipt says something else than the entries of the trail that it carries."""
    of_answer = [fact for fact in facts if fact.get("object_id") == receipt["answer"]]
    released = [fact for fact in of_answer if fact["type"] == "answer.released"]
    made = [
        fact
        for fact in of_answer
        if fact["type"] in {"answer.released", "answer.held"} and "citations" in fact["details"]
    ]
    if not released or not made:
        yield "No entry of the trail says that this answer was made and released."
        return
    if released[-1]["details"].get("text_sha256") != receipt["text"]["sha256"]:
        yield "The trail names another text as the one that was released."
    details = made[-1]["details"]
    for what, said, recorded in (
        ("question", receipt["question"]["sha256"], details.get("question_sha256")),
        ("model", receipt["model"]["endpoint"], details.get("endpoint")),
        ("prompt", receipt["prompt"]["sha256"], details.get("prompt_sha256")),
        ("model's output", receipt["model"]["output_sha256"], details.get("output_sha256")),
    ):
        if said != recorded:
            yield f"The trail names another {what}."
    cited = {(one["version"], one["start"], one["end"], one["quote_sha256"]) for one in details["citations"]}
    sources = released[-1]["details"].get("sources", {})
    for one in receipt["citations"]:
        version = one["version"]
        if (version["id"], one["start"], one["end"], one["quote_sha256"]) not in cited:
            yield f"Citation {one['number']} is not one that the trail names."
        if "quote" in one and sha256(one["quote"].encode()).hex() != one["quote_sha256"]:
            yield f"The quote of citation {one['number']} does not match its hash."
        if sources.get(version["id"], version["sha256"]) != version["sha256"]:
            yield f"Citation {one['number']} names another file than the one that was reviewed."
    approvals = [fact for fact in facts if fact["type"] in {"draft.approved", "draft.approved_once"}]
    decided = {(fact["actor_id"], fact["details"].get("text_sha256")) for fact in approvals}
    for review in receipt["reviews"]:
        if review["decision"] == "approved" and (review["by"]["id"], review["text_sha256"]) not in decided:
            yield "A review is not one that the trail names."


def contradicted_deletion(receipt: dict[str, Any], facts: list[dict[str, Any]]) -> Iterator[str]:
    """Where the receipt of a deletion says something else than the entries of the trail that it carries."""
    told = {fact["type"]: fact["details"] for fact in facts if fact["details"].get("deletion") == receipt["deletion"]}
    act = "document.deleted" if receipt["whole_document"] else "version.deleted"
    missing = {act, "document.erased", "document.traces_searched"} - set(told)
    if missing:
        yield f"No entry of the trail says {' and '.join(sorted(missing))}."
        return
    about = {fact["object_id"] for fact in facts if fact["type"] == "document.erased"}
    if about != {receipt["document"]["id"]}:
        yield "The trail names another document as the one that was erased."
    if {one["id"]: one["sha256"] for one in receipt["versions"]} != told[act].get("versions"):
        yield "The trail names other versions as those that were deleted."
    erased, searched = told["document.erased"], told["document.traces_searched"]
    if any(erased.get(name) != count for name, count in receipt["erased"]["removed"].items()):
        yield "The trail counts other things as removed."
    said = receipt["searched"]
    if searched.get("found") or any(one["found"] for one in said["places"]):
        yield "The last search still found something."
    if {one["place"]: one["looked_at"] for one in said["places"]} != searched.get("places"):
        yield "The trail names other places as those that were searched."
    if said["probes"] != searched.get("probes") or said["set_aside"] != searched.get("set_aside"):
        yield "The trail names other things as those that were looked for."
    deleted = next(fact for fact in facts if fact["type"] == act)
    if receipt["deleted"]["by"]["id"] != deleted["actor_id"] or receipt["deleted"]["reason"] != deleted["reason"]:
        yield "The trail names another person or reason for the deletion."


def contradicted_readiness(report: dict[str, Any], facts: list[dict[str, Any]]) -> Iterator[str]:
    """Where a report of readiness says something else than the entry of the trail that it carries, or than itself."""
    told = [
        fact["details"]
        for fact in facts
        if fact["type"] == "readiness.checked" and fact.get("object_id") == report["readiness"]
    ]
    if not told:
        yield "No entry of the trail says that this check was made."
        return
    results = report["results"]
    if sha256(canonical({"results": results})).hex() != told[-1].get("results_sha256"):
        yield "The trail names other results than those of the report."
    if (report["is_go"], report["score"]) != (told[-1].get("is_go"), told[-1].get("score")):
        yield "The trail names another verdict."
    blocks = [one["code"] for one in results if one["outcome"] == "block"]
    if blocks != told[-1].get("blocks") or report["is_go"] == bool(blocks):
        yield "The verdict does not follow from the results."
    for one in results:
        if one["sentence"] % one["facts"] != report["sentences"].get(one["code"]):
            yield f"The sentence of {one['code']} is not what was found."


def contradicted_training_set(manifest: dict[str, Any]) -> Iterator[str]:
    """Where the manifest of a training set says something else than itself."""
    splits = [one["split"] for one in manifest["files"]]
    if len(set(splits)) != len(splits) or {one["split"] for one in manifest["examples"]} != set(splits):
        yield "The files are not those of its examples."
    for file in manifest["files"]:
        count = sum(one["split"] == file["split"] for one in manifest["examples"])
        if count != file["examples"]:
            yield f"The file “{file['split']}” is said to hold {file['examples']} examples, and {count} are named."
    if len({one["id"] for one in manifest["examples"]}) != len(manifest["examples"]):
        yield "An example is named twice."


def foreign_lines(manifest: dict[str, Any], name: str, content: bytes) -> Iterator[str]:
    """Where a file is none that the manifest names, and the first line by which it is not."""
    digest = hashlib.sha256(content).hexdigest()
    if any((file["sha256"], file["bytes"]) == (digest, len(content)) for file in manifest["files"]):
        split = next(file["split"] for file in manifest["files"] if file["sha256"] == digest)
        said = [one["sha256"] for one in manifest["examples"] if one["split"] == split]
        found = [hashlib.sha256(line).hexdigest() for line in content.splitlines(keepends=True)]
        if found != said:
            yield f"{name} is the file that was sealed, and the examples named are not its lines."
        return
    known = {one["sha256"] for one in manifest["examples"]}
    lines = enumerate(content.splitlines(keepends=True), 1)
    odd = next((number for number, line in lines if hashlib.sha256(line).hexdigest() not in known), None)
    where = "lines are missing, or stand elsewhere" if odd is None else f"line {odd} is no example of it"
    yield f"{name} is not a file of this training set: {where}."


def signers(document: dict[str, Any]) -> set[str]:
    """The keys whose signatures on the document hold."""
    over = canonical(document["signed"])
    return {one["key"] for one in document.get("signatures", []) if _holds(one, over)}


def _holds(signature: Any, over: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(signature["key"])).verify(
            bytes.fromhex(signature["signature"]), over
        )
    except (InvalidSignature, ValueError, KeyError, TypeError):
        return False
    return True


def _hex(text: Any) -> bytes:
    try:
        return bytes.fromhex(text)
    except (ValueError, TypeError):
        return b""


def _utf8(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotOurs("This is not text in UTF-8.") from error


def _lines(stream: BinaryIO) -> Iterator[str]:
    stream.seek(0)
    return (_utf8(line) for line in stream if line.strip())


def _after(stream: BinaryIO) -> int:
    stream.seek(0)
    after = parsed(_utf8(stream.readline())).get("after")
    return after if isinstance(after, int) else 0


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Verify trail exports, checkpoints, receipts and evidence packs.")
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--key", action="append", default=[], help="a public key you trust (64 hexadecimal digits)")
    parser.add_argument("--text", metavar="FILE", help="an answer's text, to compare with its receipt")
    parser.add_argument(
        "--training", action="append", default=[], metavar="FILE", help="a training file, to compare with its manifest"
    )
    parser.add_argument("--complete", action="store_true", help="the trail ought to reach every checkpoint given")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args(arguments)
    try:
        text = Path(options.text).read_bytes() if options.text else b""
        sha = hashlib.sha256(text).hexdigest() if options.text else ""
        training = tuple((name, Path(name).read_bytes()) for name in options.training)
        verifier = Verifier(frozenset(options.key), sha, options.complete, training)
        with ExitStack() as opened:
            report = verifier.run([(name, opened.enter_context(Path(name).open("rb"))) for name in options.files])
    except (NotOurs, OSError, zipfile.BadZipFile, KeyError, TypeError, AttributeError, ValueError) as error:
        print(f"Cannot be read: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps({"holds": not report.faults, **vars(report)}, indent=1))
    else:
        for line in (*report.verified, *(f"NOTE {note}" for note in report.notes)):
            print(line)
        for one in report.faults:
            print(f"DOES NOT HOLD {one['where']} {one['seq'] or ''} {one['kind']}: {one['sentence']}")
        print("Everything holds." if not report.faults else f"{len(report.faults)} faults.")
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
