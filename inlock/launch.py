"""Run a management command with what it needs: engines that answer, and a database that is up to date."""

import sys
from contextlib import AbstractContextManager, nullcontext

import django
from django.core.management import execute_from_command_line

from inlock import engines
from inlock.env import SettingError, load_dotenv

#: Commands that work, or say what is wrong, while nothing runs.
WITHOUT_ENGINES = {
    "check",
    "collectstatic",
    "compilemessages",
    "diffsettings",
    "doctor",
    "findstatic",
    "help",
    "makemessages",
    "makemigrations",
    "serve",  # owns its engines, and prints when they are ready
    "sqlmigrate",
    "startapp",
    "version",
}
#: Commands that are about the migrations themselves, or bring a database of their own.
WITHOUT_MIGRATING = {"dbshell", "migrate", "showmigrations", "squashmigrations", "test"}


def run(arguments: list[str]) -> int:
    """Run the command line; returns the exit code. Commands that end otherwise raise SystemExit themselves."""
    command = arguments[1] if len(arguments) > 1 else "help"
    asks_for_help = command.startswith("-") or {"-h", "--help"} & set(arguments[2:])
    needs_engines = command not in WITHOUT_ENGINES and not asks_for_help
    try:
        load_dotenv(engines.PROJECT_ROOT / ".env")
        with _engines(needs_engines):
            if needs_engines and command not in WITHOUT_MIGRATING:
                django.setup()
                _require_current_database()
            execute_from_command_line(arguments)
    except SettingError as error:
        return _fail(str(error), 2)
    except engines.EngineFailed as error:
        return _fail(str(error), 1)
    except KeyboardInterrupt:
        return 130
    return 0


def _engines(needed: bool) -> AbstractContextManager[object]:
    return engines.attached() if needed else nullcontext()


def _require_current_database() -> None:
    """Bring our own database up to date; a server that somebody else owns is left to them."""
    from inlock.migrating import DatabaseBehind, require_current  # models are loaded only now

    try:
        require_current()
    except DatabaseBehind as error:
        raise SystemExit(_fail(str(error), 1)) from None


def _fail(sentence: str, code: int) -> int:
    print(sentence, file=sys.stderr)  # noqa: T201 (Django's own output may not be set up yet)
    return code
