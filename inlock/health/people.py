"""What must be true of the database and of those who run the installation: migrations, accounts, managers."""

from datetime import timedelta

from django.conf import settings
from django.core import checks
from django.db import OperationalError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from inlock import migrating
from inlock.health.finding import Finding
from workspaces import members
from workspaces.identity import local_sign_in

#: For as long somebody who looks seldom must learn that the emergency account was used.
EMERGENCY_IS_NEWS = timedelta(days=7)


def migrations() -> Finding:
    try:
        missing = migrating.pending()
    except OperationalError as error:
        fault = _("The database refuses: %(error)s") % {"error": error}
        return Finding("migrations", _("not known"), fault, _("See the database's finding."))
    if not missing:
        return Finding("migrations", _("all applied"))
    fault = _("The database lacks %(name)s and what follows.") % {"name": missing[0]}
    return Finding("migrations", _("%(n)d missing") % {"n": len(missing)}, fault, _("Run `manage.py migrate`."))


def accounts() -> Finding:
    """What the checks that need the database find, such as an account with a published password."""
    faults = checks.run_checks(tags=[checks.Tags.database], databases=["default"])
    if not faults:
        return Finding("accounts", _("no problem found"))
    return Finding("accounts", faults[0].id or "", faults[0].msg, faults[0].hint or "")


def emergency_account() -> list[Finding]:
    """Whether the one account beside the provider would open, and when it last did."""
    if settings.LOCAL_SIGN_IN or not settings.EMERGENCY_ACCOUNT:
        return []
    name = f"emergency account {settings.EMERGENCY_ACCOUNT}"
    if missing := local_sign_in.emergency_lacks():
        step = _("Make it whole while the provider works: `changepassword`, and a second factor under its own account.")
        fault = _("Nobody could sign in with it: %(why)s.") % {"why": missing}
        return [Finding(name, pgettext("account", "closed"), fault, step)]
    used_at = local_sign_in.emergency_used_at()
    if used_at is None:
        return [Finding(name, _("never used"))]
    state = _("used on %(when)s") % {"when": f"{timezone.localtime(used_at):%Y-%m-%d %H:%M}"}
    if timezone.now() - used_at > EMERGENCY_IS_NEWS:
        return [Finding(name, state)]
    step = _("If none of you did, close the account and read the trail. Otherwise give it another password.")
    return [Finding(name, state, _("Somebody signed in beside the identity provider."), step)]


def managers() -> Finding:
    """A provider's groups, or the end of an account, may take the last who could manage a workspace."""
    slugs = list(members.without_manager().order_by("slug").values_list("slug", flat=True))
    if not slugs:
        return Finding("managers", _("every workspace has one"))
    shown = ", ".join(slugs[:5]) + (", …" if len(slugs) > 5 else "")
    step = _("A platform administrator names one, on the workspace's page in the admin.")
    fault = _("Nobody may manage these workspaces: %(names)s.") % {"names": shown}
    return Finding("managers", _("%(n)d missing") % {"n": len(slugs)}, fault, step)
