"""What the governance of rights keeps: bars, broken glass, views as another, access reviews, tokens, claim rules."""

import uuid

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from workspaces.models.people import PeopleGroup
from workspaces.models.workspace import Workspace


class Bar(models.Model):
    """Somebody, or everybody of a group, is kept from something whatever else grants it: deny wins.

    Subclasses say from what.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    group = models.ForeignKey(Group, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    reason = models.CharField(_("reason"), max_length=300)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=True, group__isnull=False) | Q(user__isnull=False, group__isnull=True),
                name="%(class)s_bars_a_person_or_a_group",
            ),
        ]

    @property
    def holder(self) -> str:
        """The name of whom it keeps out."""
        return self.user.name if self.user else self.group.people_group.name


class RoleBar(Bar):
    """Keeps somebody from one role in one workspace, or from all of them when `role` is empty."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="bars")
    role = models.CharField(max_length=40, blank=True, default="")

    class Meta(Bar.Meta):
        verbose_name = _("never rule")
        verbose_name_plural = _("never rules")
        constraints = [
            *Bar.Meta.constraints,
            models.UniqueConstraint(
                fields=["workspace", "role", "user", "group"], name="role_bar_once", nulls_distinct=False
            ),
        ]

    def __str__(self) -> str:
        return f"{self.holder} never {self.role or 'in'} {self.workspace}"


class BreakGlass(models.Model):
    """A superuser's stated reason to use rights they hold no role for, in one workspace, for a while."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    reason = models.CharField(_("reason"), max_length=300)
    broken_at = models.DateTimeField(auto_now_add=True)
    until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["user", "workspace", "until"])]
        constraints = [models.CheckConstraint(condition=~Q(reason=""), name="break_glass_has_a_reason")]

    def __str__(self) -> str:
        return f"{self.user} in {self.workspace}"


class ViewAs(models.Model):
    """An administrator's look at the portal as another person sees it: read-only, marked, with a reason."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    viewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    reason = models.CharField(_("reason"), max_length=300)
    started_at = models.DateTimeField(auto_now_add=True)
    until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(viewer=F("person")), name="view_as_another"),
            models.CheckConstraint(condition=~Q(reason=""), name="view_as_has_a_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.viewer} as {self.person}"


class AccessReview(models.Model):
    """A manager's look at everybody who holds a right in the workspace, signed with what was decided."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="access_reviews")
    started_at = models.DateTimeField(auto_now_add=True)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    signed_at = models.DateTimeField(null=True, blank=True)
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    statement = models.CharField(_("statement"), max_length=1000, blank=True)
    #: SHA-256 of the outcome as it was signed.
    outcome_sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["-started_at"]
        constraints = [
            models.UniqueConstraint(fields=["workspace"], condition=Q(signed_at=None), name="access_review_one_open"),
            models.CheckConstraint(
                condition=Q(signed_at=None, signed_by=None, outcome_sha256="")
                | Q(signed_at__isnull=False, signed_by__isnull=False) & ~Q(outcome_sha256=""),
                name="access_review_signed_together",
            ),
        ]

    def __str__(self) -> str:
        return f"Access review of {self.workspace}"


class Verdict(models.TextChoices):
    KEEP = "keep", _("Keep")
    REMOVE = "remove", _("Remove")


class AccessReviewLine(models.Model):
    """One right of one person as the review found it, and what was decided. Names stay as they were."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    review = models.ForeignKey(AccessReview, on_delete=models.CASCADE, related_name="lines")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    #: `role` with its code, or `document` with the id of a restricted one granted by name.
    kind = models.CharField(max_length=10)
    code = models.CharField(max_length=60)
    label = models.CharField(max_length=300)
    reason = models.CharField(max_length=300, blank=True, help_text=_("Why the person holds it."))
    verdict = models.CharField(max_length=10, choices=Verdict.choices, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["user__username", "kind", "label"]
        constraints = [
            models.UniqueConstraint(fields=["review", "user", "kind", "code"], name="access_review_line_once"),
        ]

    def __str__(self) -> str:
        return f"{self.label} of {self.user}"


class ApiToken(models.Model):
    """A credential for a program that acts for a person, never wider than they are. Only its hash is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(_("name"), max_length=80)
    #: The first characters, by which a person recognises it.
    prefix = models.CharField(max_length=16)
    sha256 = models.CharField(max_length=64, unique=True)
    workspaces = models.ManyToManyField(Workspace, related_name="+")
    #: Codes of `roles.Action` it may use.
    actions = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class ClaimRule(models.Model):
    """Whom an identity provider names in a group gets this role, or joins this group of people, while it does."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    provider = models.CharField(_("provider"), max_length=60)
    claim = models.CharField(_("group in the provider's claim"), max_length=300)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    role = models.CharField(_("role"), max_length=40, blank=True)
    people_group = models.ForeignKey(PeopleGroup, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("claim rule")
        verbose_name_plural = _("claim rules")
        ordering = ["provider", "claim"]
        constraints = [
            models.CheckConstraint(
                condition=Q(workspace__isnull=False, people_group=None) & ~Q(role="")
                | Q(workspace=None, role="", people_group__isnull=False),
                name="claim_rule_gives_a_role_or_a_group",
            ),
            models.UniqueConstraint(
                fields=["provider", "claim", "workspace", "role", "people_group"],
                name="claim_rule_once",
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider}: {self.claim}"


class PlatformPolicy(models.Model):
    """What holds for the whole installation. One row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    #: Codes of roles (declared, custom, or `platform-administrator`) whose holders must have a second factor.
    second_factor_roles = models.JSONField(_("roles that need a second factor"), default=list, blank=True)
    changed_at = models.DateTimeField(null=True, blank=True)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("platform policy")
        verbose_name_plural = _("platform policy")
        constraints = [models.CheckConstraint(condition=Q(id=1), name="platform_policy_is_one")]

    def __str__(self) -> str:
        return str(self._meta.verbose_name)
