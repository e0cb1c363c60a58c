"""The contract every command of ours keeps.

`--json` prints one JSON document and nothing else on standard output. Exit code 0: done and it holds; 1: the thing
checked does not hold; 2: bad usage. An error is one readable line on standard error.
"""

import json
import sys
from argparse import ArgumentParser
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError, handle_default_options
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connections
from django.utils.translation import gettext as _

from audit import context
from workspaces import access
from workspaces.exceptions import PortalError, ReasonNeeded, Refused
from workspaces.middleware import record_refusal
from workspaces.models import User, Workspace
from workspaces.roles import Action


class OneLineErrors(BaseCommand):
    """A command whose errors are one sentence on standard error, bad usage included; --traceback shows the rest."""

    requires_system_checks: list[str] = []

    def run_from_argv(self, argv: list[str]) -> None:
        # Django's own prints the error's class before the sentence, and a page of usage before argparse's.
        program, name, *arguments = argv
        try:
            options = self.create_parser(program, name).parse_args(arguments)
        except CommandError as error:
            self._fail(f"{str(error).removeprefix('Error: ')}. See: manage.py {name} --help", 2)
        handle_default_options(options)
        given = vars(options)
        try:
            self.execute(*given.pop("args", ()), **given)
        except CommandError as error:
            if options.traceback:
                raise
            self._fail(str(error), error.returncode)
        finally:
            connections.close_all()

    def _fail(self, sentence: str, code: int) -> NoReturn:
        self.stderr.write(" ".join(sentence.split()), lambda text: text)
        sys.exit(code)


class PortalCommand(OneLineErrors):
    """Base of our commands: implement `run(**options)` and return a JSON-ready document.

    Print for people with `self.say`, which is silent under --json; call `self.does_not_hold()` to exit with 1.
    """

    #: Whether the command takes `--as USER` and acts with that person's rights.
    acts_as_person = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
        if self.acts_as_person:
            parser.add_argument("--as", dest="username", required=True, metavar="USER", help="whose rights to use")

    def handle(self, *args: Any, **options: Any) -> None:
        self.as_json: bool = options.pop("json")
        self.holds = True
        for name in (
            "verbosity",
            "settings",
            "pythonpath",
            "traceback",
            "no_color",
            "force_color",
            "skip_checks",
            "stdout",
            "stderr",
        ):
            options.pop(name, None)
        try:
            user = self._person(options.pop("username")) if self.acts_as_person else None
            if user is not None:
                options["user"] = user
            with context.acting(user):
                document = self.run(**options)
        except Refused as error:
            record_refusal(error)
            raise CommandError(_what_to_do(error), returncode=2) from error
        except PortalError as error:
            raise CommandError(str(error), returncode=2) from error
        if self.as_json:
            self.stdout.write(json.dumps(document, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2))
        if not self.holds:
            self.stdout.flush()
            sys.exit(1)

    def run(self, **options: Any) -> Any:
        """Do the work; return what --json prints."""
        raise NotImplementedError

    def say(self, text: str = "") -> None:
        """Print a line for a person."""
        if not self.as_json:
            self.stdout.write(text)

    def does_not_hold(self) -> None:
        """Make the command exit with 1."""
        self.holds = False

    def workspace(self, user: User | None, slug: str, action: str = Action.ENTER) -> Workspace:
        """The workspace called `slug`, if `user` may do `action` there (None: the operator)."""
        if user is not None:
            return access.find(user, action, Workspace, slug=slug)
        try:
            return Workspace.objects.get(slug=slug)
        except Workspace.DoesNotExist as error:
            raise PortalError(_("There is no workspace called %(slug)s.") % {"slug": slug}) from error

    def _person(self, username: str) -> User:
        try:
            return User.objects.get(username=username, is_active=True)
        except User.DoesNotExist as error:
            raise PortalError(_("There is no active account called %(name)s.") % {"name": username}) from error


def _what_to_do(error: Refused) -> str:
    if not isinstance(error, ReasonNeeded):
        return str(error.sentence)
    return f"{error.sentence} manage.py glass break {error.workspace.slug} --as {error.user.username} --reason …"
