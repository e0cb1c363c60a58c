"""Notice that a server's model was exchanged for another one: with the same dimension nothing else would tell."""

import numpy as np

from documents import embeddings
from documents.embedding.spaces import row_of
from documents.embedding.vector_space import Space
from documents.models import EmbeddingSpace
from documents.outgoing import OURS
from documents.reembedding.problems import Stopped

_SENTENCE = "Whoever finds a key at the harbour brings it to the office behind the lighthouse before noon."
#: The same model on other hardware stays above; another one does not come near.
_SAME = 0.98


def require_same_model(space: Space) -> None:
    """Return if the server of `space` gives the vector it gave first. Raises Stopped and EmbeddingUnavailable."""
    if space.remote is None:
        return
    row = row_of(space)
    now = embeddings.embed_passages([_SENTENCE], space, account=OURS)[0]
    if row.probe is None:
        EmbeddingSpace.objects.filter(pk=row.pk, probe=None).update(probe=now.astype("<f4").tobytes())
    elif float(np.frombuffer(bytes(row.probe), dtype="<f4") @ now) < _SAME:
        raise Stopped("exchanged", name=space.name)
