"""The two tables behind every object permission, for the apps above to derive their own from.

Direct foreign keys instead of generic ones: deleting the object deletes its grants.
"""

import uuid

from django.db import models
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase


class UserGrant(UserObjectPermissionBase):
    """A permission of one person on one object. Subclasses add `content_object`, a foreign key."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)

    class Meta(UserObjectPermissionBase.Meta):
        abstract = True


class GroupGrant(GroupObjectPermissionBase):
    """A permission of one group on one object. Subclasses add `content_object`, a foreign key."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)

    class Meta(GroupObjectPermissionBase.Meta):
        abstract = True
