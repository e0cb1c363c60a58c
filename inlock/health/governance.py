"""Whether the trail is signed in time, and out of the portal's own reach."""

from django.conf import settings

from audit import checkpoints, database_roles, outside
from inlock.health.finding import Finding
from inlock.health.work import expects_workers


def trail() -> list[Finding]:
    """Whether the trail is signed in time, and whether the portal itself could rewrite it."""
    late = checkpoints.late() if expects_workers() else []
    powers = database_roles.powers_over_the_trail()
    signed = Finding("checkpoints", f"written to {outside.place()}")
    if late:
        step = "Run `manage.py audit checkpoint`, which says what is in the way; `audit verify` says where damage is."
        signed = Finding("checkpoints", "late", f"Chains without a checkpoint in time: {', '.join(late)}.", step)
    if not powers or not settings.PRODUCTION:
        return [signed]
    if settings.EMBEDDED_DATABASE:
        return [signed, Finding("trail", "the portal owns this database; checkpoints outside would show a rewriting")]
    step = "Divide the database between two roles: `manage.py audit roles` prints the SQL; see docs/operations.md."
    fault = f"The portal's role in the database {powers[0]}: whoever takes the portal over can rewrite the trail."
    return [signed, Finding("trail", "not out of the portal's reach", fault, step)]
