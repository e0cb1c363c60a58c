"""Have the system prefer one process of the portal to another where both want the processor."""

import logging
import os
import time
from pathlib import Path

logger = logging.getLogger(__name__)

#: Nice values, 0 to 19 (setpriority(2)): the web process stays at 0. Who asks sees a sign of life at once, before
#: others' questions are answered, and questions are answered before files are read.
ANSWERING, IN_THE_BACKGROUND = 3, 8
#: Linux shares the processor among sessions first (sched(7), "The autogroup feature"), and among the threads of one
#: by their nice values only then.
_AUTOGROUP = Path("/proc/self/autogroup")
#: A process without privileges may set it once in a tenth of a second, whoever else did.
_TRIES, _PAUSE_SECONDS = 5, 0.15


def give_way(by: int) -> None:
    """Let others go first: the calling thread, those it starts from now on, and on Linux the session it leads.

    `by`: a nice value to add. Where the system has no such groups, or does not let us, it is the thread alone.
    """
    os.nice(by)
    # Of a worker that a person started, the session is that of their shell.
    if os.getsid(0) != os.getpid() or not _AUTOGROUP.exists():
        return
    for _try in range(_TRIES):
        try:
            _AUTOGROUP.write_text(str(by), encoding="ascii")
        except BlockingIOError:
            time.sleep(_PAUSE_SECONDS)
        except OSError as error:
            logger.warning("The session's share of the processor stays as it is: %s", error)
            return
        else:
            return
    logger.warning("The session's share of the processor stays as it is: others are changing theirs.")
