"""What is sent when something is done with a gap."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from answers.gaps.closing import MAX_TEXT, MAX_TITLE
from answers.gaps.steering import MAX_REASON
from documents.cards.forms import day_field
from documents.models import Document
from workspaces import access
from workspaces.models import User, Workspace
from workspaces.roles import Action

_MOST_DOCUMENTS = 500


class AssignForm(forms.Form):
    """Who is to close the gap, and by when; nobody for an empty choice."""

    to = forms.ModelChoiceField(
        label=_("Person"), queryset=User.objects.none(), required=False, empty_label=_("Nobody")
    )
    due_on = day_field(label=_("Due on"), required=False)

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to"].queryset = access.people_allowed(workspace, Action.ADD).order_by("username")
        self.fields["to"].label_from_instance = lambda person: person.name


class ByDocumentForm(forms.Form):
    """A document that is here already."""

    document = forms.ModelChoiceField(label=_("Document"), queryset=Document.objects.none())

    def __init__(self, *args: Any, workspace: Workspace, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        opened = access.visible(user, Document).filter(workspace=workspace)
        newest = opened.order_by("-created_at").values("pk")[:_MOST_DOCUMENTS]
        self.fields["document"].queryset = opened.filter(pk__in=newest).order_by("title")
        self.fields["document"].label_from_instance = lambda document: document.title


class ByFileForm(forms.Form):
    """A file that becomes a document."""

    file = forms.FileField(label=_("File"), widget=forms.FileInput)


class ByTextForm(forms.Form):
    """A text that becomes a document under its writer's name."""

    title = forms.CharField(label=_("Title"), max_length=MAX_TITLE)
    text = forms.CharField(label=_("Answer"), max_length=MAX_TEXT, widget=forms.Textarea(attrs={"rows": 8}))


class DismissForm(forms.Form):
    """Why nothing is done."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=MAX_REASON,
        help_text=_("Those who asked read it."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )
