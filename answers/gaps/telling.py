"""Tell those who asked what became of their questions: only who could do something with it."""

from django.utils import timezone

from answers.models import Gap, GapQuestion, GapState
from workspaces import access
from workspaces.models import User
from workspaces.notifications import notify
from workspaces.notifications.registry import Kind
from workspaces.roles import Action


def tell(gap: Gap, *, by: User | None) -> int:
    """Tell each asker who waits, once; how many. Of a closed gap only those who may open its document.

    The others go on waiting, and who manages documents sees how many they are: to be told to ask again, and to get the
    same refusal, would say that there is something they may not see.
    """
    rows = list(gap.questions.filter(told_at=None).select_related("asker", "answer__workspace").order_by("added_at"))
    told = [row for row in rows if may_be_told(row, gap)]
    for row in told:
        notify(_KIND[GapState(gap.state)], to=[row.asker], about=row.answer, workspace=gap.workspace, by=by, gap=gap.pk)
    GapQuestion.objects.filter(pk__in=[row.pk for row in told]).update(told_at=timezone.now())
    return len({row.asker_id for row in told})


def waits_for(gap: Gap) -> list[User]:
    """Who has the gap, as long as they may close it, and else all who manage documents there."""
    if gap.assigned_to is not None and access.allows(gap.assigned_to, Action.ADD, gap.workspace):
        return [gap.assigned_to]
    return list(access.people_allowed(gap.workspace, Action.MANAGE_DOCUMENTS))


def may_be_told(row: GapQuestion, gap: Gap) -> bool:
    """Whether the asker may still ask there, and open what closes the gap."""
    if not access.allows(row.asker, Action.ASK, gap.workspace):
        return False
    return gap.document is None or access.allows(row.asker, Action.OPEN, gap.document)


def shut_out(gap: Gap) -> int:
    """How many who wait may not open the document that closes the gap."""
    rows = gap.questions.filter(told_at=None).select_related("asker")
    return len({row.asker_id for row in rows if not may_be_told(row, gap)})


_KIND = {GapState.CLOSED: Kind.GAP_ANSWERED, GapState.DISMISSED: Kind.ANSWER_REFUSED}
