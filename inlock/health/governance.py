"""Whether the trail is signed in time, and out of the portal's own reach."""

from django.conf import settings
from django.utils.translation import gettext as _

from audit import checkpoints, database_roles, outside
from inlock.health.finding import Finding
from inlock.health.work import expects_workers


def trail() -> list[Finding]:
    """Whether the trail is signed in time, and whether the portal itself could rewrite it."""
    late = checkpoints.late() if expects_workers() else []
    powers = database_roles.powers_over_the_trail()
    signed = Finding("checkpoints", _("written to %(place)s") % {"place": outside.place()})
    if late:
        step = _(
            "Run `manage.py audit checkpoint`, which says what is in the way; `audit verify` says where damage is."
        )
        fault = _("Chains without a checkpoint in time: %(names)s.") % {"names": ", ".join(late)}
        signed = Finding("checkpoints", _("late"), fault, step)
    if not powers or not settings.PRODUCTION:
        return [signed]
    if settings.EMBEDDED_DATABASE:
        owned = _("the portal owns this database; checkpoints outside would show a rewriting")
        return [signed, Finding("trail", owned)]
    step = _("Divide the database between two roles: `manage.py audit roles` prints the SQL; see docs/operations.md.")
    fault = _("The portal's role in the database %(power)s: whoever takes the portal over can rewrite the trail.")
    return [signed, Finding("trail", _("not out of the portal's reach"), fault % {"power": powers[0]}, step)]
