"""What can go wrong with the trail, each with a sentence for a person."""

from django.utils.translation import gettext as _


class AuditError(Exception):
    """An entry could not be written as asked; the act it belongs to must not happen."""


class SigningKeyMissing(AuditError):
    """There is no usable key to sign with."""

    def __str__(self) -> str:
        return _("There is no signing key: set INLOCK_SIGNING_KEY to 32 random bytes in base64.")


class KeyNotVouchedFor(AuditError):
    """The signing key was replaced, and the one before is not there to sign for it."""

    def __str__(self) -> str:
        return _(
            "The signing key was replaced: give the one before in INLOCK_SIGNING_KEY_BEFORE, so that it signs for the "
            "new one, or accept the new one with `audit checkpoint --accept-new-key` if the old one is lost."
        )


class ChainDamaged(AuditError):
    """A chain does not hold, so nothing is signed about it. `faults` says where."""

    def __init__(self, chain: str, faults: tuple[object, ...]) -> None:
        super().__init__(chain, faults)
        self.chain, self.faults = chain, faults

    def __str__(self) -> str:
        return _("%(chain)s does not hold, so no checkpoint is signed: run `audit verify`.") % {"chain": self.chain}


class NotIncluded(AuditError):
    """An entry does not lead to the root of a checkpoint: one of the two, or what is between them, was changed."""

    def __init__(self, seq: int) -> None:
        super().__init__(seq)
        self.seq = seq

    def __str__(self) -> str:
        return _("Entry %(seq)d is not in the chain that was signed: run `audit verify`.") % {"seq": self.seq}


class Unprovable(AuditError):
    """Entries cannot be proven by a signed document now."""

    def __str__(self) -> str:
        return super().__str__() or _("No receipt can be signed at the moment: tell whoever operates this portal.")
