"""Which gaps a person may know of, and which of their questions they may read."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Case, CharField, Count, Exists, F, Max, OuterRef, Q, QuerySet, Value, When
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from answers.models import Evidence, Gap, GapQuestion, GapState
from answers.querysets import evidence_closed_to, rests_on_open
from workspaces import access
from workspaces.models import User
from workspaces.notifications.registry import Kind, describe
from workspaces.roles import Action


def gaps_open_to(user: User) -> QuerySet[Gap]:
    """Gaps of workspaces whose documents `user` manages, and those assigned to them while they may add documents."""
    assigned = Q(access.where_allowed(user, Action.ADD), assigned_to=user)
    return Gap.objects.filter(access.where_allowed(user, Action.MANAGE_DOCUMENTS) | assigned)


def questions_in(gap: Gap, *, to: User) -> QuerySet[GapQuestion]:
    """The questions of a gap that `to` may read: not those whose answer rests on what is closed to them.

    A question without evidence rests on nothing; one that got an answer may repeat what stands in its sources. Of a
    follow-up, `understood_as` is what it was understood as, where all that the turns before it rest on is open, too:
    it is made of their words.
    """
    rows = GapQuestion.objects.filter(rests_on_open(to, "answer"), gap=gap).select_related("answer__question", "asker")
    return rows.annotate(
        understood_as=Case(
            When(Exists(_closed_before(to)), then=Value("")), default=F("answer__asked_as"), output_field=CharField()
        )
    )


def _closed_before(to: User) -> QuerySet[Evidence]:
    """Correlated to a question of a gap: what turns before it in its conversation rest on and `to` may not open."""
    return evidence_closed_to(to).filter(
        answer__question__conversation=OuterRef("answer__question__conversation"),
        answer__question__asked_at__lt=OuterRef("answer__question__asked_at"),
    )


def counted(gaps: QuerySet[Gap]) -> QuerySet[Gap]:
    """With how many questions each has, how many people wait, and when the last question came."""
    return gaps.annotate(
        question_count=Count("questions"),
        waiting=Count("questions__asker", filter=Q(questions__told_at=None), distinct=True),
        last_at=Max("questions__added_at"),
    )


def first_words(gaps: Iterable[Gap], *, to: User) -> dict[UUID, str]:
    """For each gap the question that stands for it: the last one `to` may read; "" where they may read none."""
    rows = GapQuestion.objects.filter(rests_on_open(to, "answer"), gap__in=[gap.pk for gap in gaps])
    rows = rows.exclude(answer__question__text="").order_by("gap", "-added_at").distinct("gap")
    return dict(rows.values_list("gap", "answer__question__text"))


access.guard(Gap, visible=gaps_open_to, workspace_of=lambda gap: gap.workspace)
describe(
    Gap,
    name=lambda gap: _("Questions without a good answer"),
    address=lambda gap: reverse("answers:gap", kwargs={"slug": gap.workspace.slug, "pk": gap.pk}),
    prepared=lambda rows: rows.select_related("workspace"),
    waits={
        Kind.GAP_DUE: lambda gap: gap.state == GapState.ASSIGNED and gap.due_on is not None,
        Kind.GAP_OVERDUE: lambda gap: (
            gap.state == GapState.ASSIGNED and gap.due_on is not None and gap.due_on < timezone.localdate()
        ),
    },
)
