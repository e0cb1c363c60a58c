"""What holds for the whole installation, and the verb that changes it."""

from collections.abc import Collection

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.charters import charters
from workspaces.exceptions import RoleError
from workspaces.models import PlatformPolicy, User
from workspaces.roles import PLATFORM_ADMINISTRATOR, PlatformAction


@transaction.atomic
def require_second_factor(codes: Collection[str], *, by: User) -> PlatformPolicy:
    """Demand a second factor from whoever holds one of these roles anywhere; it counts from their next request.

    Raises RoleError for a code that is no role.
    """
    access.require(by, PlatformAction.MANAGE_ACCOUNTS, None)
    wanted = sorted(set(codes))
    unknown = set(wanted) - {*charters(), PLATFORM_ADMINISTRATOR}
    if unknown:
        raise RoleError(_("There is no role “%(role)s”.") % {"role": ", ".join(sorted(unknown))})
    PlatformPolicy.objects.get_or_create(pk=1)
    policy = PlatformPolicy.objects.select_for_update(no_key=True).get(pk=1)
    before = policy.second_factor_roles
    if before == wanted:
        return policy
    policy.second_factor_roles, policy.changed_at, policy.changed_by = wanted, timezone.now(), by
    policy.save()
    record(EventType.POLICY_CHANGED, on=policy, by=by, setting="second_factor_roles", before=before, after=wanted)
    return policy
