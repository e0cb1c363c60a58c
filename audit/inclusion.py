"""Prove that an entry is in a signed tree, with a few short reads however long the chain is.

Nodes at every eighth height were written with the checkpoints (`audit.models.TreeNode`); between two of these heights
at most 256 of them are read. Nothing that is read is believed: the way found must lead to the signed root.
"""

from functools import lru_cache

from audit.chain import digest
from audit.exceptions import NotIncluded
from audit.merkle import STRIDE, WholeTree, joined, leaf_hash, root_from_path
from audit.models import Checkpoint, Event, TreeNode

_WINDOW = 1 << STRIDE
#: Parts of the tree kept in memory, for the next entry of the same time.
_KEPT = 64


class Inclusion:
    """The ways from entries up to the root of one checkpoint."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        self.size: int = checkpoint.seq
        self._part = lru_cache(maxsize=_KEPT)(self._read_part)

    def path(self, seq: int, body: str) -> list[bytes]:
        """The hashes from entry `seq` with content `body` to the root. Raises NotIncluded when it is not below it."""
        if not 1 <= seq <= self.size:
            raise NotIncluded(seq)
        path: list[bytes] = []
        height, place = 0, seq - 1
        try:
            while (self.size - 1) >> height:
                path += self._part(height, place >> STRIDE).path(place & (_WINDOW - 1))
                height, place = height + STRIDE, place >> STRIDE
        except (ValueError, IndexError) as error:  # a node that was damaged or removed
            raise NotIncluded(seq) from error
        root = root_from_path(leaf_hash(bytes.fromhex(digest(body))), seq - 1, self.size, path)
        if root is None or root.hex() != self.checkpoint.root:
            raise NotIncluded(seq)
        return path

    def _read_part(self, height: int, part: int) -> WholeTree:
        """The tree above the nodes at `height` of which `part` is the number, 256 to a part."""
        first = part << STRIDE
        if height == 0:
            entries = Event.objects.filter(chain=self.checkpoint.chain, seq__gt=first, seq__lte=first + _WINDOW)
            hashes = entries.filter(seq__lte=self.size).order_by("seq").values_list("hash", flat=True)
            return WholeTree([bytes.fromhex(one) for one in hashes])
        full = self.size >> height
        there = TreeNode.objects.filter(chain=self.checkpoint.chain, height=height, place__gte=first)
        there = there.filter(place__lt=min(full, first + _WINDOW)).order_by("place")
        nodes = [bytes.fromhex(one) for one in there.values_list("hash", flat=True)]
        if first <= full < first + _WINDOW:
            nodes += self._right_edge(height)
        return WholeTree.above(nodes)

    def _right_edge(self, height: int) -> list[bytes]:
        """The node at `height` over what does not fill one, if there is any."""
        rest = (self.size & ((1 << height) - 1)).bit_count()
        return [joined([bytes.fromhex(one) for one in self.checkpoint.peaks[-rest:]])] if rest else []
