"""People, workspaces, and who belongs to which in what role."""

import uuid

from django.contrib.auth.models import AbstractUser, Group
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from workspaces.grants import GroupGrant, UserGrant
from workspaces.roles import Action, Role


class User(AbstractUser):
    """A person with an account. What they may do comes from their groups alone."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(_("e-mail address"), blank=True)
    groups = models.ManyToManyField(
        Group,
        through="Membership",
        through_fields=("user", "group"),
        blank=True,
        related_name="user_set",
        related_query_name="user",
    )

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")

    @property
    def name(self) -> str:
        """What other people see."""
        return self.get_full_name() or self.username


class Membership(models.Model):
    """A person's place in a group, with who put them there. The only link between people and roles."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="memberships")
    added_at = models.DateTimeField(auto_now_add=True)
    added_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "group"], name="membership_once")]

    def __str__(self) -> str:
        return f"{self.user} in {self.group}"


class ReviewPolicy(models.TextChoices):
    """When an answer leaves the workspace's control."""

    OPEN = "open", _("Release answers at once")
    REVIEW = "review", _("Hold every answer until a reviewer approves it")


class Workspace(models.Model):
    """An isolated use case: its own people, documents, index, models and policies."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(_("short name"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=120)
    description = models.TextField(_("what it is for"), max_length=1000, blank=True)
    review_policy = models.CharField(
        _("release of answers"), max_length=10, choices=ReviewPolicy.choices, default=ReviewPolicy.OPEN
    )
    #: Rises whenever the set of current passages changes; local keyword replicas compare it with their own.
    index_revision = models.PositiveBigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    archived_at = models.DateTimeField(null=True, blank=True)
    archived_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("workspace")
        verbose_name_plural = _("workspaces")
        ordering = ["name"]
        # Django's own four stay out of the way: an object permission here is always one of our actions.
        default_permissions = ()
        permissions = Action.choices

    def __str__(self) -> str:
        return self.name


class WorkspaceUserGrant(UserGrant):
    content_object = models.ForeignKey(Workspace, on_delete=models.CASCADE)


class WorkspaceGroupGrant(GroupGrant):
    content_object = models.ForeignKey(Workspace, on_delete=models.CASCADE)


class WorkspaceRole(models.Model):
    """The group that stands for one role in one workspace."""

    group = models.OneToOneField(Group, on_delete=models.CASCADE, primary_key=True, related_name="workspace_role")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="roles")
    role = models.CharField(max_length=20, choices=Role.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "role"], name="workspace_role_once"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="workspace_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()} in {self.workspace}"
