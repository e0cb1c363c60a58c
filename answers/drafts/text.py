"""What the text of a draft and the reason of a decision must be like before they are stored."""

from django.utils.translation import gettext as _

from answers.citations.marks import MARK
from answers.exceptions import DraftError
from answers.models import Answer

MAX_TEXT_CHARACTERS = 50_000
MAX_REASON_CHARACTERS = 2_000


def marks(text: str) -> set[int]:
    """The citation numbers that `text` carries as `[n]`."""
    return {int(number) for number in MARK.findall(text)}


def require_sound(text: str, answer: Answer) -> None:
    """Raise DraftError for a text that is empty or too long, or that cites nothing or what does not exist."""
    if not text:
        raise DraftError(_("A draft cannot be empty. Reject it instead."))
    if len(text) > MAX_TEXT_CHARACTERS:
        raise DraftError(_("A draft has at most %(limit)d characters.") % {"limit": MAX_TEXT_CHARACTERS})
    if "\0" in text:
        raise DraftError(_("The text contains a character that cannot be stored."))
    cited = marks(text)
    if not cited:
        raise DraftError(_("At least one citation such as [1] must stay: an answer shows what it rests on."))
    unknown = cited - set(answer.citations.values_list("number", flat=True))
    if unknown:
        listed = ", ".join(f"[{number}]" for number in sorted(unknown))
        raise DraftError(_("%(marks)s cites nothing: this answer has no such citation.") % {"marks": listed})


def checked_reason(reason: str) -> str:
    """The reason as it is stored, or DraftError when it is too long."""
    reason = reason.replace("\0", "").strip()  # which PostgreSQL does not store
    if len(reason) > MAX_REASON_CHARACTERS:
        raise DraftError(_("A reason has at most %(limit)d characters.") % {"limit": MAX_REASON_CHARACTERS})
    return reason
