"""What addresses and forms of the document pages may say, read into plain values."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from documents.access import restriction
from documents.filters import COLUMNS, DUE, GROUPS, Asked
from documents.models import MAX_TAG, Document
from documents.parse import FORMATS
from workspaces.bars.rules import Holder
from workspaces.classification import Classification
from workspaces.models import User


class FilterForm(forms.Form):
    """The list's search box, filters, order and page; anything unusable counts as not given."""

    q = forms.CharField(max_length=200, required=False, label=_("Title or path"))
    state = forms.ChoiceField(choices=[(code, label) for code, (label, _rule) in GROUPS.items()], required=False)
    level = forms.ChoiceField(choices=Classification.choices, required=False, label=_("Classification"))
    format = forms.ChoiceField(choices=[(name, name.upper()) for name in sorted(FORMATS)], required=False)
    tag = forms.CharField(max_length=MAX_TAG, required=False, label=_("Tag"))
    folder = forms.UUIDField(required=False)
    owner = forms.CharField(max_length=36, required=False, label=_("Owner"))
    due = forms.ChoiceField(choices=list(DUE.items()), required=False, label=_("Validity"))
    source = forms.UUIDField(required=False, label=_("Source"))
    open_to = forms.ChoiceField(
        choices=[("all", _("The workspace")), ("named", _("Named people"))], required=False, label=_("Open to")
    )
    reason = forms.CharField(max_length=40, required=False)
    sort = forms.ChoiceField(choices=[(way + name, name) for name in COLUMNS for way in ("", "-")], required=False)
    page = forms.IntegerField(min_value=1, required=False)

    def asked(self) -> Asked:
        """The values that make sense, ready for `listing`."""
        self.is_valid()
        given = {name: str(value).strip() for name, value in self.cleaned_data.items() if value and name != "page"}
        return Asked(**given, page=self.cleaned_data.get("page") or 1)


class GrantForm(forms.Form):
    """Somebody of the workspace who is to open a restricted document."""

    person = forms.ModelChoiceField(User.objects.none(), label=_("Person"), empty_label=_("Choose a person"))

    def __init__(self, *args: Any, people: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["person"].queryset = people
        self.fields["person"].label_from_instance = lambda person: person.name


class HolderForm(forms.Form):
    """A person (`p:` and an id) or a group (`g:` and an id) who could be granted a document, or was."""

    holder = forms.ChoiceField(label=_("Person or group"), widget=forms.Select(attrs={"class": "input"}))

    def __init__(self, *args: Any, document: Document, granted: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = restriction.granted_people(document) if granted else restriction.people_to_grant(document)
        groups = restriction.granted_groups(document) if granted else restriction.groups_to_grant(document)
        self._holders: dict[str, Holder] = {f"g:{group.pk}": group for group in groups}
        self._holders |= {f"p:{person.pk}": person for person in people}
        self.fields["holder"].choices = [(key, holder.name) for key, holder in self._holders.items()]

    def clean_holder(self) -> Holder:
        return self._holders[self.cleaned_data["holder"]]


class DeleteForm(forms.Form):
    """Why a document is deleted; kept in the trail."""

    reason = forms.CharField(max_length=500, required=False, strip=True)
