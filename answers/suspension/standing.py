"""Which released answers still stand: each citation in the text rests on what its document says today.

Whoever gives an answer again, or learns from one, asks here. It is asked of the rows as they are, so that it is right
before the sweep has suspended what no longer stands.
"""

from django.db.models import CharField, Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat, StrIndex
from django.utils import timezone

from answers.models import Answer, Citation, Confirmation, StandingQuote
from answers.states import RELEASED


def is_standing(answer: Answer) -> bool:
    """Whether the answer is released and nothing it cites was deleted, replaced or expired since.

    A replaced source counts as long as a reviewer confirmed where each quote stands in the version that answers now.
    """
    return standing().filter(pk=answer.pk).exists()


def standing() -> QuerySet[Answer]:
    """The answers of which `is_standing` holds."""
    return Answer.objects.filter(~Exists(lost_citations().filter(answer=OuterRef("pk"))), status__in=RELEASED)


def lost_citations() -> QuerySet[Citation]:
    """Citations, of released texts that show them, whose document is gone, over or says something else by now."""
    lost = Q(document__deleted_at__isnull=False) | ran_out() | replaced()
    return shown(Citation.objects.filter(lost), "answer__released_text")


def replaced() -> Q:
    """Of citations: another version of the document answers now, and nobody found the quote in it."""
    found = StandingQuote.objects.filter(
        citation=OuterRef("pk"),
        version=OuterRef("document__current_version"),
        confirmation__text_sha256=OuterRef("answer__released_sha256"),
    )
    return ~Q(document__current_version=F("version")) & ~Exists(found) | Q(document__current_version=None)


def ran_out() -> Q:
    """Of citations: the document's last valid day passed after the answer was released or confirmed.

    What was let out although the document was over already was let out knowing that.
    """
    vouched = Confirmation.objects.filter(
        answer=OuterRef("answer"),
        text_sha256=OuterRef("answer__released_sha256"),
        confirmed_at__date__gt=OuterRef("document__valid_until"),
    )
    since = Q(answer__released_at__date__lte=F("document__valid_until")) & ~Exists(vouched)
    return Q(document__valid_until__lt=timezone.localdate()) & since


def shown(citations: QuerySet[Citation], text: str) -> QuerySet[Citation]:
    """Those whose mark stands in the text that the field `text` names: a reviewer may have edited one away."""
    mark = Concat(Value("["), Cast("number", CharField()), Value("]"))
    return citations.annotate(mark_at=StrIndex(text, mark)).filter(mark_at__gt=0)
