"""`manage.py sync` as a person or a script runs it."""

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from documents.models import Document

pytestmark = pytest.mark.django_db(transaction=True)


def _sync(*arguments: str) -> tuple[dict, int]:
    out = StringIO()
    try:
        call_command("sync", *arguments, "--json", stdout=out)
    except SystemExit as ended:
        return json.loads(out.getvalue()), int(ended.code or 0)
    return json.loads(out.getvalue()), 0


def test_a_sync_from_a_terminal_previews_brings_in_and_says_what_went_wrong(handbook, policies, root, monkeypatch):
    monkeypatch.setattr("documents.library.dispatch", lambda *_: None)  # reading the files is another test's matter

    seen, _code = _sync("policies", "--as", "manager", "--preview")
    assert (seen["runs"][0]["would"], Document.objects.count()) == ({"add": 2, "change": 0, "remove": 0}, 0)

    done, code = _sync("policies", "Handbook", "--as", "manager")
    assert (done["runs"][0]["added"], code) == (2, 0)

    (root / "empty.md").write_bytes(b"")
    after, code = _sync("policies", "--as", "manager")
    assert (after["runs"][0]["problems"], code) == ([{"path": "empty.md", "reason": "The file is empty."}], 1)

    for refused in (("policies", "Nothing", "--as", "manager"), ("policies", "--as", "contributor")):
        with pytest.raises(CommandError):
            _sync(*refused)
