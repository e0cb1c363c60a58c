"""The manifest of a training set: from each passage over answer and example to the hash of the file, signed.

It holds ids and hashes alone, so it can be kept, and be given away, when every text of it is gone.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from answers.exceptions import TrainingError
from answers.models import Evidence, TrainingExample, TrainingFile, TrainingSet
from audit import signing
from audit.chain import digest
from audit.exceptions import SigningKeyMissing

FORMAT = "inlock-training-set-1"


def sign(training_set: TrainingSet, examples: Sequence[TrainingExample], files: Sequence[TrainingFile]) -> str:
    """The signed manifest of what is about to be sealed. Raises TrainingError where nothing can be signed."""
    rests = _passages(examples)
    sealed_by = training_set.sealed_by
    content: dict[str, Any] = {
        "format": FORMAT,
        "training_set": str(training_set.pk),
        "workspace": {"id": str(training_set.workspace_id), "slug": training_set.workspace.slug},
        "rules": {
            "ceiling": training_set.ceiling,
            "usages": training_set.usages,
            "validation_percent": training_set.validation_percent,
            "instructions_sha256": digest(training_set.instructions),
        },
        "sealed": {
            "at": training_set.sealed_at.isoformat() if training_set.sealed_at else "",
            "by": {"id": str(sealed_by.pk), "username": sealed_by.get_username()} if sealed_by else {},
        },
        "files": [
            {"split": file.split, "sha256": file.sha256, "bytes": file.size, "examples": file.examples}
            for file in files
        ],
        "examples": [
            {
                "id": str(one.pk),
                "split": one.split,
                "sha256": one.sha256,
                "answer": {"id": str(one.answer_id), "released_sha256": one.released_sha256},
                "passages": rests[one.answer_id],
            }
            for one in examples
        ],
    }
    try:
        return signing.sign(content)
    except SigningKeyMissing as error:
        raise TrainingError(_("This installation has no key to sign the manifest with.")) from error


def _passages(examples: Sequence[TrainingExample]) -> dict[UUID, list[dict[str, str]]]:
    rests: dict[UUID, list[dict[str, str]]] = defaultdict(list)
    evidence = Evidence.objects.filter(answer__in=[one.answer_id for one in examples]).order_by("answer", "rank")
    for answer_id, passage, sha256, document, version in evidence.values_list(
        "answer", "passage_id", "sha256", "document", "version"
    ):
        rests[answer_id].append(
            {"id": str(passage), "sha256": sha256, "document": str(document), "version": str(version)}
        )
    return rests
