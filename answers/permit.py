"""What lets a prompt go to a model: only the policy makes a permit, and the door to models takes nothing else."""

from time import monotonic
from typing import Any
from uuid import UUID

from answers.models import ModelEndpoint
from answers.prompts import Prompt

#: A permit that was not used by then is void: what it was decided on may have changed.
VALID_SECONDS = 30.0
_SEAL = object()


class PermitVoid(RuntimeError):
    """A fault of ours: a prompt came to the door without a permit of its own."""


class Permit:
    """For exactly one prompt, one endpoint as it was read at that moment, and one use."""

    __slots__ = ("_is_used", "_made_at", "_sha256", "endpoint", "reserved", "usage")

    def __init__(
        self, endpoint: ModelEndpoint, prompt: Prompt, *, seal: Any, usage: UUID | None, reserved: Any = None
    ) -> None:
        if seal is not _SEAL:
            raise TypeError("Only the model policy makes a permit.")
        self.endpoint = endpoint
        #: The row of the ledger that this call is counted in; None for the built-in model, which costs nothing.
        self.usage = usage
        self.reserved = reserved
        self._sha256, self._made_at, self._is_used = prompt.sha256, monotonic(), False

    def use(self, prompt: Prompt) -> ModelEndpoint:
        """The endpoint that `prompt` may go to, once. Raises PermitVoid."""
        if self._is_used or prompt.sha256 != self._sha256 or monotonic() - self._made_at > VALID_SECONDS:
            raise PermitVoid("This permit is for another prompt, for an earlier one, or was used.")
        self._is_used = True
        return self.endpoint
