"""How the state machines of the promises are run."""

import os

from hypothesis import HealthCheck, reject, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

#: Set by `make deep`: other lives each time, and many more of them.
DEEP = bool(os.environ.get("INLOCK_DEEP"))

#: Drawn by each machine as its life begins, and handed to `leave_out_the_simplest`.
LIFE = st.integers(0, 10**6)


def leave_out_the_simplest(life: int) -> None:
    """Hypothesis tries the simplest life before any other: one act, done over and over. It teaches nothing here."""
    if life == 0:
        reject()


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
