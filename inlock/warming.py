"""Load what the first question or file of a worker would otherwise wait for: models, tokenizers, client libraries."""

import logging
import time
from collections.abc import Collection

from django.db import connection

from answers import chat_models
from answers.models import ModelEndpoint
from documents import embeddings, index
from documents.index import IndexUnavailable
from workspaces.endpoints.base import USABLE_STATES

logger = logging.getLogger(__name__)


def warm_for_questions() -> None:
    """Everything between a question and its first word, except what belongs to a single workspace."""
    started = time.monotonic()
    warm_for_files()
    chat_models.load(_kinds())
    logger.info("Ready for questions after %.1f seconds", time.monotonic() - started)


def warm_for_files() -> None:
    """The embedding model and the connection to the index; an index that is down is met again when it is needed."""
    embeddings.embed_query("warm", embeddings.default_space())
    try:
        index.version()
    except IndexUnavailable as error:
        logger.warning("%s", error)


def _kinds() -> Collection[str]:
    """The kinds of model this installation asks."""
    try:
        return set(ModelEndpoint.objects.filter(state__in=USABLE_STATES).values_list("kind", flat=True))
    finally:
        connection.close()  # this thread asks nothing more
