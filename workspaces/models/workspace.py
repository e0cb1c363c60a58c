"""Workspaces, the roles in them, and the grants behind those."""

import uuid

from django.contrib.auth.models import Group
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from workspaces.classification import Classification
from workspaces.grants import GroupGrant, UserGrant
from workspaces.models.people import User
from workspaces.roles import Action, Role


class ReviewPolicy(models.TextChoices):
    """When an answer leaves the workspace's control."""

    OPEN = "open", _("Release answers at once")
    REVIEW = "review", _("Hold every answer until a reviewer approves it")
    RISK = "risk", _("Hold what the workspace's rules name, release the rest at once")


class Workspace(models.Model):
    """An isolated use case: its own people, documents, index, models and policies."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(_("short name"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=120)
    description = models.TextField(_("what it is for"), max_length=1000, blank=True)
    review_policy = models.CharField(
        _("release of answers"), max_length=10, choices=ReviewPolicy.choices, default=ReviewPolicy.OPEN
    )
    #: Approving an answer that rests on a document of this level or above takes two people. Empty: one is enough.
    second_approver_from = models.CharField(
        _("second approver from"), max_length=12, choices=Classification.choices, blank=True, default=""
    )
    uploader_may_approve = models.BooleanField(
        _("whoever added a document may approve answers that rest on it"), default=True
    )
    withhold_expired = models.BooleanField(_("documents past their valid-until date no longer answer"), default=False)
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
    #: A code of `roles.Role` or of a CustomRole.
    role = models.CharField(max_length=40)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "role"], name="workspace_role_once")]

    def __str__(self) -> str:
        return f"{self.label} in {self.workspace}"

    @property
    def label(self) -> str:
        """The role's name for a person."""
        if self.role in Role.values:
            return str(Role(self.role).label)
        return CustomRole.objects.get(code=self.role).name


class CustomRole(models.Model):
    """A role this installation made from the same actions, beside the declared ones. Retired ones give nothing."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=80)
    purpose = models.CharField(_("what it is for"), max_length=300)
    #: Codes of `roles.Action`.
    actions = models.JSONField(_("actions"), default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    retired_at = models.DateTimeField(null=True, blank=True)
    retired_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("custom role")
        verbose_name_plural = _("custom roles")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=~Q(code__in=Role.values), name="custom_role_is_not_a_declared_one"),
        ]

    def __str__(self) -> str:
        return self.name
