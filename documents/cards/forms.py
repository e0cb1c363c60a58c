"""The form of what is said about a document beside its text."""

from datetime import timedelta
from typing import Any

from django import forms
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from documents.cards.metadata import MAX_NOTE
from documents.cards.tagging import usable
from documents.exceptions import DocumentError
from documents.folders.keeping import Tree
from documents.models import Document
from workspaces import access
from workspaces.models import User
from workspaces.roles import Action


class DayInput(forms.DateInput):
    """A browser's own date field, which speaks ISO whatever the language."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(attrs={"class": "input"}, format="%Y-%m-%d")


def day_field(**options: Any) -> forms.DateField:
    """A day as `DayInput` sends it."""
    return forms.DateField(widget=DayInput, input_formats=["%Y-%m-%d"], **options)


class TagsField(forms.CharField):
    """Tags with commas between them, as a list."""

    def to_python(self, value: Any) -> list[str]:
        try:
            return [usable(name) for name in (super().to_python(value) or "").split(",") if name.strip()]
        except DocumentError as error:
            raise forms.ValidationError(str(error)) from error


class CardForm(forms.Form):
    """Owner, validity, review, tags and folder of one document; the owner only for who may name another.

    What was shown is sent along, so that only what the person changed is set: others may have
    changed the rest meanwhile.
    """

    owner = forms.ModelChoiceField(
        User.objects.none(),
        label=_("Owner"),
        required=False,
        empty_label=_("Nobody"),
        help_text=_("Keeps it current, and is asked to review it."),
    )
    valid_until = day_field(
        label=_("Valid until"),
        required=False,
        help_text=_("The last day on which it holds. Empty: no such day is known."),
    )
    review_on = day_field(label=_("To be reviewed on"), required=False)
    review_note = forms.CharField(
        label=_("What to look at"),
        max_length=MAX_NOTE,
        required=False,
        widget=forms.TextInput(attrs={"class": "input"}),
    )
    tags = TagsField(
        label=_("Tags"),
        required=False,
        max_length=2000,
        help_text=_("With commas between them."),
        widget=forms.TextInput(attrs={"class": "input"}),
    )
    folder = forms.ChoiceField(label=_("Folder"), required=False)

    def __init__(self, *args: Any, document: Document, tree: Tree, names_owner: bool, **kwargs: Any) -> None:
        initial = {
            "owner": document.owner_id,
            "valid_until": document.valid_until,
            "review_on": document.review_on,
            "review_note": document.review_note,
            "tags": ", ".join(tag.name for tag in document.tags.all()),
            "folder": str(document.folder_id or ""),
        }
        super().__init__(*args, initial=initial, **kwargs)
        for field in self.fields.values():
            field.show_hidden_initial = True
        self.fields["folder"].choices = folder_choices(tree)
        self.fields["folder"].widget.attrs["class"] = "input"
        if not names_owner:
            del self.fields["owner"]
            return
        # Who owns it now can be kept, even if they could not be named any more.
        able = access.people_allowed(document.workspace, Action.ADD).values("pk")
        self.fields["owner"].queryset = User.objects.filter(Q(pk__in=able) | Q(pk=document.owner_id)).order_by(
            "username"
        )
        self.fields["owner"].label_from_instance = lambda person: person.name
        self.fields["owner"].widget.attrs["class"] = "input"

    @property
    def touched(self) -> set[str]:
        """The fields that say something else than was shown."""
        return {name for name in self.fields if self._shown(name) != (self.data.get(name) or "").strip()}

    @property
    def shown_tags(self) -> list[str]:
        """The tags as they were shown."""
        try:
            return self.fields["tags"].to_python(self._shown("tags"))
        except forms.ValidationError:
            return []

    def _shown(self, name: str) -> str:
        return (self.data.get(self.add_initial_prefix(name)) or "").strip()


class ConfirmForm(forms.Form):
    """Until when a document that was looked through is still good."""

    until = day_field()

    @staticmethod
    def next_year() -> str:
        """What is offered: a year from today."""
        return (timezone.localdate() + timedelta(days=365)).isoformat()


def folder_choices(tree: Tree) -> list[tuple[str, Any]]:
    """The folders a person knows of, each below the one that holds it."""
    return [("", _("No folder")), *((str(pk), branch.folder.path) for pk, branch in tree.branches.items())]
