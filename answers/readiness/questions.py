"""Checks of what is asked: questions people are expected to ask find evidence, and what found none is looked after."""

from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy, gettext_noop

from answers.chat.suggestions import written_for
from answers.models import UNSETTLED, Gap, QuestionCase
from documents.reranking.rerankers import chosen_for
from documents.search import Mode, is_usable, search
from workspaces import access
from workspaces.models import User
from workspaces.readiness.registry import Area, Found, Scene, blocked, check, none, passed, warned
from workspaces.readiness.thresholds import of, percent
from workspaces.roles import Action

_ = gettext_noop
#: Questions of the sets that are tried; a whole set is for an evaluation.
_MOST = 20


def _asker(scene: Scene) -> User | None:
    """Somebody with the least rights among those who may ask: what they find, everybody finds."""
    people = access.people_allowed(scene.workspace, Action.ASK, Action.OPEN)
    running = access.people_allowed(scene.workspace, Action.MANAGE).values("pk")
    reviewing = access.people_allowed(scene.workspace, Action.REVIEW).values("pk")
    plain = people.exclude(pk__in=running).exclude(pk__in=reviewing).order_by("date_joined")
    return plain.first() or people.order_by("date_joined").first()


def _covered(scene: Scene, texts: list[str], well: str, nobody: str) -> Found:
    asker = scene.once(_asker)
    if asker is None:
        return none(nobody)
    # With a reranker passages would leave the portal, and what is sent cannot be rolled back.
    mode = Mode.HYBRID if chosen_for(scene.workspace) is None else Mode.VECTORS
    found = sum(is_usable(search(asker, scene.workspace, text, mode=mode)) for text in texts)
    share = 100 - percent(len(texts) - found, len(texts))
    rate = passed
    if share < of("expected_percent_block"):
        rate = blocked
    elif share < of("expected_percent_warn"):
        rate = warned
    return rate(well, n=found, all=len(texts))


@check("data.expected", Area.DATA, gettext_lazy("Suggested questions find evidence"), fix="answers:suggestions")
def expected(scene: Scene) -> Found:
    texts = written_for(scene.workspace)
    if not texts:
        return none(_("No question is suggested: write down what people are going to ask."))
    return _covered(
        scene,
        texts,
        _("Suggested questions that find evidence: %(n)d of %(all)d."),
        _("Nobody may ask questions here."),
    )


@check("data.question_sets", Area.DATA, gettext_lazy("Questions of the sets find evidence"), fix="answers:evaluation")
def question_sets(scene: Scene) -> Found:
    cases = QuestionCase.objects.filter(
        question_set__workspace=scene.workspace, must_refuse=False, until=None, erased_at=None
    )
    texts = list(cases.order_by("question_set", "position").values_list("question", flat=True)[:_MOST])
    if not texts:
        return none(_("There is no question set yet."))
    return _covered(
        scene,
        texts,
        _("Questions of the sets that find evidence: %(n)d of %(all)d."),
        _("Nobody may ask questions here."),
    )


@check("data.gaps", Area.DATA, gettext_lazy("Topics that were asked are covered"), fix="answers:gaps")
def gaps(scene: Scene) -> Found:
    unsettled = Gap.objects.filter(workspace=scene.workspace, state__in=UNSETTLED)
    found = unsettled.aggregate(n=Count("pk"), late=Count("pk", filter=Q(due_on__lt=timezone.localdate())))
    rate = passed
    if found["late"] >= of("gaps_overdue_block"):
        rate = blocked
    elif found["n"] >= of("gaps_warn"):
        rate = warned
    return rate(_("Topics that were asked and nothing answers: %(n)d, of which overdue: %(late)d."), **found)
