"""Seal the few secrets that must lie in the database, under keys that do not.

Fernet of `cryptography`: AES-128 in CBC mode with an HMAC, so what was altered does not open. The first of
INLOCK_ENCRYPTION_KEYS seals, all of them open; that is how a key is replaced.
"""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from workspaces.exceptions import CannotUnseal


def seal(text: str) -> str:
    """`text` as it may be stored. Sealing it twice gives two different results."""
    return _keys().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """The text that was sealed. Raises CannotUnseal when no key of ours opens it, or it was altered."""
    try:
        return _keys().decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise CannotUnseal from error


def reseal(sealed: str) -> str:
    """The same text, sealed with the first key. Raises CannotUnseal as `unseal` does."""
    try:
        return _keys().rotate(sealed.encode()).decode()
    except InvalidToken as error:
        raise CannotUnseal from error


def _keys() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.INLOCK_ENCRYPTION_KEYS])
