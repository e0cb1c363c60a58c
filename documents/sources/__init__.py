"""Places outside that documents come from, one connector a file.

To add a kind, copy the module of a neighbour and name its class here. `sync.py` is what a run does, `keeping.py` what
people do with sources, `plan.py` what a listing means.
"""

from documents.sources.connector import Connector
from documents.sources.folder import FolderConnector

CONNECTORS: dict[str, type[Connector]] = {connector.kind: connector for connector in (FolderConnector,)}
