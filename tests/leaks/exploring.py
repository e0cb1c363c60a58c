"""How the state machines of the promises are run."""

import os

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

#: Set by `make deep`: other lives each time, and many more of them.
DEEP = bool(os.environ.get("INLOCK_DEEP"))


def explore(machine: type[RuleBasedStateMachine], sequences: int, steps: int) -> None:
    """Let `machine` live `sequences` times, `steps` acts each."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=sequences,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            # On each push the same lives, so that it fails for what it changed; by `make deep` other ones each time.
            derandomize=not DEEP,
            suppress_health_check=list(HealthCheck),
        ),
        # Left alone, most lives end after a few steps.
        _min_steps=steps,
    )
