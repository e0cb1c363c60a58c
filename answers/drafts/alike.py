"""Drafts that say word for word the same, so that a reviewer who read one need not read it forty times.

What may be approved together, and why something may not, is decided in `answers/review/bulk.py`.
"""

import hashlib
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Func, IntegerField, OuterRef, QuerySet
from django.db.models.functions import MD5

from answers import review
from answers.models import Draft
from answers.review import bulk
from workspaces import access
from workspaces.models import User

#: How far a list counts them.
COUNTED = 9


def alike(draft: Draft, user: User) -> QuerySet[Draft]:
    """Other drafts of the workspace with the same text that wait for a decision and are open to `user`."""
    same = hashlib.md5(draft.text.encode(), usedforsecurity=False).hexdigest()
    rows = access.visible(user, Draft).annotate(text_md5=MD5("text"))
    waiting = rows.filter(workspace=draft.workspace_id, state__in=review.WHEN["approve"], text_md5=same)
    return waiting.filter(text=draft.text).exclude(pk=draft.pk).order_by("created_at")


def count(draft: Draft, user: User) -> int:
    """How many `alike` finds, up to those that can be approved together with it."""
    # In no order: with one, the database would look at all of them for the first few.
    return alike(draft, user).order_by()[: bulk.MOST - 1].count()


def with_alike(rows: QuerySet[Draft], user: User) -> QuerySet[Draft]:
    """`rows` with how many others each has, as `alike`; counting ends at `COUNTED`."""
    others = access.visible(user, Draft).annotate(text_md5=MD5("text")).order_by()
    others = others.filter(
        workspace=OuterRef("workspace"), state__in=review.WHEN["approve"], text_md5=MD5(OuterRef("text"))
    ).exclude(pk=OuterRef("pk"))
    # An array for its end: the database stops looking once it is full.
    found = ArraySubquery(others.values("pk")[:COUNTED])
    return rows.annotate(alike=Func(found, function="CARDINALITY", output_field=IntegerField()))


def checked(draft: Draft, user: User) -> list[Any]:
    """The draft and those like it, each with what stands against approving it together with the first."""
    rows = alike(draft, user).select_related("answer__question__asked_by", "workspace")[: bulk.MOST - 1]
    return bulk.checked([draft, *rows], by=user)
