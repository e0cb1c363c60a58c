"""Checks of what the documents cover: how many answer, and how many failed, are late, out of date or nobody's."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, F, Min, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy, gettext_noop

from documents.filters import due, ownerless
from documents.indexing import checks as index_checks
from documents.models import Deletion, Document, Reclassification, Version
from documents.states import OPEN, VersionState
from workspaces.classification import Classification
from workspaces.readiness.registry import Area, Found, Scene, blocked, check, none, passed, warned
from workspaces.readiness.thresholds import by_share, of

_ = gettext_noop
_LIST = "documents:list"
_COVERAGE = "documents:coverage"
#: Newest originals whose file is looked for.
_FILES = 25


def _counts(scene: Scene) -> dict[str, Any]:
    """Everything counted of the workspace's documents in one pass."""
    documents = Document.objects.filter(workspace=scene.workspace, deleted_at=None)
    return documents.order_by().aggregate(
        all=Count("pk"),
        ready=Count("pk", filter=Q(current_version__state=VersionState.READY)),
        failed=Count("pk", filter=Q(latest_version__state=VersionState.FAILED)),
        aside=Count("pk", filter=Q(latest_version__state=VersionState.QUARANTINED)),
        expired=Count("pk", filter=due("expired")),
        review=Count("pk", filter=due("review")),
        ownerless=Count("pk", filter=ownerless(scene.workspace)),
        default=Count("pk", filter=Q(classification=Classification.INTERNAL)),
    )


@check("data.documents", Area.DATA, gettext_lazy("There are documents that answer"), fix=_LIST)
def documents(scene: Scene) -> Found:
    found, least = scene.once(_counts), of("documents_block")
    rate = blocked if found["ready"] < least else passed
    return rate(_("Documents that answer: %(ready)d of %(all)d."), ready=found["ready"], all=found["all"])


@check("data.failed", Area.DATA, gettext_lazy("Documents could be read"), fix=_COVERAGE)
def failed(scene: Scene) -> Found:
    found = scene.once(_counts)
    return by_share(
        "failed",
        found["failed"],
        found["all"],
        _("Documents that could not be read: %(part)d of %(whole)d (%(percent)d %%)."),
    )


@check("data.aside", Area.DATA, gettext_lazy("No document is set aside"), fix=_LIST)
def aside(scene: Scene) -> Found:
    count = scene.once(_counts)["aside"]
    rate = warned if count else passed
    return rate(_("Documents set aside because they kept ending their worker: %(n)d."), n=count)


@check("data.waiting", Area.DATA, gettext_lazy("No document waits for long"), fix=_LIST)
def waiting(scene: Scene) -> Found:
    now = timezone.now()
    versions = Version.objects.filter(document__workspace=scene.workspace, document__deleted_at=None, state__in=OPEN)
    found = versions.aggregate(
        all=Count("pk"),
        late=Count("pk", filter=Q(created_at__lt=now - timedelta(hours=of("waiting_hours_warn")))),
        stuck=Count("pk", filter=Q(created_at__lt=now - timedelta(hours=of("waiting_hours_block")))),
    )
    rate = blocked if found["stuck"] else warned if found["late"] else passed
    return rate(
        _("Documents on their way: %(all)d, of which %(late)d wait for more than %(hours)d hours."),
        all=found["all"],
        late=found["late"],
        hours=of("waiting_hours_warn"),
    )


@check("data.stale", Area.DATA, gettext_lazy("Documents still hold"), fix=_COVERAGE)
def stale(scene: Scene) -> Found:
    found = scene.once(_counts)
    return by_share(
        "stale",
        found["expired"],
        found["all"],
        _("Documents past their last valid day: %(part)d of %(whole)d (%(percent)d %%)."),
    )


@check("data.reviewed", Area.DATA, gettext_lazy("Documents were reviewed in time"), fix=_COVERAGE)
def reviewed(scene: Scene) -> Found:
    found = scene.once(_counts)
    rate = warned if found["review"] * 100 > found["all"] * of("unreviewed_percent_warn") else passed
    return rate(_("Documents whose review is due: %(n)d of %(all)d."), n=found["review"], all=found["all"])


@check("data.owners", Area.DATA, gettext_lazy("Somebody keeps the documents current"), fix=_COVERAGE)
def owners(scene: Scene) -> Found:
    found = scene.once(_counts)
    return by_share(
        "ownerless",
        found["ownerless"],
        found["all"],
        _("Documents without an owner who may keep them current: %(part)d of %(whole)d (%(percent)d %%)."),
    )


@check("data.classified", Area.DATA, gettext_lazy("Somebody classified the documents"), fix=_COVERAGE)
def classified(scene: Scene) -> Found:
    """A new document is internal by default; that none is anything else and none ever was says nobody looked."""
    found = scene.once(_counts)
    if not found["all"]:
        return none(_("There are no documents yet."))
    if found["default"] < found["all"]:
        return passed(
            _("Documents with another level than the one they begin with: %(n)d of %(all)d."),
            n=found["all"] - found["default"],
            all=found["all"],
        )
    if Reclassification.objects.filter(document__workspace=scene.workspace).exists():
        return passed(_("All %(n)d documents are internal, and people changed levels here."), n=found["all"])
    return warned(_("All %(n)d documents have the level they begin with: nobody has classified any."), n=found["all"])


@check("data.index", Area.DATA, gettext_lazy("The index says what the database says"), fix=_LIST)
def index(scene: Scene) -> Found:
    last = index_checks.latest([scene.workspace.pk]).get(scene.workspace.pk)
    if last is None:
        return warned(_("The search index was not compared with the database yet."))
    if not last.agrees:
        return blocked(_("The search index does not agree with the database: %(n)d passages differ."), n=last.left)
    hours = 2 * settings.RECONCILE_HOURS
    if last.started_at < timezone.now() - timedelta(hours=hours):
        return warned(_("The search index was not compared with the database for %(hours)d hours."), hours=hours)
    return passed(_("All %(n)d passages of the search index agree with the database."), n=last.passages)


@check("data.files", Area.DATA, gettext_lazy("Original files are there"), fix=_LIST)
def files(scene: Scene) -> Found:
    current = Version.objects.filter(
        pk__in=Document.objects.filter(workspace=scene.workspace, deleted_at=None).values("current_version")
    )
    newest = list(current.only("file").order_by("-created_at")[:_FILES])
    lost = sum(not (one.file and one.file.storage.exists(str(one.file.name))) for one in newest)
    rate = blocked if lost else passed
    return rate(_("Original files that are gone: %(n)d of the newest %(all)d."), n=lost, all=len(newest))


@check("data.erasures", Area.DATA, gettext_lazy("What was deleted is gone in time"), fix=_LIST)
def erasures(scene: Scene) -> Found:
    unproven = Deletion.objects.filter(workspace=scene.workspace, erased_at__isnull=False, receipt_issued_at=None)
    found = unproven.aggregate(n=Count("pk"), since=Min(F("erased_at")))
    late = found["since"] is not None and found["since"] < timezone.now() - timedelta(days=1)
    rate = warned if late else passed
    return rate(_("Erasures that are not proven yet: %(n)d."), n=found["n"])
