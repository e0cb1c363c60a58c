"""What is sent when a draft is brought: a file or a pasted text."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from answers import endpoints
from answers.draft_review.bringing import MAX_TITLE, MOST_CHARACTERS
from answers.models import ModelEndpoint, TemplateVersion
from documents.parse import FORMATS
from workspaces.classification import Classification
from workspaces.models import Workspace


class BringForm(forms.Form):
    """Either of the two; how confidential it is, and which of the workspace's models reads it."""

    file = forms.FileField(
        label=_("File"),
        required=False,
        help_text=_("Up to 50 pages. Only its text is kept. You see it, and reviewers where findings are reviewed."),
        widget=forms.FileInput(attrs={"accept": ",".join(f".{ending}" for ending in FORMATS)}),
    )
    text = forms.CharField(
        label=_("Or paste the text"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "maxlength": MOST_CHARACTERS}),
    )
    title = forms.CharField(label=_("Title of the pasted text"), required=False, max_length=MAX_TITLE)
    classification = forms.ChoiceField(
        label=_("How confidential is it?"),
        choices=Classification.choices,
        initial=Classification.INTERNAL,
        help_text=_("A model below this level is given none of it."),
    )
    endpoint = forms.ModelChoiceField(label=_("Model"), queryset=ModelEndpoint.objects.none(), empty_label=None)

    def __init__(self, *args: Any, workspace: Workspace, template: TemplateVersion | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        named = template.endpoint if template else None
        offered = [named] if named else endpoints.choices_for(workspace)
        self.fields["endpoint"].queryset = ModelEndpoint.objects.filter(pk__in=[one.pk for one in offered])
        self.fields["endpoint"].initial = (named or endpoints.default_for(workspace)).pk if offered else None
        self.fields["endpoint"].label_from_instance = lambda endpoint: endpoint.name

    def clean(self) -> dict[str, Any]:
        sent = super().clean() or {}
        if not self.errors and bool(sent.get("file")) == bool((sent.get("text") or "").strip()):
            raise forms.ValidationError(_("Choose a file or paste a text, one of the two."))
        return sent
