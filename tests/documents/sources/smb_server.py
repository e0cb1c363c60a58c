"""An SMB server over a folder, on loopback, by another library than the one that asks it."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from impacket import smbserver
from impacket.ntlm import compute_lmhash, compute_nthash

NAME, PASSWORD, SHARE = "reader", "marker-word", "RULES"


@contextmanager
def sharing(folder: Path) -> Iterator[int]:
    """The port of a server that shares `folder` until the block ends. It speaks SMB 2.0 and does not encrypt."""
    server = smbserver.SimpleSMBServer(listenAddress="127.0.0.1", listenPort=0)
    server.addShare(SHARE, str(folder), "", readOnly="yes")
    server.setSMB2Support(True)
    server.addCredential(NAME, 1000, compute_lmhash(PASSWORD), compute_nthash(PASSWORD))
    for name in ("impacket", "impacket.smbserver"):
        logging.getLogger(name).disabled = True
    inner = server.getServer()
    inner.daemon_threads = True
    thread = threading.Thread(target=inner.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield inner.server_address[1]
    finally:
        inner.shutdown()
        inner.server_close()
