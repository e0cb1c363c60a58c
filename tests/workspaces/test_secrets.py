"""Secrets in the database are sealed under keys outside it, and those keys can be replaced."""

import pytest
from cryptography.fernet import Fernet

from workspaces.exceptions import CannotUnseal
from workspaces.secrets import reseal, seal, unseal


def test_a_sealed_secret_opens_to_what_it_was():
    sealed = seal("žeton-of-the-provider")

    assert "of-the-provider" not in sealed
    assert unseal(sealed) == "žeton-of-the-provider"


def test_the_same_secret_never_looks_the_same_twice():
    assert seal("secret") != seal("secret")


@pytest.mark.parametrize("damage", [lambda s: s[:-2] + "A=", lambda s: s[1:], lambda s: "", lambda s: "secret"])
def test_what_was_altered_does_not_open(damage):
    with pytest.raises(CannotUnseal, match="INLOCK_ENCRYPTION_KEYS"):
        unseal(damage(seal("secret")))


def test_another_installation_cannot_open_it(settings):
    sealed = seal("secret")
    settings.INLOCK_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

    with pytest.raises(CannotUnseal):
        unseal(sealed)


def test_a_key_is_replaced_by_putting_a_new_one_before_it_and_sealing_again(settings):
    (old,) = settings.INLOCK_ENCRYPTION_KEYS
    new, sealed = Fernet.generate_key().decode(), seal("secret")

    settings.INLOCK_ENCRYPTION_KEYS = [new, old]
    assert unseal(sealed) == "secret"
    sealed_anew = reseal(sealed)
    settings.INLOCK_ENCRYPTION_KEYS = [new]

    assert unseal(sealed_anew) == "secret"
    with pytest.raises(CannotUnseal):
        unseal(sealed)
