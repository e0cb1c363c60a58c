"""What somebody whose question waits is told: how many are before it, or what it waits for."""

from datetime import timedelta

from django.db.models import Count, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from answers.models import Answer
from answers.states import OPEN, WORDING, AnswerStatus

#: Until then most questions are taken up, and nobody counts.
SOON = timedelta(seconds=3)


def sentence(answer: Answer) -> str:
    """In the language that is active. One query, for a question that has waited longer than `SOON`.

    All questions of the installation stand in one line, whatever their workspace; of the others only their number is
    told.
    """
    if timezone.now() - answer.created_at >= SOON:
        rows = Answer.objects.filter(status__in=OPEN).order_by()
        found = rows.aggregate(
            before=Count("pk", filter=Q(status=AnswerStatus.WAITING, created_at__lt=answer.created_at)),
            under_way=Count("pk", filter=Q(status=AnswerStatus.WORKING, lease_until__gt=Now())),
        )
        if found["before"]:
            said = ngettext(
                "Your question is in line: %(count)d other is before it.",
                "Your question is in line: %(count)d others are before it.",
                found["before"],
            )
            return said % {"count": found["before"]}
        if found["under_way"]:
            return _("Your question is next: it is taken up once an answer that is being written is done.")
    return str(WORDING[AnswerStatus.WAITING].sentence)
