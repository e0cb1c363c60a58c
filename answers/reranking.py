"""The workspace's own chat model as a reranker, for those who have no other: registers itself with the search."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from answers import endpoints
from answers.chat_models import stream_chat
from answers.exceptions import EndpointError, ModelFailed
from answers.models import EndpointKind
from answers.prompts import reranking as prompts
from documents import reranking
from documents.exceptions import RerankUnavailable
from workspaces.models import Workspace


def scores(workspace: Workspace, question: str, texts: Sequence[str]) -> list[float]:
    """A score for each of `texts` by its place in the model's list; what it left out keeps its order below.

    Raises RerankUnavailable, also where the built-in model answers: it quotes and judges nothing.
    """
    try:
        endpoint = endpoints.default_for(workspace)
        if endpoint.kind == EndpointKind.EXTRACTIVE:
            raise RerankUnavailable(_("The built-in model cannot put passages in order. Choose another model."))
        prompt = prompts.render(question, texts)
        reply = "".join(stream_chat(endpoint, prompt, question=question, evidence=[]))
    except EndpointError as error:
        raise RerankUnavailable(str(error)) from error
    except ModelFailed as error:
        raise RerankUnavailable(_("The model failed: %(detail)s") % {"detail": error.detail}) from error
    listed = prompts.taken(reply, len(texts))
    if not listed:
        raise RerankUnavailable(_("The model replied with something that is not a list of passages."))
    order = [*listed, *(number for number in range(1, len(texts) + 1) if number not in listed)]
    place = {number: rank for rank, number in enumerate(order)}
    return [1.0 - place[number] / len(texts) for number in range(1, len(texts) + 1)]


reranking.by_chat.append(scores)
