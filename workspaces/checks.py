"""System checks about people: what production must not start with."""

from typing import Any

from django.conf import settings
from django.core.checks import Error, Tags, register

from workspaces.models import User

#: Documented in the README, hence known to everybody.
DEMO_PASSWORD = "inlock-demo-only"  # noqa: S105


@register(Tags.database)
def no_demo_passwords_in_production(databases: Any = None, **kwargs: Any) -> list[Error]:
    """inlock.E001: an active account still opens with the published demo password."""
    if not (settings.PRODUCTION and databases):
        return []
    known = [u.username for u in User.objects.filter(is_active=True) if u.check_password(DEMO_PASSWORD)]
    if not known:
        return []
    return [
        Error(
            f"These accounts still have the published demo password: {', '.join(known)}.",
            hint="Give them other passwords, or deactivate them.",
            id="inlock.E001",
        )
    ]
