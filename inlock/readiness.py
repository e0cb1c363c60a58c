"""What of readiness is about the installation: engines, background work, disk, mail, settings and the last backup."""

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy, gettext_noop

from documents.ingestion import room
from inlock import engines, health
from inlock.health.finding import Finding, megabytes
from inlock.health.work import expects_workers
from workspaces.readiness.registry import Area, Found, Scene, blocked, check, none, passed, warned
from workspaces.readiness.thresholds import of
from workspaces.roles import PlatformAction

_ = gettext_noop
#: Where the operator reads what is wrong and what to do about it.
_HEALTH = {"fix": "admin_health", "needs": PlatformAction.WATCH_HEALTH}
#: From a terminal beside no portal nobody knows whether one would do the work: that is no “does not apply”.
_NOT_CHECKED = _("Not checked: the portal was not running. Ask again from its page, or while “serve” runs.")


def _engines(scene: Scene) -> list[engines.EngineStatus]:
    return engines.status(settings.VAR)


def _work(scene: Scene) -> list[Finding]:
    runs = {status.name for status in scene.once(_engines) if status.running}
    return health.work.background_work(broker_runs="valkey" in runs)


@check("operations.engines", Area.OPERATIONS, gettext_lazy("The engines run"), **_HEALTH)
def engines_run(scene: Scene) -> Found:
    found = scene.once(_engines)
    down = [one.title for one in found if not one.running or one.fault]
    if down:
        return blocked(_("Engines that are not as they should be: %(names)s."), names=", ".join(down))
    return passed(_("All %(n)d engines run."), n=len(found))


@check("operations.workers", Area.OPERATIONS, gettext_lazy("Work in the background is done"), **_HEALTH)
def workers(scene: Scene) -> Found:
    """Each queue's canary went the whole way: sent by the schedule, carried by the broker, taken by a worker."""
    if not expects_workers():
        return warned(_NOT_CHECKED)
    found = [one for one in scene.once(_work) if one.name != "schedule"]
    bad = [one.name for one in found if one.fault]
    if bad:
        return blocked(_("Queues that nobody works on: %(names)s."), names=", ".join(bad))
    return passed(_("All %(n)d queues are worked on."), n=len(found))


@check("operations.schedule", Area.OPERATIONS, gettext_lazy("What is to happen by the clock happens"), **_HEALTH)
def schedule(scene: Scene) -> Found:
    if not expects_workers():
        return warned(_NOT_CHECKED)
    late = [one for one in scene.once(_work) if one.name == "schedule" and one.fault]
    if late:
        return blocked(_("No scheduled task has run lately."))
    return passed(_("Scheduled tasks run."))


@check("operations.disk", Area.OPERATIONS, gettext_lazy("There is room on the disk"), **_HEALTH)
def disk(scene: Scene) -> Found:
    free, least = room.free_bytes(), settings.LOW_DISK_BYTES
    if room.is_short():
        return blocked(
            _("Free on the disk: %(free)s; below %(least)s no file is taken in."),
            free=megabytes(free),
            least=megabytes(least),
        )
    rate = warned if free < 2 * least else passed
    return rate(
        _("Free on the disk: %(free)s, of which %(least)s are kept free."), free=megabytes(free), least=megabytes(least)
    )


@check("operations.backup", Area.OPERATIONS, gettext_lazy("There is a backup"), **_HEALTH)
def backup(scene: Scene) -> Found:
    """The portal makes no backups of itself; whatever does touches a file, whose age is told here."""
    try:
        made_at = health.machine.backup_made_at()
    except OSError:
        return blocked(_("There is no backup: the file that tells of them is not there."))
    if made_at is None:
        return warned(_("Nothing tells of backups here: set INLOCK_BACKUP_MARKER to a file that each backup touches."))
    hours = int((timezone.now() - made_at).total_seconds() // 3600)
    if hours < -1:
        return blocked(_("The file that tells of backups is dated in the future, so it tells of none."))
    hours = max(hours, 0)
    rate = blocked if hours >= of("backup_hours_block") else warned if hours >= of("backup_hours_warn") else passed
    return rate(_("The last backup is %(hours)d hours old."), hours=hours)


@check("operations.mail", Area.OPERATIONS, gettext_lazy("People can be told by e-mail"), **_HEALTH)
def mail(scene: Scene) -> Found:
    if not settings.MAIL_IS_ON:
        return none(_("There is no mail server: people are told in the portal alone."))
    if health.mail.mail(database_runs=True).fault:
        return warned(_("The mail server cannot be used, or mails that are due are not sent."))
    return passed(_("The mail server answers."))


@check("operations.settings", Area.OPERATIONS, gettext_lazy("The settings are sound"), **_HEALTH)
def sound_settings(scene: Scene) -> Found:
    bad = [one.name for one in health.machine.settings_found() if one.fault]
    if bad:
        return warned(_("Settings to look at: %(names)s."), names=", ".join(bad[:5]))
    return passed(_("No problem was found in the settings."))
