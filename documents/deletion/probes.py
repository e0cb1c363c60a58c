"""Phrases, bytes and vectors of what is about to be erased, by which a copy of it would be noticed afterwards.

They are taken before anything goes and kept sealed: the only readable copy must not be the one that looks for others.
"""

import base64
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from django.core.files.storage import default_storage
from django.db.models import QuerySet

from documents.models import Embedding, Passage, Version
from workspaces import secrets

#: Phrases of one deletion; they are spread over all of its text.
MOST_PHRASES = 64
#: Long enough to be nobody else's, short enough to lie in a quote.
SHORTEST, LONGEST = 24, 48
MOST_IDS = 200
MOST_VECTORS = 8
#: Of an original file, from its middle: beginnings are alike in all files of a format.
BLOB = 48
#: A phrase has no quote and no backslash, so that it reads the same inside JSON.
_RUN = re.compile(rf"[^\n\r\t\"\\]{{{SHORTEST},}}")


@dataclass(frozen=True, slots=True)
class Probes:
    """What is looked for. None of it is shown to anybody or put into a receipt."""

    phrases: tuple[str, ...] = ()
    blobs: tuple[bytes, ...] = ()
    passage_ids: tuple[str, ...] = ()
    #: Little-endian float32.
    vectors: tuple[bytes, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """How many of each kind there are."""
        return {
            "phrases": len(self.phrases),
            "file_parts": len(self.blobs),
            "passages": len(self.passage_ids),
            "vectors": len(self.vectors),
        }


def taken_from(versions: QuerySet[Version]) -> Probes:
    """Probes of these versions as they lie in the database and the file store now."""
    texts = list(versions.defer(None).values_list("text", flat=True))
    each = max(1, MOST_PHRASES // max(1, len(texts)))
    passages = Passage.objects.filter(version__in=versions.order_by().values("pk")).order_by()
    vectors = Embedding.objects.filter(passage__in=passages.values("pk")).order_by("passage_id")
    return Probes(
        phrases=tuple(dict.fromkeys(phrase for text in texts for phrase in phrases_of(text, each)))[:MOST_PHRASES],
        blobs=tuple(_blobs(versions.values_list("file", "size"))),
        passage_ids=tuple(str(pk) for pk in passages.values_list("pk", flat=True)[:MOST_IDS]),
        vectors=tuple(bytes(vector) for vector in vectors.values_list("vector", flat=True)[:MOST_VECTORS]),
    )


def phrases_of(text: str, most: int) -> list[str]:
    """Up to `most` phrases of `text`, spread evenly; each is a whole run of it, byte for byte."""
    found = list(_runs(text))
    step = max(1, len(found) // most)
    return found[::step][:most]


def looks_for_text(counts: dict[str, int]) -> bool:
    """Whether a search for so many probes of each kind could find a text at all, and not only ids and vectors."""
    return bool(counts.get("phrases") or counts.get("file_parts"))


def seal(probes: Probes) -> str:
    """The probes as they may be stored."""
    return secrets.seal(
        json.dumps(
            {
                "phrases": probes.phrases,
                "blobs": [base64.b64encode(one).decode() for one in probes.blobs],
                "passage_ids": probes.passage_ids,
                "vectors": [base64.b64encode(one).decode() for one in probes.vectors],
            }
        )
    )


def unseal(sealed: str) -> Probes:
    """The probes that were sealed. Raises CannotUnseal when no key of ours opens them."""
    said = json.loads(secrets.unseal(sealed))
    return Probes(
        tuple(said["phrases"]),
        tuple(base64.b64decode(one) for one in said["blobs"]),
        tuple(said["passage_ids"]),
        tuple(base64.b64decode(one) for one in said["vectors"]),
    )


def _runs(text: str) -> Iterator[str]:
    for match in _RUN.finditer(text):
        run = match[0].strip()
        # From the beginning of a run: quotes are whole sentences, and a phrase from a beginning lies in one of them.
        phrase = run if len(run) <= LONGEST else run[:LONGEST].rpartition(" ")[0] or run[:LONGEST]
        if len(phrase) >= SHORTEST and sum(character.isalpha() for character in phrase) >= SHORTEST // 2:
            yield phrase


def _blobs(files: Iterable[tuple[str, int]]) -> Iterator[bytes]:
    for name, size in islice(files, MOST_VECTORS):
        if not name or size < 2 * BLOB or not default_storage.exists(name):
            continue
        with default_storage.open(name) as file:
            file.seek(size // 2)
            part = file.read(BLOB)
        # A run of one byte is padding, which any file may have.
        if len(set(part)) > BLOB // 4:
            yield part
