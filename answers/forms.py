"""What an asker sends, and what a manager chooses for them."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.forms.boundfield import BoundWidget
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from answers import endpoints
from answers.exceptions import EndpointError
from answers.models import EndpointKind, ModelEndpoint, TemplateVersion, WorkspaceModels
from answers.rag_templates.choosing import STANDARD, Standard
from answers.rag_templates.picker import Picker
from answers.registry.prices import price_of
from documents.models import RerankEndpoint
from documents.reranking import endpoints as rerank_endpoints
from documents.reranking import rerankers as reranking
from workspaces.endpoints.base import USABLE_STATES
from workspaces.models import Workspace


class QuestionForm(forms.Form):
    """A question and, where the workspace offers several, the template and the model that answer it."""

    text = forms.CharField(
        label=_("Question"),
        strip=True,
        widget=forms.Textarea(attrs={"rows": 1, "data-hotkey": "/", "autocomplete": "off"}),
        error_messages={"required": _("Write a question first.")},
    )
    model = forms.ChoiceField(label=_("Model"), required=False)
    template = forms.ChoiceField(label=_("Template"), required=False)

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.picker = Picker(workspace)
        self.fields["template"].choices = [(each.code, each.name) for each in self.picker.choices]
        try:
            self.endpoints = {endpoint.name: endpoint for endpoint in endpoints.choices_for(workspace)}
        except EndpointError:
            # Asking then ends in a state that says so, with a sentence.
            self.endpoints = {}
        self.fields["model"].choices = [(name, name) for name in self.endpoints]
        self.fields["text"].widget.attrs["maxlength"] = settings.MAX_QUESTION_CHARACTERS
        self.fields["text"].widget.attrs["placeholder"] = _("Ask about the documents of this workspace")

    @property
    def offers_models(self) -> bool:
        return len(self.endpoints) > 1

    @property
    def chosen_template(self) -> str:
        """The code of the template that stands in the picker."""
        return self.data.get("template") or self.initial.get("template") or STANDARD.value

    def endpoint(self) -> ModelEndpoint | None:
        """The endpoint that was chosen; None is the workspace's default, or the one its template names."""
        template = self.asked_with()
        if isinstance(template, TemplateVersion) and template.endpoint_id is not None:
            return None
        return self.endpoints.get(self.cleaned_data.get("model", ""))

    def asked_with(self) -> TemplateVersion | Standard | None:
        """The template that was chosen; None where none was sent, so that a conversation keeps its own."""
        return self.picker.of(self.cleaned_data.get("template", ""))


class ModelsForm(forms.Form):
    """The models of a workspace, from those that are connected and switched on."""

    default = forms.ModelChoiceField(
        label=_("Default model"),
        queryset=ModelEndpoint.objects.none(),
        widget=forms.RadioSelect,
        empty_label=None,
        error_messages={"required": _("Choose the model that answers.")},
    )
    choices = forms.ModelMultipleChoiceField(
        label=_("People may choose instead"),
        queryset=ModelEndpoint.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    reranker = forms.ChoiceField(label=_("Order of passages"), widget=forms.RadioSelect, required=False)

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        self.puts_in_order = reranking.chosen_for(workspace)
        chosen = WorkspaceModels.objects.filter(workspace=workspace).select_related("default_endpoint").first()
        kwargs["initial"] = {
            "default": chosen.default_endpoint_id if chosen else endpoints.built_in(),
            "choices": [endpoint.pk for endpoint in chosen.choices.all()] if chosen else [],
            "reranker": rerank_endpoints.name_of(self.puts_in_order),
        }
        super().__init__(*args, **kwargs)
        #: The default that answers nothing any more.
        self.switched_off = chosen.default_endpoint if chosen and not chosen.default_endpoint.usable else None
        self.offered = ModelEndpoint.objects.filter(state__in=USABLE_STATES)
        for name in ("default", "choices"):
            self.fields[name].queryset = self.offered
        # The built-in model quotes and judges nothing.
        judging = self.offered.exclude(kind=EndpointKind.EXTRACTIVE).exists()
        names = [name for name in rerank_endpoints.offered() if judging or name != reranking.CHAT]
        self.fields["reranker"].choices = [(name, _called(name)) for name in names]

    @property
    def offers_rerankers(self) -> bool:
        return len(self.fields["reranker"].choices) > 1

    def rerankers(self) -> Iterator[tuple[BoundWidget, str]]:
        """Each way to put passages in order, with a sentence on what it costs and sends where."""
        endpoints_by_name = {each.name: each for each in RerankEndpoint.objects.filter(state__in=USABLE_STATES)}
        for choice in self["reranker"]:
            name = choice.data["value"]
            yield choice, _ordering(name, endpoints_by_name.get(name))

    def described(self, field: str) -> Iterator[tuple[BoundWidget, str]]:
        """Each choice of the field with a sentence on where its model answers."""
        for choice in self[field]:
            yield choice, _place(choice.data["value"].instance)

    def defaults(self) -> Iterator[tuple[BoundWidget, str]]:
        return self.described("default")

    def others(self) -> Iterator[tuple[BoundWidget, str]]:
        return self.described("choices")


def _called(name: str) -> str:
    if not name:
        return gettext("As the search finds them")
    return gettext("The model that answers here") if name == reranking.CHAT else name


def _ordering(name: str, endpoint: RerankEndpoint | None) -> str:
    if endpoint is not None:
        return gettext(
            "Questions, and passages of documents up to “%(ceiling)s”, are sent to %(host)s; others keep their place."
        ) % {"ceiling": endpoint.get_ceiling_display(), "host": urlsplit(endpoint.base_url).netloc}
    if name == reranking.CHAT:
        return gettext("It reads the first %(depth)d passages before it answers: slower, and more text for it.") % {
            "depth": reranking.DEPTH
        }
    return gettext("By words and by meaning, half and half. Nothing more is sent anywhere.")


def _place(endpoint: ModelEndpoint) -> str:
    if endpoint.kind == EndpointKind.EXTRACTIVE:
        return gettext("Built in: quotes the documents and writes nothing of its own. No passage leaves this portal.")
    sent = gettext("%(model)s. Questions and passages are sent to %(host)s.") % {
        "model": endpoint.model,
        "host": urlsplit(endpoint.base_url).netloc,
    }
    terms = gettext("Takes documents up to “%(ceiling)s”. Processed: %(residency)s. A million tokens: %(price)s.") % {
        "ceiling": endpoint.get_ceiling_display(),
        "residency": endpoint.get_residency_display(),
        "price": price_of(endpoint),
    }
    return f"{sent} {terms}"
