"""A permit as the policy makes one, for tests of what stands behind the door to models."""

from typing import Any

from answers import permit
from answers.prompts import Prompt


def permit_for(endpoint: Any, prompt: Prompt) -> permit.Permit:
    """A permit that no policy was asked for."""
    return permit.Permit(endpoint, prompt, seal=permit._SEAL, usage=None)
