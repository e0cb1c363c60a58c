"""P10, for models: questions and passages go only where the operator allows, whatever an administrator types.

Each form is tried through the real ways in, saving an endpoint and asking a model, beside a server on loopback that
must not be reached.
"""

import ipaddress
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from answers import chat_models
from answers.endpoints import save_endpoint
from answers.exceptions import EndpointError, ModelFailed
from answers.models import EndpointKind, ModelEndpoint
from answers.prompts import Prompt
from answers.registry import hosts as model_hosts
from tests.documents.sources.servers import tell_names
from tests.permits import permit_for
from workspaces import hosts

PUBLIC = "93.184.215.14"

#: {p} is the port the canary listens on. With every public host allowed, none of these may reach it.
INSIDE = [
    *Path(__file__).with_name("addresses_inside.txt").read_text(encoding="utf-8").split(),
    "http://127.0.0.1:{p}/v1\r\nHost: good.example",
    "http://127.0.0.1 :{p}/v1",
    " http://127.0.0.1:{p}/v1",
    "http://127.0.0.1\t:{p}/v1",
    "http://loca\nlhost:{p}/v1",
    "http://127.0.0.1:{p}/v1?key=1",
    "http://127.0.0.1:{p}/v1#x",
    "http://localhost\xad:{p}/v1",
    "http://\u202elocalhost:{p}/v1",
]

UNKNOWN = {
    "http://foo.localhost:{p}/v1",
    "http://redis:6379/v1",
    "http://chroma:8000/v1",
    "http://postgres:5432/v1",
}


class _Counting(BaseHTTPRequestHandler):
    """Counts whoever connects at all, and sends on whoever asks for /redirect."""

    def setup(self) -> None:
        self.server.hits += 1
        super().setup()

    def do_POST(self) -> None:
        if "redirect" not in self.path:
            self.send_error(500)
            return
        self.send_response(307 if "307" in self.path else 302)
        self.send_header("Location", self.server.leads_to)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def canary() -> Iterator[Any]:
    """A server on loopback; `hits` counts connections."""
    with _served() as server:
        yield server


def _served() -> Any:
    class Served:
        def __enter__(self) -> Any:
            self.server = ThreadingHTTPServer(("127.0.0.1", 0), _Counting)
            self.server.hits, self.server.leads_to = 0, ""
            threading.Thread(target=self.server.serve_forever, args=[0.02], daemon=True).start()
            return self.server

        def __exit__(self, *_: Any) -> None:
            self.server.shutdown()
            self.server.server_close()

    return Served()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[list[str]]]:
    """name → what it resolves to the first time, the second time, …; the last answer stays."""
    return tell_names(monkeypatch)


def _ask(url: str) -> str:
    """Ask a model at `url` as the pipeline does, whatever saving would have said."""
    endpoint = ModelEndpoint(
        name="x", kind=EndpointKind.OPENAI, base_url=url, model="m", connect_seconds=2, total_seconds=4
    )
    prompt = Prompt(system="s", question="q", version="v", template_sha256="")
    return "".join(chat_models.stream_chat(permit_for(endpoint, prompt), prompt, question="q", evidence=[]))


def _at(server: Any) -> str:
    return f"127.0.0.1:{server.server_port}"


def test_there_are_enough_forms():
    assert len(set(INSIDE)) >= 100


@pytest.mark.django_db
def test_no_form_reaches_into_the_network_when_any_public_host_is_allowed(canary, admin, settings):
    settings.MODEL_HOSTS = ["*", "good.example"]
    port = str(canary.server_port)

    for form in INSIDE:
        url = form.replace("{p}", port)
        # A name that nobody knows here may be saved: it is looked up again before each connection.
        with suppress(EndpointError) if form in UNKNOWN else pytest.raises(EndpointError):
            save_endpoint(ModelEndpoint(name="x", kind=EndpointKind.OPENAI, base_url=url, model="m"), by=admin)
            assert form in UNKNOWN, form
            ModelEndpoint.objects.get(name="x").delete()
        with pytest.raises((EndpointError, ModelFailed)):
            _ask(url)

    assert canary.hits == 0
    assert not ModelEndpoint.objects.filter(base_url__contains=port).exists()


@pytest.mark.parametrize("listed", [[], ["llm.example"], ["llm.example:443", "10.1.0.0/16"]])
@pytest.mark.parametrize(
    "url", ["https://93.184.215.14/v1", "https://other.example/v1", "https://llm.example:8443/v1x"]
)
def test_a_host_that_is_not_listed_is_refused_however_public(listed, url, settings, names):
    settings.MODEL_HOSTS = listed
    names.update({"other.example": [[PUBLIC]], "llm.example": [[PUBLIC]]})
    if listed == ["llm.example"] and "llm.example" in url:
        url = "https://llm.example.evil.example/v1"

    with pytest.raises(EndpointError, match="list of model hosts"):
        _ask(url)


def test_a_listed_host_of_ones_own_network_is_reached_once_its_network_is_listed(canary, settings, names):
    names["llm.internal"] = [["127.0.0.1"]]
    url = f"http://llm.internal:{canary.server_port}/v1"

    settings.MODEL_HOSTS = ["llm.internal"]
    with pytest.raises(ModelFailed):
        _ask(url)
    assert canary.hits == 0

    settings.MODEL_HOSTS = ["llm.internal", "127.0.0.0/8"]
    with pytest.raises(ModelFailed, match="500"):
        _ask(url)
    assert canary.hits == 1


@pytest.mark.django_db
@pytest.mark.parametrize("listed", [["127.0.0.0/8"], ["vllm:1", "127.0.0.0/8"], ["*"], ["vllm"]])
def test_a_host_of_one_label_is_refused_unless_it_and_its_network_are_listed(listed, canary, admin, settings, names):
    """As a model beside us in a container network is called: saved and asked by the list alone."""
    names["vllm"] = [["127.0.0.1"]]
    endpoint = ModelEndpoint(
        name="beside", kind=EndpointKind.OPENAI, base_url=f"http://vllm:{canary.server_port}/v1", model="m"
    )

    settings.MODEL_HOSTS = listed
    with pytest.raises(EndpointError, match="list of model hosts"):
        save_endpoint(endpoint, by=admin)
    assert canary.hits == 0

    settings.MODEL_HOSTS = [f"vllm:{canary.server_port}", "127.0.0.0/8"]
    save_endpoint(endpoint, by=admin)
    with pytest.raises(ModelFailed, match="500"):
        _ask(endpoint.base_url)
    assert canary.hits == 1


@pytest.mark.parametrize("second", [["127.0.0.1"], ["::1"], ["169.254.169.254"], ["::ffff:127.0.0.1"]])
def test_a_name_that_changes_its_address_between_check_and_connection_gets_nowhere(
    second, canary, admin, settings, names
):
    settings.MODEL_HOSTS = ["rebinds.example"]
    names["rebinds.example"] = [[PUBLIC], second]
    url = f"https://rebinds.example:{canary.server_port}/v1"

    model_hosts.require_resolved(url)  # public when it is saved
    with pytest.raises(ModelFailed):
        _ask(url)

    assert canary.hits == 0


def test_a_name_with_one_address_outside_and_one_inside_is_refused(canary, settings, names, admin):
    settings.MODEL_HOSTS = ["both.example"]
    names["both.example"] = [[PUBLIC, "127.0.0.1"]]
    url = f"https://both.example:{canary.server_port}/v1"

    with pytest.raises(EndpointError, match="leads into a network"):
        save_endpoint(ModelEndpoint(name="x", kind=EndpointKind.OPENAI, base_url=url, model="m"), by=admin)
    with pytest.raises(ModelFailed):
        _ask(url)

    assert canary.hits == 0


@pytest.mark.parametrize("kind", ["302", "307"])
def test_a_listed_server_that_sends_us_on_is_not_followed(kind, canary, settings):
    settings.MODEL_HOSTS = ["127.0.0.0/8"]
    with _served() as second:
        canary.leads_to = f"http://{_at(second)}/v1/chat/completions"

        with pytest.raises(ModelFailed, match=kind):
            _ask(f"http://{_at(canary)}/redirect-{kind}")

        assert (canary.hits, second.hits) == (1, 0)


def test_no_proxy_of_the_environment_is_asked(canary, settings, names, monkeypatch):
    settings.MODEL_HOSTS = ["llm.example"]
    names["llm.example"] = [["127.0.0.1"]]
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://{_at(canary)}")

    with pytest.raises(ModelFailed):
        _ask("https://llm.example/v1")

    assert canary.hits == 0


def test_outside_of_the_listed_networks_a_model_is_asked_over_https_only(settings, names, admin):
    settings.MODEL_HOSTS = ["llm.example"]
    names["llm.example"] = [[PUBLIC]]

    with pytest.raises(EndpointError, match="HTTPS"):
        save_endpoint(
            ModelEndpoint(name="x", kind=EndpointKind.OPENAI, base_url="http://llm.example/v1", model="m"), by=admin
        )


def test_the_sentence_tells_nothing_of_what_a_name_resolves_to(settings, names):
    settings.MODEL_HOSTS = ["both.example"]
    names["both.example"] = [["10.20.30.40"]]

    with pytest.raises(EndpointError) as refused:
        model_hosts.require_resolved("https://both.example/v1")

    assert "10.20.30.40" not in str(refused.value)


@pytest.mark.parametrize(
    ("address", "is_public"),
    [
        (PUBLIC, True),
        ("2606:4700::1111", True),
        ("::ffff:93.184.215.14", True),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::5db8:d70e", False),
        ("2002:5db8:d70e::", False),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
    ],
)
def test_which_addresses_are_public(address, is_public):
    assert hosts.is_public(ipaddress.ip_address(address)) is is_public


def test_without_the_check_the_canary_is_hit(canary, settings, monkeypatch):
    """The counter-proof: what keeps the forms out is the check, and nothing else."""
    settings.MODEL_HOSTS = ["*"]
    monkeypatch.setattr(model_hosts, "require_address", lambda found, target: str(found[0]))

    for url in (f"http://{_at(canary)}/v1", f"http://localhost:{canary.server_port}/v1"):
        with pytest.raises(ModelFailed, match="500"):
            _ask(url)

    assert canary.hits == 2
