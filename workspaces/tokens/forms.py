"""The form in which a person makes an API token for themselves."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from workspaces import access
from workspaces.models import User, Workspace
from workspaces.roles import Action
from workspaces.tokens import keeping as tokens

_DAYS = (7, 30, 90, 180, 365)

#: What a token may be given, in the words of the person who gives it.
WORDS: dict[str, tuple[Any, Any]] = {
    Action.ASK: (_("Ask questions"), _("and read the answers to them, with the documents these quote")),
    Action.OPEN: (_("Search"), _("list documents and find passages in them")),
    Action.ADD: (_("Bring documents"), _("send files as new documents or new versions, and see what becomes of them")),
    Action.MANAGE_DOCUMENTS: (_("Manage documents"), _("classify what it brings, and delete documents")),
}


class TokenForm(forms.Form):
    """Name, scope and lifetime of a new token."""

    name = forms.CharField(
        label=_("Name"), max_length=80, help_text=_("Where it will be used, so that you know it again.")
    )
    workspaces = forms.ModelMultipleChoiceField(
        label=_("Workspaces"),
        queryset=Workspace.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one workspace.")},
    )
    actions = forms.MultipleChoiceField(
        label=_("What it may do there"),
        choices=[(code, label) for code, (label, _why) in WORDS.items()],
        widget=forms.CheckboxSelectMultiple,
        initial=[Action.ASK],
        help_text=_("Never more than you may do yourself at that moment."),
        error_messages={"required": _("Choose what the token may do.")},
    )
    days = forms.TypedChoiceField(label=_("Lasts"), coerce=int)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        open_to = access.workspaces_allowing(user, Action.ENTER).filter(archived_at=None)
        self.fields["workspaces"].queryset = open_to.order_by("name")
        most = settings.TOKEN_MAX_DAYS
        lifetimes = sorted({*(days for days in _DAYS if days <= most), min(tokens.DEFAULT_DAYS, most)})
        self.fields["days"].choices = [
            (days, ngettext("%(count)d day", "%(count)d days", days) % {"count": days}) for days in lifetimes
        ]
        self.fields["days"].initial = min(tokens.DEFAULT_DAYS, most)
