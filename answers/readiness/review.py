"""Checks of the review flow: a policy that fits, officers who may decide, and a queue that moves."""

from datetime import timedelta

from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy, gettext_noop

from answers import separation
from answers.models import Answer, Draft, Examination, ExaminationState, Question, ReleaseRules
from answers.states import AnswerStatus, DraftState
from documents.models import Document
from workspaces import access
from workspaces.classification import Classification
from workspaces.models import ReviewPolicy, User
from workspaces.readiness.registry import Area, Found, Scene, blocked, check, none, passed, warned
from workspaces.readiness.thresholds import of
from workspaces.roles import Action

_ = gettext_noop
_WAITING = (DraftState.WAITING, DraftState.APPROVED_ONCE, DraftState.RETURNED)
_LATELY = timedelta(days=90)
_PEOPLE = "workspaces:people"
_POLICY = "answers:release_rules"


def _holds(scene: Scene) -> bool:
    return bool(scene.workspace.review_policy != ReviewPolicy.OPEN)


def _officers(scene: Scene) -> list[User]:
    return list(access.people_allowed(scene.workspace, Action.REVIEW, Action.OPEN).order_by("username"))


def _guarded(scene: Scene) -> int:
    """Current documents from whose level on two people approve."""
    level = scene.workspace.second_approver_from
    if not level:
        return 0
    levels = [one.value for one in Classification if one.rank >= Classification(level).rank]
    return Document.objects.filter(
        workspace=scene.workspace, deleted_at=None, current_version__isnull=False, classification__in=levels
    ).count()


@check("review.policy", Area.REVIEW, gettext_lazy("The release policy fits what lies here"), fix="workspaces:settings")
def policy(scene: Scene) -> Found:
    high = Document.objects.filter(
        workspace=scene.workspace,
        deleted_at=None,
        current_version__isnull=False,
        classification__in=(Classification.CONFIDENTIAL, Classification.RESTRICTED),
    ).count()
    if not _holds(scene) and high:
        return warned(
            _("Answers are released at once, and documents classified confidential or higher are here: %(n)d."), n=high
        )
    code = scene.workspace.review_policy
    return passed(
        _("The release policy is “%(policy)s”; documents classified confidential or higher: %(n)d."),
        policy=code,
        n=high,
    )


@check("review.rules", Area.REVIEW, gettext_lazy("There are rules to go by"), fix=_POLICY)
def rules(scene: Scene) -> Found:
    if scene.workspace.review_policy != ReviewPolicy.RISK:
        return none(_("This policy goes by no rules."))
    newest = ReleaseRules.objects.filter(workspace=scene.workspace).order_by("-number").first()
    if newest is None:
        return passed(_("The rules every workspace begins with are in force."))
    on = sum(1 for rule in newest.rules if rule.get("is_on", True))
    if not on:
        return blocked(_("Every release rule of this workspace is switched off."))
    return passed(_("Release rules in force: %(n)d."), n=on)


@check("review.officers", Area.REVIEW, gettext_lazy("Officers are available"), fix=_PEOPLE)
def officers(scene: Scene) -> Found:
    count = len(scene.once(_officers))
    if not _holds(scene):
        return none(_("Nothing is held for review here."))
    if not count:
        return blocked(_("Answers are held for review, and nobody with an open account may review them."))
    return passed(_("People who may review and open documents: %(n)d."), n=count)


@check("rights.main_asker", Area.RIGHTS, gettext_lazy("Somebody else reviews what the main asker asks"), fix=_PEOPLE)
def main_asker(scene: Scene) -> Found:
    if not _holds(scene):
        return none(_("Nothing is held for review here."))
    asked = Question.objects.filter(workspace=scene.workspace, asked_at__gt=timezone.now() - _LATELY)
    most = asked.order_by().values("asked_by").annotate(n=Count("pk")).order_by("-n").first()
    ids = {one.pk for one in scene.once(_officers)}
    if most is None or not ids:
        return none(_("Nobody has asked anything yet, or nobody reviews."))
    if ids == {most["asked_by"]}:
        return blocked(_("The only reviewer is also who asks most (%(n)d questions)."), n=most["n"])
    return passed(_("Reviewers beside whoever asks most: %(n)d."), n=len(ids - {most["asked_by"]}))


@check("rights.separation", Area.RIGHTS, gettext_lazy("The separation of duties can be kept"), fix=_PEOPLE)
def separated(scene: Scene) -> Found:
    """For each reviewer who also asks, others are left; where two approve, two others."""
    if not _holds(scene):
        return none(_("Nothing is held for review here."))
    guarded, count = _guarded(scene), len(scene.once(_officers))
    askers = set(access.people_allowed(scene.workspace, Action.ASK).values_list("pk", flat=True))
    asking = any(one.pk in askers for one in scene.once(_officers))
    if not count:
        return none(_("Nobody reviews here."))
    if guarded and count < 2:
        return blocked(
            _("Two people have to approve what rests on %(documents)d documents, and there are %(n)d reviewers."),
            documents=guarded,
            n=count,
        )
    # One of them may be who asks; where one approval is enough, `rights.main_asker` looks at that.
    needed = (3 if asking else 2) if guarded else 1
    if count < needed:
        return warned(
            _("Reviewers: %(n)d. When one of them asks, %(needed)d are needed, and what they ask finds no decision."),
            n=count,
            needed=needed,
        )
    return passed(_("Reviewers: %(n)d; at most %(needed)d are needed at once."), n=count, needed=needed)


@check(
    "review.overdue",
    Area.REVIEW,
    gettext_lazy("Drafts are decided in time"),
    fix="admin:answers_draft_changelist",
    needs=Action.REVIEW,
)
def overdue(scene: Scene) -> Found:
    late = Q(due_at__lt=timezone.now())
    counts = {"all": Count("pk"), "late": Count("pk", filter=late)}
    drafts = Draft.objects.filter(workspace=scene.workspace, state__in=_WAITING).aggregate(**counts)
    held = Examination.objects.filter(workspace=scene.workspace, state=ExaminationState.HELD)
    examined = held.aggregate(**counts)
    found = {name: drafts[name] + examined[name] for name in counts}
    rate = passed
    if found["late"] >= of("overdue_drafts_block"):
        rate = blocked
    elif found["late"] >= of("overdue_drafts_warn"):
        rate = warned
    return rate(_("Drafts that wait: %(all)d, of which overdue: %(late)d."), **found)


@check("review.stranded", Area.REVIEW, gettext_lazy("No draft waits for nobody"), fix=_PEOPLE)
def stranded(scene: Scene) -> Found:
    waiting = Answer.objects.filter(workspace=scene.workspace, draft__state__in=_WAITING)
    count = waiting.exclude(separation.somebody_may_decide()).count()
    rate = blocked if count else passed
    return rate(_("Drafts on which nobody may decide: %(n)d."), n=count)


@check(
    "review.suspended",
    Area.REVIEW,
    gettext_lazy("Answers whose source changed were looked at"),
    fix="answers:suspended",
)
def suspended(scene: Scene) -> Found:
    count = Answer.objects.filter(workspace=scene.workspace, status=AnswerStatus.SUSPENDED).count()
    rate = warned if count else passed
    return rate(_("Released answers that are closed until somebody looks at what changed: %(n)d."), n=count)
