"""The one form of an asker."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from answers import endpoints
from answers.exceptions import EndpointError
from answers.models import ModelEndpoint
from workspaces.models import Workspace


class QuestionForm(forms.Form):
    """A question and, where the workspace offers several, the model that answers it."""

    text = forms.CharField(
        label=_("Question"),
        strip=True,
        widget=forms.Textarea(attrs={"rows": 1, "data-hotkey": "/", "autocomplete": "off"}),
        error_messages={"required": _("Write a question first.")},
    )
    model = forms.ChoiceField(label=_("Model"), required=False)

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
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

    def endpoint(self) -> ModelEndpoint | None:
        """The endpoint that was chosen; None is the workspace's default."""
        return self.endpoints.get(self.cleaned_data.get("model", ""))
