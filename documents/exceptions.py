"""What can go wrong with documents. Every message is a sentence for the person it happens to."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from workspaces.exceptions import PortalError


class DocumentError(PortalError):
    """A document cannot be added, changed or deleted as asked.

    `code` and `detail` are for those who keep it to tell it in another language (documents/sources/problems.py).
    """

    code = ""

    def __init__(self, *sentence: object, code: str = "", **detail: str | int) -> None:
        super().__init__(*sentence)
        self.code, self.detail = code or self.code, detail


class LeaseLost(Exception):
    """Another worker took this version over; whoever sees this stops and writes nothing."""


class SourceError(PortalError):
    """A source cannot be set up, changed or run as asked."""


class SourceFailed(Exception):
    """Something outside did not give what was asked of it. `documents/sources/problems.py` has the sentences.

    `code` is permanent; `detail` holds what the sentence names: never a secret, never text of a document.
    """

    def __init__(self, code: str, **detail: str | int) -> None:
        super().__init__(code)
        self.code, self.detail = code, detail


class Held(DocumentError):
    """A legal hold keeps something from being deleted."""

    code = "legal_hold"


class HoldError(DocumentError):
    """A legal hold cannot be placed or lifted as asked."""


class RetentionError(DocumentError):
    """Retention rules that cannot be set as asked."""


class RetentionFailed(PortalError):
    """Some of what retention rules no longer keep could not be deleted; everything else was.

    `faults` says of each thing by its id what kind of error kept it: a message might quote a document.
    """

    def __init__(self, faults: Sequence[tuple[object, str]]) -> None:
        super().__init__(
            _("%(count)d things that retention rules no longer keep could not be deleted: %(faults)s.")
            % {"count": len(faults), "faults": ", ".join(f"{pk} {name}" for pk, name in faults)}
        )
        self.faults = tuple(faults)


class RerankUnavailable(PortalError):
    """A reranker cannot say in which order passages answer a question; what was found keeps its order."""


class RerankError(PortalError):
    """A reranker cannot be connected, changed or chosen as asked."""
