"""Put what a search found in a better order, by something that reads the question beside each passage.

It is chosen for a workspace by its manager. Passages that it may not read keep their places, and so does everything
when it fails: an order that is only good is better than none.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext

from audit.chain import digest
from audit.events import EventType
from audit.record import record
from documents.ceiling import above_ceiling
from documents.embedding.framing import framed
from documents.embedding.spaces import space_of
from documents.exceptions import RerankUnavailable
from documents.models import Document, Passage, RerankEndpoint, WorkspaceReranker
from documents.outgoing import Account
from documents.reranking import remote as remote_reranking
from workspaces.classification import Classification
from workspaces.models import User, Workspace

logger = logging.getLogger(__name__)

#: How many finds are read: a reranker's time grows with them, and what answers is seldom below.
DEPTH = 30
#: What the chat model is called where a reranker is named.
CHAT = "chat-model"

#: Told to whom the passages go, once they may and before they do: writes the entry of it.
Sending = Callable[[str], None]
#: A workspace, who asks, the question, passages and their texts in; a score for each text out, higher is better.
#: Raises RerankUnavailable.
Scorer = Callable[[Workspace, User, str, Sequence[Passage], Sequence[str], Sending], list[float]]


@dataclass(frozen=True)
class ChatReranker:
    """The chat model as a reranker: how high what it reads of a workspace may be classified, and how it scores."""

    ceiling: Callable[[Workspace], str]
    score: Scorer


#: Why a workspace's own reranker is given nothing as it is now, as a sentence; "" when it is. The change gate adds
#: itself.
withheld: list[Callable[[Workspace, RerankEndpoint], str]] = []
#: Where an app above brings one, it registers itself here.
by_chat: list[ChatReranker] = []


@dataclass(frozen=True)
class Reranked:
    """Who put the finds in order; `fault` is the sentence of one that did not, `kept_back` counts what it may not read.

    `scores` are by passage id.
    """

    name: str
    scores: dict[str, float]
    kept_back: int = 0
    fault: str = ""


def chosen_for(workspace: Workspace) -> WorkspaceReranker | None:
    """The workspace's reranker as it is now; None where the search's own order stands."""
    return WorkspaceReranker.objects.select_related("endpoint").filter(workspace=workspace).first()


def label_of(chosen: WorkspaceReranker | None) -> str:
    """A reranker with its model and server, as records keep it; "" for the search's own order."""
    if chosen is None:
        return ""
    return _named(chosen.endpoint) if chosen.endpoint else CHAT


def rerank(
    workspace: Workspace,
    chosen: WorkspaceReranker,
    question: str,
    found: Sequence[Passage],
    *,
    by: User,
    is_trial: bool = False,
) -> Reranked:
    """What the chosen reranker says of the first passages of `found`, which `by`, who asks, may open.

    `found` come with their documents. `is_trial`: it is tried before it is let pass here. Never raises: a reranker that
    fails is named in what comes back.
    """
    endpoint = chosen.endpoint
    name = endpoint.name if endpoint else CHAT
    try:
        if endpoint is not None and not is_trial:
            _require_not_withheld(workspace, endpoint)
        ceiling = _ceiling(workspace, endpoint)
    except RerankUnavailable as error:
        logger.warning("workspace %s is searched without its reranker: %s", workspace.pk, error)
        return Reranked(name, {}, fault=str(error))
    read = [passage for passage in found[:DEPTH] if _may_read(ceiling, passage)]
    nothing = Reranked(name, {}, kept_back=len(found[:DEPTH]) - len(read))
    # One passage has no order.
    if len(read) < 2:
        return nothing
    texts = [framed(each.version.document.title, each.version.document.path, each.locator, each.text) for each in read]
    try:
        scores = _score(workspace, by, endpoint, question, read, texts)
    except RerankUnavailable as error:
        logger.warning("workspace %s is searched without its reranker: %s", workspace.pk, error)
        return replace(nothing, fault=str(error))
    return replace(nothing, scores={str(passage.pk): score for passage, score in zip(read, scores, strict=True)})


def may_be_asked(workspace: Workspace, documents: QuerySet[Document]) -> bool:
    """Whether a question that may hold text of `documents` may go where questions go when `workspace` is searched."""
    chosen = chosen_for(workspace)
    levels = [] if chosen is None else [_ceiling_of(workspace, chosen)]
    above = Q(pk__in=above_ceiling(space_of(workspace.pk)).values("pk"))
    for ceiling in levels:
        above |= Q(classification__in=[level for level in Classification if level.rank > ceiling.rank])
    return not documents.filter(above).exists()


def in_order(ids: Sequence[str], reranked: Reranked) -> list[str]:
    """`ids` with those that have a score in the order of these, in the places they had among the others."""
    scores = reranked.scores
    best_first = iter(sorted((id for id in ids if id in scores), key=lambda id: -scores[id]))
    return [next(best_first) if id in scores else id for id in ids]


def _score(
    workspace: Workspace,
    by: User,
    endpoint: RerankEndpoint | None,
    question: str,
    read: Sequence[Passage],
    texts: Sequence[str],
) -> list[float]:
    noted: set[str] = set()

    @transaction.atomic
    def note(label: str) -> None:
        # Once for each server that is given them, however often a busy one is tried.
        if label not in noted:
            noted.add(label)
            passages = [{"id": passage.pk, "sha256": digest(passage.text)} for passage in read]
            record(EventType.ORDER_SENT, on=workspace, workspace=workspace, by=by, endpoint=label, passages=passages)

    if endpoint is not None:
        account = Account.of(workspace, by, *{passage.version.document_id for passage in read})
        label = _named(endpoint)
        return remote_reranking.scores(endpoint, question, texts, account=account, sending=lambda: note(label))
    return by_chat[0].score(workspace, by, question, read, texts, note)


def _require_not_withheld(workspace: Workspace, endpoint: RerankEndpoint) -> None:
    for tell in withheld:
        if said := tell(workspace, endpoint):
            raise RerankUnavailable(said)


def _named(endpoint: RerankEndpoint) -> str:
    return f"{endpoint.name}: {endpoint.model} at {endpoint.base_url}"


def _ceiling(workspace: Workspace, endpoint: RerankEndpoint | None) -> Classification:
    """How high what is read may be classified. Raises RerankUnavailable."""
    if endpoint is not None:
        return Classification(endpoint.ceiling)
    if not by_chat:
        raise RerankUnavailable(gettext("This installation has no chat model that reranks."))
    return Classification(by_chat[0].ceiling(workspace))


def _ceiling_of(workspace: Workspace, chosen: WorkspaceReranker) -> Classification:
    try:
        return _ceiling(workspace, chosen.endpoint)
    except RerankUnavailable:
        # It is not asked, so it reads nothing.
        return max(Classification, key=lambda level: level.rank)


def _may_read(ceiling: Classification, passage: Passage) -> bool:
    return Classification(passage.version.document.classification).rank <= ceiling.rank
