"""`manage.py reseal`: the second step of replacing the key that seals secrets in the database."""

from typing import Any

from workspaces.commands import PortalCommand
from workspaces.exceptions import CannotUnseal, PortalError
from workspaces.identity.resealing import reseal_all


class Command(PortalCommand):
    help = "Seal every secret in the database with the first of INLOCK_ENCRYPTION_KEYS; the others may then go."

    def run(self, **options: Any) -> dict[str, Any]:
        try:
            count = reseal_all()
        except CannotUnseal as error:
            raise PortalError(str(error)) from error
        self.say(f"Sealed with the first key: {count}. The keys after it may be removed now.")
        return {"resealed": count}
