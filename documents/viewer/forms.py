"""What the addresses of the viewer may say, read into plain values."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class PlaceForm(forms.Form):
    """A place in a document, as a citation's address or the page box names it."""

    start = forms.IntegerField(min_value=0, required=False)
    end = forms.IntegerField(min_value=1, required=False)
    page = forms.IntegerField(min_value=1, required=False)
    #: Of a page, slide or sheet that is too long for one screen.
    part = forms.IntegerField(min_value=1, required=False)
    #: What is looked for in the text, and the number of the place that was chosen among those found.
    find = forms.CharField(max_length=200, required=False)
    hit = forms.IntegerField(min_value=1, required=False)
    #: The character where the reader was who began to look for it.
    near = forms.IntegerField(min_value=0, required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        start, end = data.get("start"), data.get("end")
        if (start is None) != (end is None) or (start is not None and end is not None and start >= end):
            raise forms.ValidationError(_("This is not a range of characters."))
        return data


class ChangesForm(forms.Form):
    """Which versions to compare, by their ids, and the page of what differs; anything unusable counts as not given."""

    before = forms.CharField(max_length=40, required=False)
    after = forms.CharField(max_length=40, required=False)
    page = forms.IntegerField(min_value=1, required=False)

    def usable(self) -> dict[str, Any]:
        """The values that make sense."""
        self.is_valid()
        data = self.cleaned_data
        return {"before": data.get("before", ""), "after": data.get("after", ""), "page": data.get("page") or 1}
