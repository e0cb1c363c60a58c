"""Accounts, for platform administrators: create, change, close, give a password."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminPasswordToggleWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from workspaces import accounts, members
from workspaces.admin.sees import SeesPage
from workspaces.admin.view_as import ViewAsPage
from workspaces.admin_base import GovernedAdmin, PlatformRights
from workspaces.identity import factors
from workspaces.models import Membership, User
from workspaces.roles import PLATFORM_ADMINISTRATOR, PlatformAction


def _password(**options: Any) -> forms.CharField:
    widget = UnfoldAdminPasswordToggleWidget(attrs={"autocomplete": "new-password"})
    return forms.CharField(max_length=128, strip=False, widget=widget, **options)


class NewAccountForm(forms.ModelForm):
    """An account that belongs nowhere yet."""

    password = _password(label=_("Password"), help_text=_("At least twelve characters, and none that others know."))


class AccountForm(forms.ModelForm):
    """What may be changed later; the user name stays."""

    new_password = _password(
        label=_("New password"), required=False, help_text=_("Ends this person's sessions. Empty: stays as it is.")
    )
    without_factors = forms.BooleanField(
        label=_("Remove second factors"),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text=_("For somebody who has lost their phone or key. Ends this person's sessions."),
    )
    administrator = forms.BooleanField(
        label=_("Platform administrator"),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text=_("Runs the installation: workspaces, accounts, model endpoints. Opens no content."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        group = Membership.objects.filter(user=self.instance, group__name=PLATFORM_ADMINISTRATOR)
        self.fields["administrator"].initial = group.exists()


class ActiveFilter(SimpleListFilter):
    """Accounts that open, or do not."""

    title = _("account")
    parameter_name = "active"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Active")), ("no", _("Deactivated"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        return queryset.filter(is_active=self.value() == "yes") if self.value() else queryset


@admin.register(User)
class UserAdmin(ViewAsPage, SeesPage, PlatformRights, GovernedAdmin):
    """People. Roles inside a workspace are given on the workspace's own page."""

    view_action = PlatformAction.MANAGE_ACCOUNTS
    change_action = PlatformAction.MANAGE_ACCOUNTS
    list_display = (
        "username",
        "full_name",
        "email",
        "workspace_count",
        "is_administrator",
        "second_factor",
        "last_login",
        "is_active",
    )
    list_filter = (ActiveFilter,)
    search_fields = ("username", "first_name", "last_name", "email")
    ordering = ("username",)
    change_form_outer_before_template = "admin/workspaces/user/_links.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        administrators = Membership.objects.filter(user=OuterRef("pk"), group__name=PLATFORM_ADMINISTRATOR)
        in_workspaces = Count(
            "memberships__group__workspace_role__workspace",
            filter=Q(memberships__group__workspace_role__isnull=False),
            distinct=True,
        )
        return (
            super()
            .get_queryset(request)
            .annotate(
                workspaces=in_workspaces,
                administrator=Exists(administrators),
                has_factor=factors.held_by(OuterRef("pk")),
            )
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.may(request, PlatformAction.MANAGE_ACCOUNTS, None)

    def get_form(self, request: HttpRequest, obj: User | None = None, **kwargs: Any) -> Any:
        return super().get_form(request, obj, form=AccountForm if obj else NewAccountForm, **kwargs)

    def get_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        if obj is None:
            return ("username", "first_name", "email", "password")
        return (
            "username",
            "first_name",
            "last_name",
            "email",
            "is_active",
            "administrator",
            *(["new_password"] if settings.LOCAL_SIGN_IN else []),
            "without_factors",
        )

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        return ("username",) if obj else ()

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "first_name":
            return db_field.formfield(label=_("Name"), widget=UnfoldAdminTextInputWidget)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        data = form.cleaned_data
        if not change:
            made = members.create_user(
                username=data["username"],
                display_name=data["first_name"],
                email=data["email"],
                password=data["password"],
                by=request.user,
            )
            # The verb made the row; Django goes on with the object of its form.
            obj.pk, obj._state.adding = made.pk, False
            return
        fields = {field: data[field] for field in accounts.CHANGEABLE}
        user = accounts.change_account(User(pk=obj.pk), by=request.user, **fields)
        if "administrator" in form.changed_data:
            members.set_platform_administrator(user, administrator=data["administrator"], by=request.user)
        if data.get("new_password"):
            accounts.set_password(user, data["new_password"], by=request.user)
        if data["without_factors"]:
            factors.remove_all(user, by=request.user)

    @display(description=_("name"), ordering="first_name")
    def full_name(self, user: User) -> str:
        return user.get_full_name() or "–"

    @display(description=_("workspaces"), ordering="workspaces")
    def workspace_count(self, user: Any) -> int:
        return user.workspaces

    @display(description=_("installation"), label={"yes": "info"}, ordering="administrator")
    def is_administrator(self, user: Any) -> Any:
        return ("yes", _("Administrator")) if user.administrator else None

    @display(description=_("second factor"), boolean=True, ordering="has_factor")
    def second_factor(self, user: Any) -> bool:
        return user.has_factor
