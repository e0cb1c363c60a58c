"""Forms for workspaces and people."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from workspaces.charters import choices
from workspaces.models import User, Workspace
from workspaces.roles import Role


class WorkspaceForm(forms.ModelForm):
    """Name, purpose and release policy; the short name only when it is new."""

    class Meta:
        model = Workspace
        fields = ["name", "slug", "description", "review_policy"]
        widgets = {"description": forms.Textarea(attrs={"rows": 3}), "review_policy": forms.RadioSelect}
        help_texts = {"slug": _("Part of every address of the workspace. It cannot be changed later.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            del self.fields["slug"]


class AddPersonForm(forms.Form):
    """An existing account and the roles it gets."""

    username = forms.CharField(label=_("User name"), max_length=150)
    roles = forms.MultipleChoiceField(
        label=_("Roles"), choices=choices, widget=forms.CheckboxSelectMultiple, initial=[Role.MEMBER]
    )

    def clean_username(self) -> User:
        name = self.cleaned_data["username"].strip()
        user = User.objects.filter(username__iexact=name, is_active=True).first()
        if user is None:
            raise forms.ValidationError(_("There is no active account called “%(name)s”."), params={"name": name})
        return user


class RolesForm(forms.Form):
    """The roles one person holds; none removes them from the workspace."""

    roles = forms.MultipleChoiceField(
        label=_("Roles"), choices=choices, widget=forms.CheckboxSelectMultiple, required=False
    )
