"""What can go wrong with a change of the embedding model, as codes that are kept and sentences for a reader."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from documents.exceptions import DocumentError

SENTENCES: dict[str, str] = {
    "above_ceiling": gettext_noop(
        "%(count)d documents are classified higher than “%(name)s” may read, so their text is not sent there. Lower "
        "their classification, delete them, or choose an endpoint that takes more."
    ),
    # What the door said, in the language of whoever was there first: it names a server and a status.
    "provider": "%(sentence)s",
    "index": gettext_noop("The vector index does not answer. It is tried again by itself."),
    "exchanged": gettext_noop(
        "“%(name)s” gives other vectors for the same text than before: its model was exchanged. Vectors of two models "
        "cannot be compared, so nothing more is asked there."
    ),
    "worker_died": gettext_noop("Several attempts ended without a word. Tell the operator, then go on."),
    "not_allowed": gettext_noop("Whoever asked for this comparison may no longer open documents here."),
}


class ReembeddingError(DocumentError):
    """A change of the embedding model cannot go on as asked."""


class Stopped(Exception):
    """The work cannot go on without a person. `code` is one of SENTENCES."""

    def __init__(self, code: str, **detail: str | int) -> None:
        super().__init__(code)
        self.code, self.detail = code, detail


def sentence(code: str, detail: Mapping[str, Any]) -> str:
    """What a person reads about a problem; "" where there is none."""
    return _(SENTENCES[code]) % detail if code else ""
