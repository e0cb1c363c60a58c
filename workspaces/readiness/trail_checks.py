"""Checks of the workspace's trail: it holds to its last entry, it is signed, and the proof lies outside."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy, gettext_noop

from audit import checkpoints, database_roles, signing
from audit.chain import workspace_chain
from audit.exceptions import SigningKeyMissing
from audit.models import Checkpoint, Event
from audit.verification import Kind, Verification
from workspaces.readiness.registry import Area, Found, Scene, blocked, check, none, passed, warned
from workspaces.readiness.thresholds import of
from workspaces.roles import PlatformAction

_ = gettext_noop
#: Faults of the checkpoints, not of the entries.
_OUTSIDE = {Kind.LOST.value, Kind.UNSIGNED.value}
#: Only the operator mends a trail; the health page names the chains and the commands.
_HEALTH = {"fix": "admin_health", "needs": PlatformAction.WATCH_HEALTH}


def _verified(scene: Scene) -> Verification:
    return checkpoints.verify_chain(workspace_chain(scene.workspace.pk))


@check("trail.holds", Area.TRAIL, gettext_lazy("The trail holds to its last entry"), **_HEALTH)
def holds(scene: Scene) -> Found:
    outcome = scene.once(_verified)
    faults = [one for one in outcome.faults if one.kind not in _OUTSIDE]
    if faults:
        return blocked(
            _("The trail of %(entries)d entries has faults: %(n)d, the first at entry %(seq)d (%(kind)s)."),
            entries=outcome.events,
            n=len(faults),
            seq=faults[0].seq,
            kind=faults[0].kind,
        )
    return passed(_("All %(entries)d entries hold."), entries=outcome.events)


@check("trail.outside", Area.TRAIL, gettext_lazy("Signed checkpoints of the trail lie outside"), **_HEALTH)
def outside(scene: Scene) -> Found:
    outcome = scene.once(_verified)
    lost = [one for one in outcome.faults if one.kind in _OUTSIDE]
    if lost:
        return blocked(
            _("Checkpoints that are not outside as they were signed: %(n)d, the first at entry %(seq)d."),
            n=len(lost),
            seq=lost[0].seq,
        )
    if not outcome.checkpoints:
        return warned(_("No checkpoint of this trail was signed yet."))
    return passed(_("All %(n)d checkpoints lie outside as they were signed."), n=outcome.checkpoints)


@check("trail.fresh", Area.TRAIL, gettext_lazy("The trail was signed lately"), **_HEALTH)
def fresh(scene: Scene) -> Found:
    chain, hours = workspace_chain(scene.workspace.pk), of("checkpoint_hours_warn")
    newest = Checkpoint.objects.filter(chain=chain).order_by("-seq").first()
    upto = newest.seq if newest else 0
    first = Event.objects.filter(chain=chain, seq__gt=upto).order_by("seq").values_list("at", flat=True).first()
    if first is not None and first < timezone.now() - timedelta(hours=hours):
        return warned(
            _("Entries behind number %(seq)d wait for a signature for more than %(hours)d hours."),
            seq=upto,
            hours=hours,
        )
    return passed(_("Every entry older than %(hours)d hours is under a signed checkpoint."), hours=hours)


@check("trail.key", Area.TRAIL, gettext_lazy("There is a key to sign with"), **_HEALTH)
def key(scene: Scene) -> Found:
    try:
        current = signing.current_key().public
    except SigningKeyMissing:
        return blocked(_("The installation has no key to sign the trail with."))
    return passed(_("The trail is signed with the key %(key)s…"), key=current[:16])


@check("trail.apart", Area.TRAIL, gettext_lazy("The portal cannot rewrite the trail"), **_HEALTH)
def apart(scene: Scene) -> Found:
    if not settings.PRODUCTION or settings.EMBEDDED_DATABASE:
        return none(_("The database is the portal's own here; the checkpoints outside show a rewriting."))
    powers = database_roles.powers_over_the_trail()
    if powers:
        return warned(_("The portal's role in the database %(power)s."), power=powers[0])
    return passed(_("The portal's role in the database can only add entries."))
