"""What is known of common servers: where they listen, and how their dialect of the protocol differs."""

from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from answers.models import KeyHeader, LengthField
from workspaces.endpoints.base import Residency

_FILLED_IN = (
    "base_url",
    "key_header",
    "length_field",
    "asks_usage",
    "sends_temperature",
    "api_version",
    "residency",
)


@dataclass(frozen=True, slots=True)
class Preset:
    """One kind of server. `code` is stored with the endpoints that were filled in from it."""

    code: str
    label: str | Promise
    base_url: str = ""
    key_header: KeyHeader = KeyHeader.BEARER
    length_field: LengthField = LengthField.TOKENS
    asks_usage: bool = True
    sends_temperature: bool = True
    api_version: str = ""
    residency: Residency = Residency.UNKNOWN
    #: What whoever fills in the form has to know.
    hint: str | Promise = ""

    def initial(self) -> dict[str, Any]:
        """What a new endpoint's form is filled in with."""
        names = (
            "base_url",
            "key_header",
            "length_field",
            "asks_usage",
            "sends_temperature",
            "api_version",
            "residency",
        )
        return {"provider": self.code} | {name: getattr(self, name) for name in names}


_OURS = {"residency": Residency.PREMISES, "hint": _("The portal's list of model hosts must name this address.")}

PRESETS: dict[str, Preset] = {
    preset.code: preset
    for preset in (
        Preset(
            "openai",
            "OpenAI",
            "https://api.openai.com/v1",
            length_field=LengthField.COMPLETION,
            hint=_("For a reasoning model, switch the temperature off."),
        ),
        Preset(
            "azure",
            "Azure OpenAI",
            "https://RESOURCE.openai.azure.com/openai/deployments/DEPLOYMENT",
            key_header=KeyHeader.API_KEY,
            length_field=LengthField.COMPLETION,
            api_version="2024-10-21",
            hint=_("Write your resource and your deployment into the address; older models want max_tokens."),
        ),
        # It refuses what it does not know: neither max_completion_tokens nor stream_options. It counts unasked.
        Preset("mistral", "Mistral", "https://api.mistral.ai/v1", asks_usage=False),
        Preset("ollama", "Ollama", "http://127.0.0.1:11434/v1", **_OURS),
        Preset("vllm", "vLLM", "http://127.0.0.1:8000/v1", **_OURS),
        Preset("llama-cpp", "llama.cpp", "http://127.0.0.1:8080/v1", **_OURS),
        Preset("lm-studio", "LM Studio", "http://127.0.0.1:1234/v1", **_OURS),
        Preset(
            "other", _("Another server"), asks_usage=False, hint=_("Start plain; its documentation says what it takes.")
        ),
    )
}
