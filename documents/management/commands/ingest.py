"""`ingest SLUG PATH… --as USER`: bring files or folders into a workspace, and wait until each is ready or failed."""

import threading
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from documents.ingestion import intake
from documents.ingestion.intake import Row
from documents.viewer.findings import in_words
from workspaces.classification import Classification
from workspaces.commands import PortalCommand
from workspaces.models import User, Workspace
from workspaces.roles import Action

_REDRAW_SECONDS = 0.5


class Command(PortalCommand):
    help = "Bring files or folders into a workspace. Exits with 1 if any did not become ready."
    acts_as_person = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("slug", metavar="SLUG", help="the workspace")
        parser.add_argument("paths", metavar="PATH", nargs="+", help="files, or folders with all they hold")
        parser.add_argument(
            "--classification", choices=Classification.values, default="", help="of documents that are new"
        )
        parser.add_argument("--folder", default="", metavar="FOLDER", help="where to put them, as in Contracts/2027")

    def run(self, *, slug: str, paths: list[str], classification: str, folder: str, user: User) -> dict[str, Any]:
        workspace = self.workspace(user, slug, Action.ADD)
        files = intake.find(paths)
        rows: list[Row] = []
        with self._progress_line(workspace, len(files), rows):
            for row in intake.bring_in(workspace, files, by=user, classification=classification, folder=folder):
                rows.append(row)
                self._print(row)
        ready = sum(row.is_ready for row in rows)
        self.say(f"{ready} of {len(rows)} files are ready.")
        if ready < len(files):
            self.does_not_hold()
        order = {found.path: place for place, found in enumerate(files)}
        return {"documents": [row.as_json() for row in sorted(rows, key=lambda row: order[row.path])]}

    def _print(self, row: Row) -> None:
        self._clear()
        if row.is_ready:
            self.say(f"{row.path}: ready, pages {row.pages}, passages {row.passages}, {row.seconds:.1f} s")
        else:
            self.say(f"{row.path}: {row.state}. {row.reason}")
        if row.hidden_text:
            unseen = _("This file holds text that its readers do not see.")
            self.say(f"  {unseen} {' · '.join(in_words(row.hidden_text))}.")

    # --- The line that moves, on a terminal only ------------------------------------------------------------

    @property
    def _is_live(self) -> bool:
        return not self.as_json and bool(getattr(self.stdout, "isatty", lambda: False)())

    def _clear(self) -> None:
        if self._is_live:
            self.stdout.write("\r\x1b[K", ending="")

    @contextmanager
    def _progress_line(self, workspace: Workspace, total: int, rows: list[Row]) -> Iterator[None]:
        if not self._is_live:
            yield
            return
        over = threading.Event()

        def draw() -> None:
            try:
                while not over.wait(_REDRAW_SECONDS):
                    busy = [
                        f"{each.filename} {each.done}/{each.passages}" if each.passages else each.filename
                        for each in intake.in_work(workspace)
                    ]
                    self._clear()
                    self.stdout.write(f"{len(rows)} of {total} · {' · '.join(busy)}"[:100], ending="")
                    self.stdout.flush()
            finally:
                connection.close()

        drawing = threading.Thread(target=draw, daemon=True)
        drawing.start()
        try:
            yield
        finally:
            over.set()
            drawing.join()
            self._clear()
