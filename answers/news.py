"""Who is told what about answers and drafts. Each function writes notices in the caller's transaction."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from answers import separation
from answers.models import Answer, Citation, Draft, InLine, SourceChange
from answers.states import HELD, AnswerStatus
from answers.suspension.standing import shown
from workspaces import access
from workspaces.models import User
from workspaces.notifications import notify, notify_each
from workspaces.notifications.registry import Kind, describe
from workspaces.roles import Action


def waiting(draft: Draft, to: Sequence[UUID] | None = None) -> None:
    """A new draft waits: those who may decide on it are told, who are `to` where they were just looked for."""
    _tell(Kind.DRAFT_WAITING, draft, separation.who_may_decide(draft.answer) if to is None else to)


def assigned(draft: Draft, *, to: User | None, by: User) -> None:
    """The draft was put on somebody's desk; whoever claims one for themselves knows."""
    _tell(Kind.DRAFT_ASSIGNED, draft, [to] if to else [], by=by)


def second_wanted(draft: Draft, *, by: User) -> None:
    """The first of two approvals was given: those who may give the second are told."""
    _tell(Kind.DRAFT_SECOND, draft, separation.who_may_decide(draft.answer), by=by)


def returned(draft: Draft, *, by: User) -> None:
    """The draft was returned for changes: to whoever has it, edited it, or may still decide on it."""
    near = [person for person in (draft.assigned_to, draft.edited_by) if person is not None and person != by]
    _tell(Kind.DRAFT_RETURNED, draft, near or separation.who_may_decide(draft.answer), by=by)


def decided(draft: Draft, *, by: User) -> None:
    """A draft on somebody's desk, or that somebody was reading, was decided on by another."""
    _tell(Kind.DECIDED_BY_OTHER, draft, holders(draft), by=by)


def holders(waiting: InLine) -> list[User]:
    """On whose desk something is, and who reads it now."""
    is_claimed = waiting.claimed_until is not None and waiting.claimed_until > timezone.now()
    near = {waiting.assigned_to, waiting.claimed_by if is_claimed else None}
    return [person for person in near if person is not None]


def waits_for(draft: Draft) -> Sequence[User | UUID]:
    """Who has the draft, as long as they may review it, and else all who may decide on it."""
    near = [person for person in holders(draft) if access.allows(person, Action.REVIEW, draft)]
    return near or separation.who_may_decide(draft.answer)


def is_past(waiting: InLine) -> bool:
    """Whether the due date is over: somebody may have put it off since it was told."""
    return waiting.due_at is not None and waiting.due_at <= timezone.now()


def released(answer: Answer, *, by: User) -> None:
    """The asker may read the answer they waited for."""
    notify(Kind.ANSWER_RELEASED, to=[answer.asked_by], workspace=answer.workspace_id, about=answer, by=by)


def refused(answer: Answer, *, by: User | None = None) -> None:
    """The asker gets no answer: a reviewer's decision, a source that was deleted, or nobody left to decide."""
    notify(Kind.ANSWER_REFUSED, to=[answer.asked_by], workspace=answer.workspace_id, about=answer, by=by)


def mentioned(draft: Draft, *, to: Sequence[User], by: User) -> None:
    """A comment on the draft calls people by name."""
    _tell(Kind.COMMENT_MENTION, draft, to, by=by)


def suspended(answers: Sequence[Answer], *, workspace_id: UUID) -> None:
    """Askers are told that what they were given is closed, and officers that it waits to be looked at again."""
    notify_each(Kind.ANSWER_SUSPENDED, [(answer, [answer.asked_by]) for answer in answers], workspace=workspace_id)
    officers = [(answer, _officers(answer)) for answer in answers]
    notify_each(Kind.ANSWER_TO_CONFIRM, officers, workspace=workspace_id)


def resumed(answers: Sequence[Answer], *, workspace_id: UUID) -> None:
    """Askers may read again what was closed."""
    notify_each(Kind.ANSWER_RESUMED, [(answer, [answer.asked_by]) for answer in answers], workspace=workspace_id)


def draft_source_changed(change: SourceChange) -> None:
    """A held draft cites what changed: whoever has it on their desk is told."""
    of_source = Q(version=change.version) if change.version_id else Q(document=change.document_id)
    cited = shown(Citation.objects.filter(of_source, answer__status__in=HELD), "answer__draft__text")
    drafts = Draft.objects.filter(answer__in=cited.order_by().values("answer"), assigned_to__isnull=False)
    found = [(draft, [draft.assigned_to]) for draft in drafts.select_related("assigned_to")]
    if found:
        notify_each(Kind.DRAFT_STALE, found, workspace=found[0][0].workspace_id, by=change.changed_by)


def _officers(answer: Answer) -> list[User]:
    """Whoever let the answer out, or the other reviewers once that person reviews here no longer.

    Nobody is called for what the policy released, which waits in a list.
    """
    if answer.released_by is None:
        return []
    if answer.released_by.is_active and access.allows(answer.released_by, Action.REVIEW, answer.workspace):
        return [answer.released_by]
    return separation.who_may_decide(answer)


def _tell(kind: Kind, draft: Draft, to: Sequence[User | UUID], *, by: User | None = None) -> None:
    notify(kind, to=to, workspace=draft.workspace_id, about=draft, by=by)


# --- How they are named -------------------------------------------------------------------------------------


def _question(answer: Answer) -> str:
    return answer.question.text


def _answer_page(answer: Answer) -> str:
    return reverse("answers:answer", kwargs={"slug": answer.workspace.slug, "pk": answer.pk})


def _answers(rows: QuerySet[Answer]) -> QuerySet[Answer]:
    return rows.select_related("question", "workspace")


def _is_held(draft: Draft) -> bool:
    return draft.answer.status in HELD


def _drafts(rows: QuerySet[Draft]) -> QuerySet[Draft]:
    return rows.select_related("answer__question")


def _standing_page(answer: Answer) -> str:
    return reverse("answers:standing", kwargs={"slug": answer.workspace.slug, "pk": answer.pk})


describe(
    Answer,
    name=_question,
    address=_answer_page,
    prepared=_answers,
    addresses={Kind.ANSWER_TO_CONFIRM: _standing_page},
    waits={Kind.ANSWER_TO_CONFIRM: lambda answer: answer.status == AnswerStatus.SUSPENDED},
)
describe(
    Draft,
    name=lambda draft: _question(draft.answer),
    address=lambda draft: reverse("admin:answers_draft_change", args=[draft.pk]),
    prepared=_drafts,
    waits={
        **dict.fromkeys((Kind.DRAFT_WAITING, Kind.DRAFT_SECOND, Kind.DRAFT_RETURNED, Kind.DRAFT_STALE), _is_held),
        Kind.DRAFT_DUE: lambda draft: _is_held(draft) and draft.due_at is not None,
        Kind.DRAFT_OVERDUE: lambda draft: _is_held(draft) and is_past(draft),
    },
)
