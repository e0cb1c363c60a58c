"""Drafts that say word for word the same, so that a reviewer who read one need not read it forty times.

What may be approved together, and why something may not, is decided in `answers/review/bulk.py`.
"""

import hashlib
from typing import Any

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import MD5, Coalesce

from answers import review
from answers.models import Draft
from answers.review import bulk
from workspaces import access
from workspaces.models import User


def alike(draft: Draft, user: User) -> QuerySet[Draft]:
    """Other drafts of the workspace with the same text that wait for a decision and are open to `user`."""
    same = hashlib.md5(draft.text.encode(), usedforsecurity=False).hexdigest()
    rows = access.visible(user, Draft).annotate(text_md5=MD5("text"))
    waiting = rows.filter(workspace=draft.workspace_id, state__in=review.WHEN["approve"], text_md5=same)
    return waiting.filter(text=draft.text).exclude(pk=draft.pk).order_by("created_at")


def with_alike(rows: QuerySet[Draft], user: User) -> QuerySet[Draft]:
    """`rows` with how many others each has, as `alike`."""
    others = access.visible(user, Draft).annotate(text_md5=MD5("text")).order_by()
    others = others.filter(
        workspace=OuterRef("workspace"), state__in=review.WHEN["approve"], text_md5=MD5(OuterRef("text"))
    ).exclude(pk=OuterRef("pk"))
    counted = others.annotate(one=Value(1)).values("one").annotate(n=Count("pk")).values("n")
    return rows.annotate(alike=Coalesce(Subquery(counted, output_field=IntegerField()), 0))


def checked(draft: Draft, user: User) -> list[Any]:
    """The draft and those like it, each with what stands against approving it together with the first."""
    rows = alike(draft, user).select_related("answer__question__asked_by", "workspace")[: bulk.MOST - 1]
    return bulk.checked([draft, *rows], by=user)
