"""What became of a deletion, and what a search found, as a person reads it."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from documents.deletion.probes import looks_for_text
from documents.models import Deletion

#: Where a search looks, by the codes that rows and receipts keep.
PLACES: dict[str, Any] = {
    "database": gettext_lazy("Database: every text column of every table"),
    "originals": gettext_lazy("Stored files"),
    "index": gettext_lazy("Vector index, with its files"),
    "keywords": gettext_lazy("Keyword index of this host"),
    "broker": gettext_lazy("Broker: streams, messages, caches"),
    "broker_files": gettext_lazy("Files of the broker"),
    "logs": gettext_lazy("Logs"),
    "other_files": gettext_lazy("Other files of the installation"),
}
BEYOND: dict[str, Any] = {
    "chroma_files": gettext_lazy("the files of the vector index, which runs elsewhere"),
    "broker_files": gettext_lazy("the files of the broker, which runs elsewhere"),
    "object_store": gettext_lazy("other files of the object store"),
}
#: What an erasure removed, by the names it is counted under.
REMOVED: dict[str, Any] = {
    "passages": gettext_lazy("Passages"),
    "vectors_removed": gettext_lazy("Vectors in the index"),
    "files": gettext_lazy("Original files"),
    "answers": gettext_lazy("Texts of answers"),
    "citations": gettext_lazy("Quotes in citations"),
    "replays": gettext_lazy("Outputs of replays"),
    "questions": gettext_lazy("Questions that repeated it"),
    "question_vectors": gettext_lazy("Vectors of questions that repeated it"),
    "feedback": gettext_lazy("Feedback and reasons of gaps that repeated it"),
    "reasons": gettext_lazy("Reasons that repeated it"),
    "comments": gettext_lazy("Reviewers' comments that repeated it"),
    "answers_kept": gettext_lazy("Answers kept closed by the workspace's rules"),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a deletion stands: a word, a colour token of the design system, a sentence."""

    label: str
    tone: str
    sentence: str
    can_restore: bool = False


def standing_of(deletion: Deletion, *, held: bool) -> Standing:
    """How far the deletion has come; `held`: a legal hold stands over it."""
    if deletion.receipt_issued_at is not None and not looks_for_text(deletion.search["probes"]):
        return Standing(_("Erased"), "wait", _("Nothing of its text could be looked for, and the receipt says so."))
    if deletion.receipt_issued_at is not None:
        return Standing(_("Erased and proven"), "seal", _("Nothing of it was found any more, and a receipt says so."))
    if deletion.erased_at is not None and deletion.search.get("places"):
        return _searched(deletion)
    if deletion.erased_at is not None:
        return Standing(_("Erased"), "run", _("It is being looked for in every place where a copy could be."))
    if deletion.begun_at is not None:
        return Standing(_("Being erased"), "run", _("Its vectors, files and texts are being removed."))
    can_restore = deletion.version_id is None
    if held:
        return Standing(_("Held"), "wait", _("A legal hold keeps it from being erased."), can_restore)
    return Standing(_("In the bin"), "none", _("Closed to everybody, and not erased yet."), can_restore)


def _searched(deletion: Deletion) -> Standing:
    count = sum(1 for one in deletion.search["places"] if one["found"])
    if not count:
        return Standing(_("Erased"), "wait", _("Nothing of it was found. The receipt cannot be signed at the moment."))
    sentence = ngettext(
        "Something of it is still in %(count)d place.", "Something of it is still in %(count)d places.", count
    )
    return Standing(_("Still found"), "fail", sentence % {"count": count})


@dataclass(frozen=True)
class Findings:
    """What was removed, and what the last search looked at and found."""

    deletion: Deletion

    @property
    def removed(self) -> list[tuple[Any, int]]:
        return [
            (label, self.deletion.removed[name]) for name, label in REMOVED.items() if name in self.deletion.removed
        ]

    @property
    def places(self) -> list[dict[str, Any]]:
        """Each place with what was looked at there and the names where something is; never the text itself."""
        return [
            {
                "label": PLACES.get(one["place"], one["place"]),
                "looked_at": one["what"],
                "found": sorted(one["found"]),
            }
            for one in self.deletion.search.get("places", [])
        ]

    @property
    def probes(self) -> int:
        return sum(self.deletion.search.get("probes", {}).values())

    @property
    def set_aside(self) -> int:
        return int(self.deletion.search.get("set_aside", 0))

    @property
    def beyond(self) -> list[Any]:
        return [BEYOND[code] for code in self.deletion.search.get("beyond", [])]
