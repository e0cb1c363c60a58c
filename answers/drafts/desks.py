"""On whose desk a draft is: the column that lists and history show, and the grant it stands for, always together.

The grant says what a person holds by name, as for anything shared. It opens nothing: whoever decides needs the role
and every source, on their own desk too.
"""

from django.db.models import Q

from answers.models import AnswerUserGrant, Draft
from answers.querysets import REVIEW_ANSWER
from workspaces import access
from workspaces.models import User, Workspace


def put(draft: Draft, on: User | None) -> list[str]:
    """Put the draft on this desk alone, or on none; returns the fields of the draft to save. One transaction."""
    for grant in holders_of(draft):
        access.revoke(REVIEW_ANSWER, grant.user, draft.answer)
    if on is not None:
        access.grant(REVIEW_ANSWER, on, draft.answer)
    draft.assigned_to = on
    return ["assigned_to"]


def end(draft: Draft) -> None:
    """The draft ended: nobody has it to do any more. The column keeps who had it."""
    for grant in holders_of(draft):
        access.revoke(REVIEW_ANSWER, grant.user, draft.answer)


def end_claim(draft: Draft) -> list[str]:
    """Nobody reads the draft now; returns its fields to save."""
    draft.claimed_by = draft.claimed_until = None
    return ["claimed_by", "claimed_until"]


def leave(workspace: Workspace, person: User) -> list[Draft]:
    """Clear the person's desks in the workspace they are about to leave; the drafts that lay there, for the trail."""
    drafts = Draft.objects.select_for_update(of=("self",), no_key=True).filter(workspace=workspace, assigned_to=person)
    held = Q(answer__answerusergrant__user=person, answer__answerusergrant__permission__codename=REVIEW_ANSWER)
    left = list(drafts.filter(held).order_by("pk"))
    for draft in left:
        draft.save(update_fields=put(draft, None))
    return left


def holders_of(draft: Draft) -> list[AnswerUserGrant]:
    """The grants on the draft's answer that stand for a desk: one, or none."""
    grants = AnswerUserGrant.objects.filter(content_object=draft.answer_id, permission__codename=REVIEW_ANSWER)
    return list(grants.select_related("user"))
