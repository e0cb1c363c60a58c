"""How a server is asked: the dialect of an endpoint, as arguments of the client library and headers of a request."""

from typing import TYPE_CHECKING, Any

from answers.models import KeyHeader, LengthField, ModelEndpoint

if TYPE_CHECKING:
    import httpx


def dialect(endpoint: ModelEndpoint, *, temperature: float) -> dict[str, Any]:
    """The arguments of ChatOpenAI that say what a request to this endpoint holds, and what it does not."""
    given: dict[str, Any] = {"stream_usage": endpoint.asks_usage}
    if endpoint.length_field == LengthField.COMPLETION:
        given["max_completion_tokens"] = endpoint.max_output_tokens
    else:
        # The library renames its own argument of this name to the newer one.
        given["extra_body"] = {"max_tokens": endpoint.max_output_tokens}
    if endpoint.sends_temperature:
        given["temperature"] = temperature
    if endpoint.api_version:
        given["default_query"] = {"api-version": endpoint.api_version}
    return given


def sign(request: "httpx.Request", endpoint: ModelEndpoint, key: str) -> None:
    """Put the key where the endpoint wants it, and nowhere else."""
    if endpoint.key_header == KeyHeader.API_KEY:
        request.headers.pop("authorization", None)
        request.headers["api-key"] = key
    elif not key:
        # The library insists on a key and would send a word that is none.
        request.headers.pop("authorization", None)


def parameters(endpoint: ModelEndpoint, *, temperature: float) -> dict[str, Any]:
    """What of a request changes what a model says, for the answer's record."""
    sent = {"temperature": temperature} if endpoint.sends_temperature else {}
    return sent | {"max_output_tokens": endpoint.max_output_tokens}
