"""Checks of the models: there is one, it answers, it may receive what lies here, and there is budget for it."""

import socket
from datetime import timedelta
from uuid import UUID

from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy, gettext_noop

from answers import endpoints, governing
from answers.exceptions import EndpointError
from answers.governing import budgets, fallbacks
from answers.models import Answer, ModelEndpoint, Purpose
from answers.registry import hosts as model_hosts
from documents.ceiling import above_ceiling
from documents.embedding.spaces import space_of
from documents.embedding.vector_space import EmbeddingUnavailable
from documents.embeddings import embed_query, is_installed
from documents.models import Document
from documents.outgoing import OURS
from documents.reranking.rerankers import chosen_for
from workspaces import hosts
from workspaces.classification import Classification
from workspaces.endpoints import breaker
from workspaces.hosts import HostRefused
from workspaces.readiness.registry import Area, Found, Scene, blocked, check, none, passed, warned
from workspaces.readiness.thresholds import by_share, of

_ = gettext_noop
_FIX = "answers:models"
_SECONDS = 3.0
_LATELY = timedelta(days=7)


def _offered(scene: Scene) -> list[ModelEndpoint]:
    """The models people may use here, the default first; none where the default cannot be used."""
    try:
        return endpoints.choices_for(scene.workspace)
    except EndpointError:
        return []


@check("models.default", Area.MODELS, gettext_lazy("There is a model"), fix=_FIX)
def default(scene: Scene) -> Found:
    found = scene.once(_offered)
    if not found:
        return blocked(_("This workspace has no usable model."))
    return passed(_("The model is “%(name)s”; people may choose from %(n)d."), name=found[0].name, n=len(found))


@check("models.reachable", Area.MODELS, gettext_lazy("The servers of models are reached"), fix=_FIX)
def reachable(scene: Scene) -> Found:
    """A connection to the server's checked address; nothing is sent, so nothing is spent."""
    standing_in = [one for one in fallbacks.of(scene.workspace) if one.usable]
    servers = list({one.pk: one for one in [*scene.once(_offered), *standing_in] if one.base_url}.values())
    if not servers:
        return none(_("No model here is on a server."))
    silent = [one.name for one in servers if not _answers(one.base_url)]
    if silent:
        return blocked(
            _("Models whose server cannot be reached: %(n)d of %(all)d (%(names)s)."),
            n=len(silent),
            all=len(servers),
            names=", ".join(silent[:5]),
        )
    return passed(_("The servers of all %(n)d models were reached."), n=len(servers))


def _answers(url: str) -> bool:
    try:
        model_hosts.require_allowed(url)
        target = model_hosts.target_of(url)
        address = model_hosts.require_address(hosts.resolve(target.host, target.port), target)
        with socket.create_connection((address, target.port), timeout=_SECONDS):
            return True
    except (EndpointError, HostRefused, OSError):
        return False


@check("models.steady", Area.MODELS, gettext_lazy("No model was cut off after failures"), fix=_FIX)
def steady(scene: Scene) -> Found:
    asked = {one.pk: one.name for one in scene.once(_offered)}
    if (remote := space_of(scene.workspace.pk).remote) is not None:
        asked[remote.endpoint] = remote.name
    if (chosen := chosen_for(scene.workspace)) is not None and chosen.endpoint is not None:
        asked[chosen.endpoint.pk] = chosen.endpoint.name
    cut = [name for pk, name in asked.items() if breaker.standing(pk).state != "closed"]
    if cut:
        return warned(
            _("Models that are rested after failing: %(n)d (%(names)s)."), n=len(cut), names=", ".join(cut[:5])
        )
    return passed(_("None of %(n)d models is rested after failures."), n=len(asked))


@check("models.permitted", Area.MODELS, gettext_lazy("Models may receive what lies here"), fix=_FIX)
def permitted(scene: Scene) -> Found:
    """By level: whether the default, or what stands in for it, may be sent documents of each level that is here."""
    offered = scene.once(_offered)
    documents = Document.objects.filter(workspace=scene.workspace, deleted_at=None, current_version__isnull=False)
    levels = documents.order_by("classification", "pk").distinct("classification").values_list("classification", "pk")
    one_of = {Classification(level): pk for level, pk in levels}
    if not offered or not one_of:
        return none(_("There is no model, or no document to send to it."))
    may = [offered[0], *fallbacks.of(scene.workspace)]
    above = [level for level in Classification if level in one_of and not _may_go(scene, may, one_of[level])]
    if above:
        count = documents.filter(classification__in=[level.value for level in above]).count()
        return blocked(
            _("Documents that no model here may receive: %(n)d, classified %(levels)s."),
            n=count,
            levels=", ".join(level.value for level in above),
        )
    return passed(_("The default model or its stand-ins may receive all %(n)d levels that are here."), n=len(one_of))


def _may_go(scene: Scene, models: list[ModelEndpoint], document: UUID) -> bool:
    """Whether one of the models may receive the document, by the policy that is asked when something is sent."""
    return any(
        not governing.permitted(one, purpose=Purpose.ANSWER, workspace=scene.workspace, documents=[document])
        for one in models
    )


@check("models.budget", Area.MODELS, gettext_lazy("There is budget left for models"), fix=_FIX)
def budget(scene: Scene) -> Found:
    meters = budgets.standing(scene.workspace)
    if not meters:
        return none(_("There is no budget: nothing limits what models cost here."))
    share = max(round(100 * one.share) for one in meters)
    if any(one.is_spent for one in meters):
        return blocked(_("A budget for models is spent."))
    rate = warned if share >= of("budget_percent_warn") else passed
    return rate(
        _("Of the tightest of %(n)d budgets for models, %(percent)d %% is spent."), n=len(meters), percent=share
    )


@check("models.embedding", Area.MODELS, gettext_lazy("Questions can be turned into vectors"), fix=_FIX)
def embedding(scene: Scene) -> Found:
    space = space_of(scene.workspace.pk)
    try:
        embed_query("readiness", space, account=OURS)
    except EmbeddingUnavailable:
        if not is_installed(space):
            return blocked(_("The embedding model of this workspace, “%(name)s”, is not installed."), name=space.name)
        return blocked(_("The embedding model of this workspace does not answer."))
    return passed(_("The embedding model answered."))


@check("models.embedding_ceiling", Area.MODELS, gettext_lazy("Documents can be turned into vectors"), fix=_FIX)
def embedding_ceiling(scene: Scene) -> Found:
    space = space_of(scene.workspace.pk)
    if space.remote is None:
        return passed(_("Vectors are made here: no text leaves the portal for them."))
    here = above_ceiling(space).filter(workspace=scene.workspace, deleted_at=None).count()
    rate = blocked if here else passed
    return rate(_("Documents classified too high for the embedding endpoint: %(n)d."), n=here)


@check("models.reranker", Area.MODELS, gettext_lazy("The reranker is in use"), fix=_FIX)
def reranker(scene: Scene) -> Found:
    chosen = chosen_for(scene.workspace)
    if chosen is None:
        return none(_("This workspace has no reranker."))
    if chosen.endpoint is not None and not chosen.endpoint.usable:
        return warned(_("The reranker “%(name)s” is not approved any more."), name=chosen.endpoint.name)
    return passed(_("The reranker can be used."))


@check("models.failures", Area.MODELS, gettext_lazy("Answers did not fail lately"), fix=_FIX)
def failures(scene: Scene) -> Found:
    made = Answer.objects.filter(workspace=scene.workspace, ended_at__gt=timezone.now() - _LATELY)
    found = made.aggregate(all=Count("pk"), failed=Count("pk", filter=Q(status__startswith="failed_")))
    if not found["all"]:
        return none(_("Nothing was asked in the last seven days."))
    return by_share(
        "failed_answers",
        found["failed"],
        found["all"],
        _("Answers that failed in seven days: %(part)d of %(whole)d (%(percent)d %%)."),
    )
