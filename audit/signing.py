"""Sign documents with the installation's Ed25519 key, which never lies in the database.

A signed document is `{"signed": {…}, "signatures": [{"key", "signature"}]}` in JSON. The signature is over the
canonical bytes (RFC 8785) of what stands under `signed`, which names its own format and the public key it is signed
with. docs/receipts.md tells how to check one; `audit.verifier` does so without anything of ours.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings

from audit.chain import canonical
from audit.exceptions import AuditError, SigningKeyMissing


@dataclass(frozen=True, slots=True)
class Key:
    """A key that signs; `public` is what others know it by: 64 hexadecimal digits."""

    private: Ed25519PrivateKey
    public: str

    @classmethod
    def from_text(cls, text: str) -> "Key":
        """The key whose 32 secret bytes are `text` in base64. Raises SigningKeyMissing when they are not."""
        try:
            private = Ed25519PrivateKey.from_private_bytes(base64.b64decode(text, validate=True))
        except (binascii.Error, ValueError) as error:
            raise SigningKeyMissing from error
        return cls(private, private.public_key().public_bytes_raw().hex())

    def signature(self, content: bytes) -> str:
        return self.private.sign(content).hex()


def current_key() -> Key:
    """The key that signs now. Raises SigningKeyMissing when the installation has none."""
    return Key.from_text(settings.INLOCK_SIGNING_KEY)


def key_before() -> Key | None:
    """The key that signed until it was replaced, so that it can vouch for the new one."""
    return Key.from_text(settings.INLOCK_SIGNING_KEY_BEFORE) if settings.INLOCK_SIGNING_KEY_BEFORE else None


def sign(content: Mapping[str, Any], *keys: Key) -> str:
    """A signed document with `content`, as text. Signs with the current key, or with all of `keys`, the first named."""
    signers = keys or (current_key(),)
    signed = {**content, "key": signers[0].public}
    over = canonical(signed).encode("utf-8")
    signatures = [{"key": key.public, "signature": key.signature(over)} for key in signers]
    return json.dumps({"signed": signed, "signatures": signatures}, ensure_ascii=False, indent=1)


def as_data(document: str) -> dict[str, Any]:
    """A signed document as data, to be put into another one."""
    data: dict[str, Any] = json.loads(document)
    return data


def opened(document: str) -> tuple[dict[str, Any], frozenset[str]]:
    """What a signed document says, and the public keys whose signatures on it hold. Raises ValueError for no document.

    Whether one of these keys deserves trust is the caller's question.
    """
    try:
        envelope = json.loads(document)
        signed, signatures = envelope["signed"], envelope["signatures"]
        over = canonical(signed).encode("utf-8")
        return signed, frozenset(str(one["key"]) for one in signatures if _holds(one, over))
    except (KeyError, TypeError, AttributeError, AuditError) as error:
        raise ValueError("This is not a signed document.") from error


def _holds(signature: Mapping[str, Any], over: bytes) -> bool:
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(signature["key"]))
        public.verify(bytes.fromhex(signature["signature"]), over)
    except (InvalidSignature, ValueError):
        return False
    return True
