"""Forms for workspaces and people."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from workspaces.charters import choices
from workspaces.classification import Classification
from workspaces.models import PeopleGroup, User, Workspace
from workspaces.roles import Role

#: The separation of duties in review, in words for whoever answers for it.
SEPARATION = ("second_approver_from", "uploader_may_approve")
SEPARATION_LABELS = {
    "second_approver_from": _("Two reviewers approve answers that rest on documents from this level on"),
    "uploader_may_approve": _("Whoever added a document may approve answers that rest on it"),
}
SEPARATION_HELP = {
    "second_approver_from": _(
        "Both approve the same text; an edit in between starts anew. A waiting answer ends without a text where no two "
        "such reviewers are left."
    ),
    "uploader_may_approve": _(
        "Switch it off where nobody is to vouch for what they brought in. Whoever asked for an answer or edited it "
        "never approves it, whatever is set here."
    ),
}


def say_separation(form: forms.ModelForm) -> None:
    """Have the choice of no second approver read as words, where the form offers it."""
    field = form.fields.get("second_approver_from")
    if isinstance(field, forms.ChoiceField):
        field.choices = [("", _("Never: one approval is enough")), *Classification.choices]


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


class WorkspaceSettingsForm(WorkspaceForm):
    """What a manager changes of a workspace that stands: the same, and who may let an answer out."""

    class Meta(WorkspaceForm.Meta):
        fields = [*WorkspaceForm.Meta.fields, *SEPARATION, "withhold_expired"]
        labels = SEPARATION_LABELS | {"withhold_expired": _("Documents past their last valid day do not answer")}
        help_texts = (
            WorkspaceForm.Meta.help_texts
            | SEPARATION_HELP
            | {"withhold_expired": _("Switched off, they answer as before and their citations say that they expired.")}
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        say_separation(self)


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


class BarForm(forms.Form):
    """Whom a never rule keeps out, a person or a group of people, and why."""

    username = forms.CharField(label=_("User name"), max_length=150, required=False)
    group = forms.ModelChoiceField(
        PeopleGroup.objects.order_by("name"), label=_("Or a group of people"), required=False, empty_label=_("No group")
    )
    reason = forms.CharField(label=_("Why?"), max_length=300, help_text=_("Kept with the rule and in the audit trail."))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        name, group = data.get("username", "").strip(), data.get("group")
        if bool(name) is bool(group):
            raise forms.ValidationError(_("Name one person, or choose one group."))
        user = User.objects.filter(username__iexact=name).first() if name else None
        if name and user is None:
            self.add_error(
                "username",
                forms.ValidationError(_("There is no account called “%(name)s”."), params={"name": name}),
            )
        data["holder"] = group or user
        return data


class RoleBarForm(BarForm):
    """A never rule of a workspace: from one role, or from all of it."""

    role = forms.ChoiceField(label=_("Never"), required=False)
    field_order = ["username", "group", "role", "reason"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [("", _("in this workspace at all")), *choices()]
