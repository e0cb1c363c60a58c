"""Whether the trail was read through, is signed in time, and is out of the portal's own reach."""

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from audit import checkpoints, database_roles, outside
from audit.events import EventType
from audit.models import ChainHead, Event
from audit.timeline import details_of
from inlock.health.finding import Finding
from inlock.health.work import expects_workers


def verification() -> Finding:
    """What was last read through of the trail, and whether each chain held when that was last done.

    A checkpoint reads only what came since the one before; this is about whole chains.
    """
    read = Event.objects.filter(type=EventType.TRAIL_VERIFIED).order_by("chain", "-seq").distinct("chain")
    last = list(read.only("chain", "at", "body"))
    every = ChainHead.objects.exclude(at=None).count()
    if not last:
        step = _("Run `manage.py audit verify`.")
        return Finding("verification", _("no chain was read through yet"), next_step=step)
    newest, told = max(last, key=lambda event: event.at), {event.chain: details_of(event) for event in last}
    shown = {"when": f"{timezone.localtime(newest.at):%Y-%m-%d %H:%M}", "chain": newest.chain}
    state = _("%(chain)s on %(when)s") % shown
    # Its next entry names the entry that was the last one then.
    after = Event.objects.filter(chain=newest.chain, prev_hash=told[newest.chain].get("head_hash") or "-")
    if (seq := after.values_list("seq", flat=True).first()) is not None:
        state = _("%(chain)s up to entry %(seq)d on %(when)s") % {**shown, "seq": seq - 1}
    state += _("; of %(every)d chains, %(n)d were read through") % {"every": every, "n": len(last)}
    damaged = sorted(chain for chain, details in told.items() if details.get("holds") is not True)
    if not damaged:
        return Finding("verification", state)
    step = _("Run `manage.py audit verify`, which names each fault.")
    fault = _("Chains that did not hold when they were last read: %(names)s.") % {"names": ", ".join(damaged)}
    return Finding("verification", state, fault, step)


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
