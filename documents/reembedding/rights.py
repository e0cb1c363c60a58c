"""Whose the changes of an embedding model are: they belong to those who manage the workspace's settings."""

from django.db.models import QuerySet

from documents.models import SpaceComparison, SpaceMigration
from workspaces import access
from workspaces.models import User
from workspaces.roles import Action


def migrations_of(user: User) -> QuerySet[SpaceMigration]:
    """The changes of the workspaces that `user` manages: nobody else knows of them."""
    return SpaceMigration.objects.filter(workspace__in=access.workspaces_allowing(user, Action.MANAGE))


def comparisons_of(user: User) -> QuerySet[SpaceComparison]:
    """The comparisons of those changes."""
    return SpaceComparison.objects.filter(migration__in=migrations_of(user))


access.guard(SpaceMigration, visible=migrations_of, workspace_of=lambda one: one.workspace, names_only=True)
access.guard(SpaceComparison, visible=comparisons_of, workspace_of=lambda one: one.migration.workspace, names_only=True)
