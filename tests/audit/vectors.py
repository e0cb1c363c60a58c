"""A second reading of docs/receipts.md, written from the page alone with nothing but hashlib, and its test vectors.

`python -m tests.audit.vectors` prints the vectors that docs/receipts-vectors.json holds; the tests compare them with
what the portal and the stand-alone verifier make.
"""

import base64
import hashlib
import json
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

#: The secret key of the vectors: 32 bytes, each its own position. Never a key of anything else.
KEY = base64.b64encode(bytes(range(32))).decode()

VALUES: tuple[Any, ...] = (
    {},
    {"b": 1, "a": [True, None, -7], "": {}},
    {"text": "\u20ac$\u000f\nA'B\"\\\u007f\u2028/", "n": 9007199254740991},
    # Sorted by UTF-16 units a character beyond the first plane comes before U+FB33.
    {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\u0080": 6, "\u00f6": 7},
)
LEAVES: tuple[bytes, ...] = tuple(hashlib.sha256(bytes([number])).digest() for number in range(7))


def spelled(value: Any) -> str:
    """`value` as RFC 8785 spells it, for values without fractions."""
    if isinstance(value, dict):
        units = sorted((name.encode("utf-16-be").hex(), name) for name in value)
        return "{" + ",".join(f"{spelled(name)}:{spelled(value[name])}" for _unit, name in units) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(spelled(one) for one in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def root(entries: Sequence[bytes]) -> str:
    """The Merkle tree hash exactly as RFC 9162 defines it, by recursion."""
    return _mth(list(entries)).hex()


def _mth(entries: list[bytes]) -> bytes:
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    half = _half(len(entries))
    return hashlib.sha256(b"\x01" + _mth(entries[:half]) + _mth(entries[half:])).digest()


def path(index: int, entries: list[bytes]) -> list[str]:
    """The audit path exactly as RFC 9162 defines it, by recursion."""
    if len(entries) == 1:
        return []
    half = _half(len(entries))
    if index < half:
        return [*path(index, entries[:half]), _mth(entries[half:]).hex()]
    return [*path(index - half, entries[half:]), _mth(entries[:half]).hex()]


def _half(size: int) -> int:
    half = 1
    while half * 2 < size:
        half *= 2
    return half


def rebuilt(export: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> str:
    """An export with every entry changed and every hash made to fit again: what a careful forger would hand over."""
    header, *lines = [json.loads(line) for line in export.splitlines()]
    previous = header["after_hash"]
    for line in lines:
        line["body"] = spelled(change(json.loads(line["body"])) | {"prev_hash": previous})
        previous = line["hash"] = hashlib.sha256(line["body"].encode()).hexdigest()
    header["head_hash"] = previous
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in [header, *lines])


def whole(count: int) -> str:
    """An export of a chain of so many entries, from its first on."""
    lines = [
        {"seq": seq, "hash": "", "body": json.dumps({"chain": "platform", "seq": seq})} for seq in range(1, count + 1)
    ]
    header = {
        "format": "inlock-trail-1",
        "chain": "platform",
        "after": 0,
        "after_hash": "",
        "peaks": [],
        "entries": count,
    }
    return rebuilt("\n".join(map(json.dumps, [header, *lines])), lambda body: body)


def signed(content: dict[str, Any]) -> dict[str, Any]:
    """A signed document, by the key of the vectors."""
    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(KEY))
    public = key.public_key().public_bytes_raw().hex()
    over = content | {"key": public}
    return {
        "signed": over,
        "signatures": [{"key": public, "signature": key.sign(spelled(over).encode()).hex()}],
    }


def trail() -> dict[str, Any]:
    """Three entries as an export has them, and a checkpoint of the second."""
    chain, previous, entries = "workspace:00000000-0000-4000-8000-000000000001", "", []
    for seq, reason in enumerate(("", "Због \u20ac", 'A "quoted" \\ reason'), start=1):
        body = {
            "type": "search.run",
            "actor_id": "",
            "actor_label": "system",
            "request_id": "",
            "reason": reason,
            "details": {"turn": seq},
            "id": f"00000000-0000-4000-8000-00000000010{seq}",
            "chain": chain,
            "seq": seq,
            "at": f"2026-01-01T00:00:0{seq}+00:00",
            "prev_hash": previous,
        }
        previous = hashlib.sha256(spelled(body).encode()).hexdigest()
        entries.append({"seq": seq, "hash": previous, "body": spelled(body)})
    header = {"format": "inlock-trail-1", "chain": chain, "after": 0, "after_hash": "", "peaks": [], "entries": 3}
    checkpoint = {
        "format": "inlock-checkpoint-1",
        "chain": chain,
        "seq": 2,
        "head_hash": entries[1]["hash"],
        "root": root([bytes.fromhex(str(entry["hash"])) for entry in entries[:2]]),
        "at": "2026-01-01T00:00:03+00:00",
        "previous": None,
    }
    return {"lines": [header | {"head_hash": previous}, *entries], "checkpoint": signed(checkpoint)}


def training_set() -> dict[str, Any]:
    """A training file of two examples, and the manifest that names it."""
    lines = [
        json.dumps({"messages": [{"role": "user", "content": f"{n}?"}, {"role": "assistant", "content": "Да."}]})
        for n in range(2)
    ]
    content = "".join(f"{line}\n" for line in lines)
    examples = [
        {
            "id": f"00000000-0000-4000-8000-00000000020{n}",
            "split": "train",
            "sha256": hashlib.sha256(f"{line}\n".encode()).hexdigest(),
            "answer": {"id": f"00000000-0000-4000-8000-00000000030{n}", "released_sha256": "0" * 64},
            "passages": [],
        }
        for n, line in enumerate(lines)
    ]
    file = {
        "split": "train",
        "sha256": hashlib.sha256(content.encode()).hexdigest(),
        "bytes": len(content.encode()),
        "examples": 2,
    }
    manifest = {
        "format": "inlock-training-set-1",
        "training_set": "00000000-0000-4000-8000-000000000002",
        "workspace": {"id": "00000000-0000-4000-8000-000000000001", "slug": "rules"},
        "rules": {"ceiling": "internal", "usages": ["own"], "validation_percent": 0, "instructions_sha256": "0" * 64},
        "sealed": {"at": "2026-01-01T00:00:00+00:00", "by": {"id": "1", "username": "manager"}},
        "files": [file],
        "examples": examples,
    }
    return {"content": content, "manifest": signed(manifest)}


def fresh() -> uuid.UUID:
    """An id that no other chain has."""
    return uuid.uuid4()


def made() -> dict[str, Any]:
    """The vectors, from this module alone."""
    return {
        "canonical": [
            {"value": value, "bytes": spelled(value), "sha256": hashlib.sha256(spelled(value).encode()).hexdigest()}
            for value in VALUES
        ],
        "merkle": [
            {
                "entries": [leaf.hex() for leaf in LEAVES[:size]],
                "root": root(LEAVES[:size]),
                "paths": [path(index, list(LEAVES[:size])) for index in range(size)],
            }
            for size in range(len(LEAVES) + 1)
        ],
        "signing": {"secret": KEY, "document": signed({"format": "a-test-1", "text": "\u20ac"})},
        "trail": trail(),
        "training_set": training_set(),
    }


if __name__ == "__main__":
    print(json.dumps(made(), indent=1, ensure_ascii=False))  # noqa: T201
