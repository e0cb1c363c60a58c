"""Forms of legal holds and of the retention rules."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from documents.deletion.holds import MAX_REASON
from documents.models import RetentionRules


class HoldForm(forms.Form):
    """What is held, and why."""

    document = forms.CharField(label=_("What is held"), required=False, widget=forms.Select)
    reason = forms.CharField(
        label=_("Why?"),
        max_length=MAX_REASON,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("For example the matter it is needed for. Kept with the hold and in the audit trail."),
    )

    def offer(self, documents: Iterable[tuple[str, str]]) -> None:
        """The documents to choose from, by id and what they are called."""
        self.fields["document"].widget.choices = [("", _("Everything in the workspace")), *documents]

    def clean_document(self) -> UUID | None:
        said = self.cleaned_data["document"]
        try:
            return UUID(said) if said else None
        except ValueError as error:
            raise forms.ValidationError(_("Choose a document from the list.")) from error


class RetentionForm(forms.ModelForm):
    """The retention rules; an empty field keeps for ever."""

    class Meta:
        model = RetentionRules
        fields = ["bin_days", "after_added_days", "after_expired_days", "after_replaced_days", "keeps_answers"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("after_added_days", "after_expired_days", "after_replaced_days"):
            self.fields[name].widget.attrs["placeholder"] = _("for ever")
