"""Ask a server how well passages answer a question, over the two protocols that rerankers speak.

Where it may be: `documents/model_server.py`. What it answers is looked at before it is believed: one finite score for
each passage.
"""

import json
import math
from collections.abc import Callable, Sequence
from typing import Any

from django.utils.translation import gettext, gettext_noop

from documents.exceptions import RerankUnavailable, SourceFailed
from documents.fetch import require_allowed
from documents.model_server import BUSY, SENTENCES, Asked, listed, post
from documents.models import RerankEndpoint, RerankProtocol
from documents.outgoing import ORDER, Account, Leaving, NotSent, counted, size_of
from workspaces.endpoints import keys
from workspaces.endpoints.keys import KeyMissing
from workspaces.places import PLACES

_SCORE_BYTES = 200
_SENTENCES = SENTENCES | {
    "missing": gettext_noop("%(name)s reranks nothing at this address."),
    "protocol": gettext_noop("%(name)s answered with something that is not a score for each passage."),
}


def scores(
    endpoint: RerankEndpoint,
    question: str,
    texts: Sequence[str],
    *,
    account: Account,
    sending: Callable[[], None] = lambda: None,
) -> list[float]:
    """How well each of `texts` answers `question`: higher is better, any scale. Raises RerankUnavailable.

    A candidate is only asked with texts of our own, which `account` says. `sending` is called once they may go out, and
    before they do.
    """
    if not (endpoint.may_be_tried if account.is_ours else endpoint.usable):
        raise RerankUnavailable(gettext("The reranker %(name)s is not approved for use.") % {"name": endpoint.name})
    # A server reads the question beside each text.
    size = size_of(*texts) + len(texts) * size_of(question)
    try:
        key = keys.key_named(endpoint.key_reference)
        with counted(Leaving(endpoint, ORDER, account, size, endpoint.seconds)) as sent:
            sending()
            with PLACES.set_aside():
                said = post(
                    address(endpoint),
                    _asked(endpoint, question, texts),
                    Asked(endpoint.pk, endpoint.requests_per_minute),
                    home=endpoint.base_url,
                    key=key,
                    seconds=endpoint.seconds,
                    most_bytes=65536 + sum(map(_size, texts)),
                )
            # These protocols have no field for it that servers agree on.
            sent.read(size, 0)
    except (KeyMissing, NotSent) as error:
        raise RerankUnavailable(str(error)) from error
    except SourceFailed as failed:
        raise _unavailable(endpoint, *_told(failed)) from failed
    return _read(endpoint, said, len(texts))


def require_listed(endpoint: RerankEndpoint) -> None:
    """Return if the server may be asked, going by what is written. Raises RerankUnavailable."""
    if "?" in endpoint.base_url:
        raise _unavailable(endpoint, "host_form")
    try:
        require_allowed(address(endpoint), listed())
    except SourceFailed as failed:
        raise _unavailable(endpoint, *_told(failed)) from failed


def address(endpoint: RerankEndpoint) -> str:
    return f"{endpoint.base_url}/rerank"


# --- Inside -------------------------------------------------------------------------------------------------


def _asked(endpoint: RerankEndpoint, question: str, texts: Sequence[str]) -> dict[str, Any]:
    if endpoint.protocol == RerankProtocol.TEI:
        return {"query": question, "texts": list(texts), "truncate": True, "raw_scores": False}
    named = {"model": endpoint.model} if endpoint.model else {}
    return named | {"query": question, "documents": list(texts), "top_n": len(texts), "return_documents": False}


def _read(endpoint: RerankEndpoint, said: bytes, expected: int) -> list[float]:
    try:
        document = json.loads(said)
        if endpoint.protocol == RerankProtocol.TEI:
            found = [(row["index"], row["score"]) for row in document]
        else:
            found = [(row["index"], row["relevance_score"]) for row in document["results"]]
        by_number = dict(sorted((number, float(score)) for number, score in found if _are_numbers(number, score)))
    # A number too large for a float, and brackets too deep to be read.
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise _unavailable(endpoint, "protocol") from error
    one_for_each = len(found) == expected and list(by_number) == list(range(expected))
    if not one_for_each or not all(map(math.isfinite, by_number.values())):
        raise _unavailable(endpoint, "protocol")
    return list(by_number.values())


def _are_numbers(number: object, score: object) -> bool:
    """Whether these are a whole number and a number: true is neither, and "1" is a text."""
    return type(number) is int and type(score) in (int, float)


def _size(text: str) -> int:
    # Some servers send the passages back whatever they are told; a letter is up to six bytes in JSON.
    return _SCORE_BYTES + 6 * len(text.encode("utf-16-le")) // 2


def _told(failed: SourceFailed) -> tuple[str, int]:
    status = int(failed.detail.get("status") or 0)
    if failed.code == "status":
        return ("busy" if status in BUSY else "refused"), status
    return (failed.code if failed.code in _SENTENCES else "protocol"), status


def _unavailable(endpoint: RerankEndpoint, code: str, status: int = 0) -> RerankUnavailable:
    return RerankUnavailable(gettext(_SENTENCES[code]) % {"name": endpoint.name, "status": status})
