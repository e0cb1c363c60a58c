"""Places outside that documents come from, one connector a file.

To add a kind, copy the module of a neighbour and name its class here. `sync.py` is what a run does, `keeping.py` what
people do with sources, `plan.py` what a listing means.
"""

from documents.sources.azure import AzureConnector
from documents.sources.connector import Connector
from documents.sources.feed import FeedConnector
from documents.sources.folder import FolderConnector
from documents.sources.gcs import GcsConnector
from documents.sources.git import GitConnector
from documents.sources.imap import ImapConnector
from documents.sources.s3 import S3Connector
from documents.sources.sftp import SftpConnector
from documents.sources.smb import SmbConnector
from documents.sources.webdav import WebDavConnector
from documents.sources.website import WebsiteConnector

_ALL: tuple[type[Connector], ...] = (
    FolderConnector,
    SmbConnector,
    SftpConnector,
    WebDavConnector,
    WebsiteConnector,
    GitConnector,
    S3Connector,
    AzureConnector,
    GcsConnector,
    ImapConnector,
    FeedConnector,
)

CONNECTORS: dict[str, type[Connector]] = {connector.kind: connector for connector in _ALL}
