"""`manage.py migrate` for the template of a run, from nothing: `python -m tests.migrating`.

Django makes every model anew that is connected with a new one, and ours all are: nine tenths of its time goes there.
The tables are the same when the new model alone is made; `tests/inlock/test_serve.py` does without this shortcut.
"""

import os
from typing import Any

from django.core.management import execute_from_command_line
from django.db.migrations.state import ProjectState


def _add_model(self: ProjectState, model_state: Any) -> None:
    """As Django's own, with one model rendered instead of all that can be reached from it."""
    key = model_state.app_label, model_state.name_lower
    self.models[key] = model_state
    if self._relations is not None:
        self.resolve_model_relations(key)
    if "apps" in self.__dict__:
        self.apps.render_multiple([model_state])


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "inlock.settings")
    ProjectState.add_model = _add_model
    execute_from_command_line(["manage.py", "migrate", "--verbosity=0"])
