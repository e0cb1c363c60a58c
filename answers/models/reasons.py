"""The reasons a workspace's reviewers choose from."""

from django.conf import settings
from django.db import models

from workspaces.models import Workspace


class ReviewReasons(models.Model):
    """Reasons in the workspace's own words, for each act of a review; without a row the built-in ones are offered."""

    workspace = models.OneToOneField(Workspace, on_delete=models.CASCADE, primary_key=True, related_name="+")
    #: `{act: [reason]}`
    reasons = models.JSONField(default=dict)
    changed_at = models.DateTimeField(auto_now=True)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"Reasons of {self.workspace_id}"
