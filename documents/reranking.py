"""Put what a search found in a better order, by something that reads the question beside each passage.

It is chosen for a workspace by its manager. Passages that it may not read keep their places, and so does everything
when it fails: an order that is only good is better than none.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from django.utils.translation import gettext

from documents import remote_reranking
from documents.exceptions import RerankUnavailable
from documents.framing import framed
from documents.models import Passage, RerankEndpoint, WorkspaceReranker
from workspaces.classification import Classification
from workspaces.models import Workspace

logger = logging.getLogger(__name__)

#: How many finds are read: a reranker's time grows with them, and what answers is seldom below.
DEPTH = 30
#: What the chat model is called where a reranker is named.
CHAT = "chat-model"

#: A workspace, the question and texts in; a score for each text out, higher is better. Raises RerankUnavailable.
Scorer = Callable[[Workspace, str, Sequence[str]], list[float]]

#: The chat model as a reranker, where an app above brings one: it registers itself here.
by_chat: list[Scorer] = []


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


def rerank(workspace: Workspace, chosen: WorkspaceReranker, question: str, found: Sequence[Passage]) -> Reranked:
    """What the chosen reranker says of the first passages of `found`, which the asker may open.

    `found` come with their documents. Never raises: a reranker that fails is named in what comes back.
    """
    endpoint = chosen.endpoint
    name = endpoint.name if endpoint else CHAT
    read = [passage for passage in found[:DEPTH] if endpoint is None or _may_read(endpoint, passage)]
    nothing = Reranked(name, {}, kept_back=len(found[:DEPTH]) - len(read))
    # One passage has no order.
    if len(read) < 2:
        return nothing
    texts = [framed(each.version.document.title, each.locator, each.text) for each in read]
    try:
        scores = _score(workspace, endpoint, question, texts)
    except RerankUnavailable as error:
        logger.warning("workspace %s is searched without its reranker: %s", workspace.pk, error)
        return replace(nothing, fault=str(error))
    return replace(nothing, scores={str(passage.pk): score for passage, score in zip(read, scores, strict=True)})


def in_order(ids: Sequence[str], reranked: Reranked) -> list[str]:
    """`ids` with those that have a score in the order of these, in the places they had among the others."""
    scores = reranked.scores
    best_first = iter(sorted((id for id in ids if id in scores), key=lambda id: -scores[id]))
    return [next(best_first) if id in scores else id for id in ids]


def _score(workspace: Workspace, endpoint: RerankEndpoint | None, question: str, texts: Sequence[str]) -> list[float]:
    if endpoint is not None:
        return remote_reranking.scores(endpoint, question, texts)
    if not by_chat:
        raise RerankUnavailable(gettext("This installation has no chat model that reranks."))
    return by_chat[0](workspace, question, texts)


def _may_read(endpoint: RerankEndpoint, passage: Passage) -> bool:
    level = Classification(passage.version.document.classification)
    return level.rank <= Classification(endpoint.ceiling).rank
