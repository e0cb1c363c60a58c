"""Forms of acts on many documents."""

from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from documents.bulk.orders import Order
from documents.cards.forms import DayInput, folder_choices
from documents.folders.keeping import Tree
from documents.models import MAX_TAG, BulkAct, UsageRight
from workspaces.classification import Classification

#: A page of the list, and some more for whoever writes the address by hand.
_MOST_IDS = 500


class IdsField(forms.Field):
    """Ids as a page's boxes send them."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: Any) -> list[UUID]:
        try:
            ids = [UUID(each) for each in value or ()]
        except ValueError as error:
            raise forms.ValidationError(_("This is not a document.")) from error
        if len(ids) > _MOST_IDS:
            raise forms.ValidationError(_("Choose fewer documents, or all that match."))
        return ids


class ChoiceForm(forms.Form):
    """Which documents, and what to do with them: ids, or everything that the list's filters match."""

    act = forms.ChoiceField(choices=BulkAct.choices)
    everything = forms.BooleanField(required=False)
    #: The list's parameters, as the confirmation keeps them.
    filters = forms.CharField(max_length=2000, required=False)
    document = IdsField(required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("everything") and not data.get("document"):
            raise forms.ValidationError(_("Choose at least one document."))
        return data


#: No owner, or no folder, where one has to say so: nobody can be called this.
_NONE = "(none)"


class OrderForm(forms.Form):
    """What the act sets, and the fingerprint of the documents the person confirmed it for."""

    confirmed = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, act: BulkAct, confirmed: str, tree: Tree | None, people: Any, **kwargs: Any) -> None:
        super().__init__(*args, initial={"confirmed": confirmed}, **kwargs)
        value = _value_field(act, tree, people)
        if value is not None:
            value.widget.attrs["class"] = "input"
            self.fields["value"] = value
        if act == BulkAct.DELETE:
            self.fields["reason"] = forms.CharField(
                label=_("Reason (optional, kept in the audit trail)"),
                max_length=500,
                required=False,
                widget=forms.TextInput(attrs={"class": "input"}),
            )

    @property
    def first_error(self) -> str:
        return next(str(error) for errors in self.errors.values() for error in errors)

    def order(self, act: BulkAct) -> Order:
        """What was asked for, once the form is valid."""
        data = self.cleaned_data
        value = "" if data.get("value") == _NONE else data.get("value", "")
        written = value.isoformat() if hasattr(value, "isoformat") else str(value or "")
        return Order(act, written, data.get("reason", ""))


def _value_field(act: BulkAct, tree: Tree | None, people: Any) -> forms.Field | None:
    match act:
        case BulkAct.CLASSIFY:
            return _choice(_("Classification"), _("Choose a classification"), Classification.choices)
        case BulkAct.USAGE:
            return _choice(_("Usage rights"), _("Choose what they allow"), UsageRight.choices)
        case BulkAct.TAG | BulkAct.UNTAG:
            return forms.CharField(label=_("Tag"), max_length=MAX_TAG)
        case BulkAct.OWNER:
            named = [(person.username, person.name) for person in people]
            return _choice(_("Owner"), _("Choose an owner"), [(_NONE, _("Nobody")), *named])
        case BulkAct.VALID_UNTIL:
            return _day(_("Valid until"))
        case BulkAct.REVIEW:
            return _day(_("To be reviewed on"))
        case BulkAct.MOVE:
            there = folder_choices(tree) if tree else []
            return _choice(_("Folder"), _("Choose a folder"), [(pk or _NONE, name) for pk, name in there])
    return None


def _choice(label: Any, prompt: Any, choices: Any) -> forms.ChoiceField:
    """One that has to be made: preset to the first, a press too early would set that on everything chosen."""
    return forms.ChoiceField(label=label, choices=[("", prompt), *choices])


def _day(label: Any) -> forms.DateField:
    help_text = _("Empty: takes the day off them.")
    return forms.DateField(
        label=label, required=False, widget=DayInput, input_formats=["%Y-%m-%d"], help_text=help_text
    )
