"""Background work: the broker, the processes of `serve`, the workers, what they last took, and what waits."""

import time

import redis
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from inlock import supervisor
from inlock.celery import CANARY_SECONDS, INGEST, QUEUES, SOURCES
from inlock.env import Env
from inlock.health.finding import Finding
from inlock.tasks import canaries, lengths
from workspaces.dispatch import worker_is_up

#: Two rounds may be lost to a restart without anything being wrong.
LATE = 3 * CANARY_SECONDS
#: Long files and long crawls may keep every process of these queues busy, with nothing wrong.
LATE_BEHIND_FILES = 20 * 60
_PROBE_SECONDS = 2
#: What a broker says of the last time it wrote; anything but `ok` is a failure.
_WRITES = ("aof_last_write_status", "aof_last_bgrewrite_status", "rdb_last_bgsave_status")


def serve() -> Finding:
    """The processes that `serve` runs here."""
    told = supervisor.report(settings.VAR)
    if told is None:
        return Finding("serve", _("not running here; commands do the work in their own process"))
    children = told.get("children", [])
    state = ", ".join(f"{child['name']} {child['state']}" for child in children)
    faults = [child["fault"] for child in children if child["state"] == "restarting"]
    step = _("It is restarted by itself; the log named above says why it ended.") if faults else ""
    return Finding("serve", f"{told.get('url')} ({state})", " ".join(faults), step)


def expects_workers() -> bool:
    """Workers belong to a running `serve`, or to an installation with a broker of its own."""
    return supervisor.report(settings.VAR) is not None or bool(Env().str("REDIS_URL"))


def background_work(*, broker_runs: bool) -> list[Finding]:
    """Each queue: whether a worker takes from it, when it last did, and how much waits.

    A worker that is gone, a queue that stands still behind a living one, and a schedule that sends nothing are three
    things, and are told apart.
    """
    if not broker_runs:
        return [Finding("background work", _("not known while the broker is down"))]
    try:
        ran, waiting = canaries(), lengths()
    except (redis.RedisError, OSError) as error:
        fault = _("The broker refuses: %(error)s") % {"error": error}
        return [Finding("background work", _("not known"), fault, _("See the broker's finding."))]
    up = {queue: worker_is_up(queue) for queue in QUEUES}
    found = [_queue(queue, up[queue], ran.get(queue), waiting[queue]) for queue in QUEUES]
    if expects_workers() and all(up.values()):
        found.append(_schedule(ran))
    return found


def broker(*, runs: bool) -> list[Finding]:
    """Whether the broker throws away what it holds, and whether that outlives its end. Nothing while it is down."""
    if not runs:
        return []
    seconds = {"socket_timeout": _PROBE_SECONDS, "socket_connect_timeout": _PROBE_SECONDS}
    try:
        with redis.Redis.from_url(settings.REDIS_URL, **seconds) as client:
            told, snapshots = {**client.info("memory"), **client.info("persistence")}, _snapshots(client)
    except redis.ResponseError as error:
        return [Finding("broker", _("does not tell how it keeps what it holds (%(error)s)") % {"error": error})]
    except (redis.RedisError, OSError) as error:
        fault = _("The broker refuses: %(error)s") % {"error": error}
        return [Finding("broker", _("not known"), fault, _("See the broker's finding."))]
    policy, appends = str(told.get("maxmemory_policy", "")), bool(told.get("aof_enabled"))
    state = ", ".join(filter(None, (policy, _kept(appends=appends, snapshots=snapshots))))
    if policy and policy != "noeviction":
        step = _("Set maxmemory-policy to noeviction, and give caches of other programs a server of their own.")
        fault = _(
            "It throws away what it holds when its memory is full (%(policy)s): work starts late, counts are lost."
        )
        return [Finding("broker", state, fault % {"policy": policy}, step)]
    failed = [name for name in _WRITES if told.get(name, "ok") != "ok"]
    if failed:
        fault = _("It could not write its files (%(names)s), and may refuse work.") % {"names": ", ".join(failed)}
        return [Finding("broker", state, fault, _("Look at its disk and its log."))]
    if appends or snapshots != "":
        return [Finding("broker", state)]
    step = _("When it ends, the sweeps find all work again, later. Set appendonly to yes to lose less.")
    return [Finding("broker", state, "", step)]


def _snapshots(client: "redis.Redis") -> str | None:
    """When it writes snapshots, in its own words, empty for never; None where it does not tell, as a hosted one."""
    try:
        return str(client.config_get("save").get("save", ""))
    except redis.ResponseError:
        return None


def _kept(*, appends: bool, snapshots: str | None) -> str:
    if appends:
        return _("written to an append-only file")
    if snapshots:
        return _("written as snapshots")
    if snapshots is None:
        return _("no append-only file; whether it writes snapshots it does not tell, because it refuses CONFIG")
    return _("kept in memory alone")


def _queue(queue: str, is_up: bool, ran: float | None, waiting: int) -> Finding:
    """`ran`: when a task of the schedule was last taken from the queue, in seconds since the epoch."""
    name = f"worker {queue}"
    waits = _(", %(n)d waiting") % {"n": waiting} if waiting else ""
    if not is_up:
        if not expects_workers():
            return Finding(name, _("none; commands do the work in their own process"))
        step = _("Start a worker: `celery --app inlock.celery worker -Q %(queue)s`. Under `serve` it starts by itself.")
        fault = _("No worker takes from the queue %(queue)s.") % {"queue": queue}
        return Finding(name, pgettext("worker", "none") + waits, fault, step % {"queue": queue})
    if ran is None:
        return Finding(name, _("takes work") + waits)
    ago = max(0.0, time.time() - ran)
    if ago < (LATE_BEHIND_FILES if queue in (INGEST, SOURCES) else LATE) or not waiting:
        return Finding(name, _("takes work, last %(ago)d seconds ago") % {"ago": ago} + waits)
    step = _(
        "Look at the worker's log for what it is at. If there is nothing, end it: what it holds is taken up again."
    )
    fault = _("The worker lives, but has taken nothing from the queue %(queue)s for %(ago)d seconds.")
    return Finding(name, _("stands still") + waits, fault % {"queue": queue, "ago": ago}, step)


def _schedule(ran: dict[str, float]) -> Finding:
    """Whether beat sends what is to happen by the clock: then some queue has run it lately."""
    newest = max(ran.values(), default=None)
    if newest is not None and (ago := max(0.0, time.time() - newest)) < LATE:
        return Finding("schedule", _("a scheduled task ran %(ago)d seconds ago") % {"ago": ago})
    step = _("Just after a start, look again in a minute. Otherwise see the logs of beat and of the worker.")
    fault = _("No scheduled task has run since the broker was set up.")
    if newest is not None:
        fault = _("No scheduled task has run for %(ago)d seconds.") % {"ago": time.time() - newest}
    return Finding("schedule", _("late"), fault, step)
