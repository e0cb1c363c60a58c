"""`manage.py serve`: the whole portal as one process tree, until Ctrl-C or SIGTERM."""

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.checks import Tags
from django.core.management.base import CommandError
from django.db import connections

from inlock.engines import EngineFailed
from inlock.env import Env
from inlock.migrating import DatabaseBehind, require_current
from inlock.requeue import requeue_unacknowledged
from inlock.supervisor import CannotServe, Supervisor
from workspaces.commands import OneLineErrors
from workspaces.members import renew_all_role_groups


class Command(OneLineErrors):
    help = "Start everything: engines, web server, workers and schedule. Ctrl-C ends all of it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--json", action="store_true", help="print one JSON document when ready, nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        self.as_json = options["json"]
        supervisor = Supervisor(settings.VAR, options["host"], options["port"], say=self._say)
        try:
            supervisor.run(self._prepare, lambda: self._ready(supervisor))
        except CannotServe as error:
            raise CommandError(str(error), returncode=2) from error
        except (EngineFailed, DatabaseBehind) as error:
            raise CommandError(str(error)) from error
        self._say("Stopped.")

    def _prepare(self) -> None:
        self._say("Bringing the database up to date.")
        require_current()
        renew_all_role_groups()  # the role table may have changed without a migration
        self.check(tags=[Tags.database], databases=["default"])  # in production: no account with a published password
        if not Env().str("REDIS_URL"):
            requeue_unacknowledged()
        connections.close_all()  # this process only watches from here on

    def _ready(self, supervisor: Supervisor) -> None:
        if self.as_json:
            self.stdout.write(json.dumps({"url": supervisor.url, "var": str(supervisor.var)}))
            self.stdout.flush()
            return
        self._say(f"The portal is ready: {supervisor.url}")
        self._say(f"Logs are in {supervisor.var / 'log'}. Stop with Ctrl-C.")

    def _say(self, text: str) -> None:
        if not self.as_json:
            self.stdout.write(text)
            self.stdout.flush()
