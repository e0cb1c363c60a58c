"""What can go wrong with a source, as codes that are kept and sentences a person reads in their own language."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from documents.sources import CONNECTORS

SENTENCES: dict[str, str] = {
    # addresses
    "host_form": gettext_noop(
        "This is not a plain address, as in https://docs.example/handbook: no user name, no password, nothing but "
        "scheme, host, port, path and query."
    ),
    "host_unlisted": gettext_noop("%(host)s is not on this installation's list of hosts. Its operator can add it."),
    "host_inside": gettext_noop("%(host)s leads into a network that this installation's operator has not opened."),
    "host_plain": gettext_noop("A secret is sent to %(host)s over HTTPS only."),
    "host_unknown": gettext_noop("The name %(host)s is not known."),
    # answers
    "unreachable": gettext_noop("%(host)s could not be reached."),
    "too_slow": gettext_noop("%(host)s took too long."),
    "too_large": gettext_noop("It is larger than %(megabytes)d MB, the most that is accepted."),
    "packing": gettext_noop("The answer was packed in a way that cannot be opened here."),
    "redirects": gettext_noop("The address was passed on more than %(limit)d times."),
    "redirected": gettext_noop("%(host)s passed the request on to an address that is not followed."),
    "denied": gettext_noop("%(host)s refused access (status %(status)d). Check the secret and the rights it carries."),
    "missing": gettext_noop("There is nothing at this address any more."),
    "status": gettext_noop("%(host)s answered with an error (status %(status)d)."),
    "not_understood": gettext_noop("%(host)s answered something that is not what this kind of source gives."),
    "robots": gettext_noop("The website asks robots not to read this."),
    "secret_refused": gettext_noop("The server did not accept the user name and the secret."),
    "secret_letters": gettext_noop(
        "The secret holds characters that cannot be sent. Use one of plain letters, digits and signs (ASCII)."
    ),
    "key_bad": gettext_noop("The key is none of this store: it is not in the form that the store gives out."),
    "private_key_bad": gettext_noop("The private key cannot be read. It must be without a password of its own."),
    "host_key_other": gettext_noop(
        "%(host)s shows another key than the one that was entered: %(seen)s. Ask whoever runs the server before you "
        "enter that one."
    ),
    "share_missing": gettext_noop("%(host)s has no share called %(name)s."),
    "no_encryption": gettext_noop(
        "%(host)s does not encrypt what it sends. Its operator can switch on SMB 3, or leave encryption out here."
    ),
    "secret_lost": gettext_noop("The stored secret can no longer be opened. Enter it again."),
    # files
    "folder_closed": gettext_noop(
        "This folder is not among those that this installation's operator has opened to this workspace."
    ),
    "folder_missing": gettext_noop("There is no such folder."),
    "unreadable": gettext_noop("It could not be read."),
    "changed_meanwhile": gettext_noop("It changed while it was read. The next sync tries again."),
    "not_a_file": gettext_noop("It is a link or a special file, which is not followed."),
    "bad_name": gettext_noop("Its name cannot be kept: it is too long or holds characters that are no text."),
    "ref_missing": gettext_noop("The repository has no branch or tag called %(name)s."),
    "settings_bad": gettext_noop("%(name)s cannot be used as it is."),
    "empty": gettext_noop("The file is empty."),
    "disk_full": gettext_noop("There is no room left on the portal's disk. Tell the operator."),
    "legal_hold": gettext_noop("A legal hold keeps its document from being deleted."),
    # runs
    "refused": "%(sentence)s",
    "path_taken": gettext_noop("Another document that does not come from this source has this path."),
    "path_twice": gettext_noop("Two things in this source would have this path. Only the first was taken."),
    "not_allowed": gettext_noop(
        "Whoever this runs for may no longer manage this workspace's documents. Save the source to have it run for you."
    ),
    "archived": gettext_noop("This workspace is archived: nothing can be added to it."),
    "nothing_to_read": gettext_noop("The connection works, but nothing was found that can be read here."),
    "not_parsed": gettext_noop("The connection works, but the first file could not be read: %(sentence)s"),
    "no_room": gettext_noop("The portal's disk is nearly full, so nothing is brought in. Tell the operator."),
    "worker_died": gettext_noop("Three attempts ended without a word. Tell the operator, then run it again."),
}


def sentence(code: str, detail: Mapping[str, Any]) -> str:
    """What a person reads about a problem; the code where a newer program wrote one we do not know."""
    text = SENTENCES.get(code)
    if text is None:
        return code
    if code == "refused":
        return _(str(detail.get("sentence", "")))
    return _(text) % _Known(detail, **({"name": _label(str(detail["field"]))} if "field" in detail else {}))


def _label(field: str) -> str:
    """What a setting is called on the forms; connectors that share a name share what it means."""
    labels = (one.label for connector in CONNECTORS.values() for one in connector.fields if one.name == field)
    return str(next(labels, field))


class _Known(dict[str, Any]):
    """What a sentence names and nobody noted is left open, so that an old row still reads."""

    def __missing__(self, key: str) -> Any:
        return 0 if key in {"status", "megabytes", "limit"} else "…"
