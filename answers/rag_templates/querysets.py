"""Who knows of a workspace's templates and their previews: those who manage it."""

from django.db.models import QuerySet

from answers.models import RagTemplate, TemplatePreview, TemplateVersion
from workspaces import access
from workspaces.models import User
from workspaces.roles import Action


def templates_of(user: User) -> QuerySet[RagTemplate]:
    return RagTemplate.objects.filter(workspace__in=access.workspaces_allowing(user, Action.MANAGE))


def versions_of(user: User) -> QuerySet[TemplateVersion]:
    return TemplateVersion.objects.filter(template__in=templates_of(user))


def previews_of(user: User) -> QuerySet[TemplatePreview]:
    """What previews came to, for who asked for them: they were made with that person's rights."""
    rows = TemplatePreview.objects.filter(workspace__in=access.workspaces_allowing(user, Action.MANAGE))
    return rows.filter(asked_by=user)


access.guard(RagTemplate, visible=templates_of, workspace_of=lambda template: template.workspace, names_only=True)
access.guard(
    TemplateVersion, visible=versions_of, workspace_of=lambda version: version.template.workspace, names_only=True
)
access.guard(TemplatePreview, visible=previews_of, workspace_of=lambda preview: preview.workspace)
