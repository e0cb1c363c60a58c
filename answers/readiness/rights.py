"""Checks of who reads answers, asked of the access door about answers that are there."""

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy, gettext_noop

from answers.models import Answer, AnswerUserGrant, Declassification, Evidence
from documents.readiness.rights import one_of_each_role
from workspaces import access
from workspaces.readiness.people import outsider
from workspaces.readiness.registry import Area, Found, Scene, blocked, check, none, passed
from workspaces.readiness.thresholds import of
from workspaces.roles import Action

_ = gettext_noop
_PEOPLE = "workspaces:people"


def _probed(scene: Scene) -> list[Answer]:
    """Answers to ask about: those that rest on a restricted document first."""
    closed = Evidence.objects.filter(answer=OuterRef("pk"), document__restricted=True)
    rows = Answer.objects.filter(workspace=scene.workspace).annotate(rests_on_restricted=Exists(closed))
    return list(rows.order_by("-rests_on_restricted", "-created_at")[: of("probed_things")])


@check("rights.answers_stranger", Area.RIGHTS, gettext_lazy("A stranger sees no answer"), fix=_PEOPLE)
def stranger(scene: Scene) -> Found:
    answers = scene.once(_probed)
    if not answers:
        return none(_("There is no answer to try it with."))
    seen = access.visible(outsider(scene), Answer).filter(pk__in=[one.pk for one in answers]).count()
    if seen:
        return blocked(_("A person without a role was shown %(n)d of %(all)d answers."), n=seen, all=len(answers))
    return passed(_("A person without a role was kept from all %(n)d answers tried."), n=len(answers))


@check("rights.answers_roles", Area.RIGHTS, gettext_lazy("Answers are shown to their askers alone"), fix=_PEOPLE)
def roles(scene: Scene) -> Found:
    """Nobody without REVIEW sees another person's answer that was neither shared with nor declassified for them."""
    answers, people = scene.once(_probed), scene.once(one_of_each_role)
    if not answers or not people:
        return none(_("There is no answer to try it with."))
    ids, asked, wrong = [one.pk for one in answers], 0, 0
    for person in people:
        asked += len(ids)
        if Action.REVIEW in access.actions(person, scene.workspace):
            continue
        handed = AnswerUserGrant.objects.filter(user=person, content_object__in=ids)
        mine = {one.pk for one in answers if one.asked_by_id == person.pk}
        opened = Declassification.objects.filter(
            Q(for_workspace=True) | Q(readers=person), answer__in=ids, ended_at=None
        )
        given = [*handed.values_list("content_object", flat=True), *opened.values_list("answer", flat=True)]
        ought = mine | set(given)
        seen = set(access.visible(person, Answer).filter(pk__in=ids).values_list("pk", flat=True))
        wrong += len(seen - ought)
    if wrong:
        return blocked(_("Answers shown to somebody they are not for: %(n)d of %(asked)d tried."), n=wrong, asked=asked)
    return passed(
        _("Asked %(asked)d times for people of all roles, no answer was shown that is not theirs."), asked=asked
    )
