"""The files of models that ship in packages: found without running the package's code, and read only if unchanged."""

import hashlib
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from django.utils.translation import gettext

from documents.embedding.vector_space import EmbeddingUnavailable


@dataclass(frozen=True)
class ModelFile:
    """One file of an installed package, found by its metadata, with the hash it was measured with."""

    package: str
    path: str
    sha256: str

    def locate(self) -> Path:
        """Where it is. Raises EmbeddingUnavailable."""
        try:
            path = Path(str(metadata.distribution(self.package).locate_file(self.path)))
        except metadata.PackageNotFoundError as error:
            raise EmbeddingUnavailable(
                gettext("The package %(package)s is not installed.") % {"package": self.package}
            ) from error
        if not path.is_file():
            raise EmbeddingUnavailable(
                gettext("The package %(package)s does not contain %(path)s.")
                % {"package": self.package, "path": self.path}
            )
        return path

    def read(self) -> bytes:
        """Its bytes. Raises EmbeddingUnavailable when they are not the ones the space was measured with."""
        content = self.locate().read_bytes()
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise self._changed()
        return content

    def checked(self) -> Path:
        """Where it is, for a library that opens it itself. Raises EmbeddingUnavailable as `read` does."""
        path = self.locate()
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != self.sha256:
                raise self._changed()
        return path

    def _changed(self) -> EmbeddingUnavailable:
        return EmbeddingUnavailable(
            gettext(
                "%(path)s of the package %(package)s is not the file Inlock was tested with: "
                "install the version pinned in requirements.lock."
            )
            % {"package": self.package, "path": self.path}
        )
