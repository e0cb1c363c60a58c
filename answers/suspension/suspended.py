"""Say why a released answer is closed: which document, what became of it, since when and through whom."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from answers.models import Answer, GroundLost, Suspension
from answers.states import AnswerStatus
from documents.deletion import told
from workspaces.models import User

_BY_SOMEBODY = {
    GroundLost.DELETED: gettext_lazy("%(name)s was deleted on %(when)s by %(who)s."),
    GroundLost.RECLASSIFIED: gettext_lazy("%(name)s was classified higher on %(when)s by %(who)s."),
}
_BY_ITSELF = {
    GroundLost.REPLACED: gettext_lazy("%(name)s has had a newer version since %(when)s."),
    GroundLost.EXPIRED: gettext_lazy("%(name)s was valid until %(until)s."),
}


def in_words(suspension: Suspension, *, to: User) -> str:
    """What happened to which document, when and by whom; named to whom it was not closed."""
    return _sentence(suspension, is_named=bool(_named([suspension], to)))


def standing_of(answer: Answer) -> list[Suspension]:
    """What keeps the answer closed now, oldest first; nothing where it is not suspended."""
    if answer.status != AnswerStatus.SUSPENDED:
        return []
    return list(answer.suspensions.filter(ended_at=None).select_related("document", "suspended_by"))


def sentences_for(answers: Iterable[Answer], *, to: User) -> dict[UUID, list[str]]:
    """What keeps each suspended one of `answers` closed, oldest first: two queries, however many there are."""
    ids = [answer.pk for answer in answers if answer.status == AnswerStatus.SUSPENDED]
    rows = Suspension.objects.filter(answer__in=ids, ended_at=None).select_related("document", "suspended_by")
    standing = list(rows)
    named = _named(standing, to)
    found: dict[UUID, list[str]] = {}
    for suspension in standing:
        is_named = suspension.document_id in named
        found.setdefault(suspension.answer_id, []).append(_sentence(suspension, is_named=is_named))
    return found


def as_documents(answer: Answer, *, to: User) -> list[dict[str, Any]]:
    """The reasons as programs get them: a code, the moment, the document where it is open to `to`, and a sentence."""
    standing = standing_of(answer)
    named = _named(standing, to)
    return [
        {
            "reason": suspension.reason,
            "document": suspension.document_id if suspension.document_id in named else None,
            "since": suspension.suspended_at,
            "sentence": _sentence(suspension, is_named=suspension.document_id in named),
        }
        for suspension in standing
    ]


# --- Inside -------------------------------------------------------------------------------------------------


def _named(suspensions: Iterable[Suspension], to: User) -> frozenset[UUID]:
    """Those of their documents that are named to the person."""
    ids = {suspension.document_id for suspension in suspensions}
    return frozenset(told.named_to(to).filter(pk__in=ids).values_list("pk", flat=True) if ids else ())


def _sentence(suspension: Suspension, *, is_named: bool) -> str:
    document = suspension.document
    sentence = {**_BY_SOMEBODY, **_BY_ITSELF}[GroundLost(suspension.reason)]
    return str(sentence) % {
        "name": f"“{document.title}”" if is_named else _("A document"),
        "when": _day(suspension.suspended_at),
        "until": date_format(document.valid_until or suspension.suspended_at, "DATE_FORMAT"),
        "who": suspension.suspended_by.name if suspension.suspended_by else _("the workspace's retention rules"),
    }


def _day(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "DATE_FORMAT")
