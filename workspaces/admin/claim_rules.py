"""Rules over an identity provider's groups, for platform administrators. A rule is made and removed, never changed."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from workspaces import claim_rules
from workspaces.admin_base import GovernedAdmin, PlatformRights
from workspaces.charters import choices, label_of
from workspaces.exceptions import ClaimRuleError
from workspaces.models import ClaimRule
from workspaces.roles import PlatformAction


class ClaimRuleForm(forms.ModelForm):
    """Which group gives what: a role in a workspace, or a place in a group of people."""

    role = forms.ChoiceField(label=_("Role"), required=False, widget=UnfoldAdminSelectWidget)

    class Meta:
        labels = {"people_group": _("Or a group of people")}
        help_texts = {
            "claim": _("Exactly as the provider spells it in the ID token. Capitals and spaces count."),
            "workspace": _("With a role; leave both empty for a group of people."),
            "people_group": _("Instead of a role in a workspace."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "role" in self.fields:
            self.fields["role"].choices = [("", _("No role")), *choices()]

    def _post_clean(self) -> None:
        """The verb says whether it is a rule, in words; the table's constraints would say it in theirs."""


@admin.register(ClaimRule)
class ClaimRuleAdmin(PlatformRights, GovernedAdmin):
    """What it gives is given at each person's next sign-in, and taken from everybody when it is removed."""

    view_action = PlatformAction.MANAGE_ACCOUNTS
    change_action = PlatformAction.MANAGE_ACCOUNTS
    form = ClaimRuleForm
    fields = ("claim", "workspace", "role", "people_group")
    list_display = ("claim", "gives", "places", "created_by", "created_at")
    list_select_related = ("workspace", "people_group", "created_by")
    search_fields = ("claim", "workspace__name", "workspace__slug", "people_group__name")
    search_help_text = _("Search by the provider's group, a workspace, or a group of people")
    ordering = ("claim", "created_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ClaimRule]:
        return super().get_queryset(request).annotate(held=claim_rules.places_given())

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.may(request, self.change_action, None)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, self.change_action, obj)

    def get_fields(self, request: HttpRequest, obj: ClaimRule | None = None) -> tuple[str, ...]:
        return ("claim", "gives", "places", "created_by", "created_at") if obj else self.fields

    def save_model(self, request: HttpRequest, obj: ClaimRule, form: forms.ModelForm, change: bool) -> None:
        made = claim_rules.add_rule(provider=settings.OIDC_PROVIDER, by=request.user, **form.cleaned_data)
        # The verb made the row; Django goes on with the object of its form.
        obj.pk, obj._state.adding = made.pk, False

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Say what would be taken, and remove the rule once that is confirmed."""
        rule = self.get_object(request, object_id)
        if request.method == "POST":
            try:
                taken = claim_rules.remove_rule(rule, by=request.user)
            except ClaimRuleError as error:
                messages.error(request, str(error))
                return HttpResponseRedirect(reverse("admin:workspaces_claimrule_changelist"))
            told = ngettext(
                "Removed, with %(n)d place it had given.", "Removed, with %(n)d places it had given.", taken
            )
            messages.success(request, told % {"n": taken})
            return HttpResponseRedirect(reverse("admin:workspaces_claimrule_changelist"))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Remove the rule?"),
            "subtitle": rule.claim,
            "opts": self.opts,
            "original": rule,
            "gives": self.gives(rule),
        }
        return TemplateResponse(request, "admin/workspaces/claimrule/delete.html", context)

    @display(description=_("gives"))
    def gives(self, rule: ClaimRule) -> str:
        if rule.people_group is not None:
            return str(_("A place in the group “%(name)s”")) % {"name": rule.people_group.name}
        return str(_("%(role)s in %(workspace)s")) % {"role": label_of(rule.role), "workspace": rule.workspace}

    @display(description=_("held by"), ordering="held")
    def places(self, rule: Any) -> int:
        return rule.held
