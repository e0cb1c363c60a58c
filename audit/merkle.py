"""The Merkle tree of RFC 9162 over the entries of a chain: one signed root stands for all of them.

A leaf is the 32 bytes of an entry's hash. Leaves are hashed with 0x00 in front and nodes with 0x01, so that no node
can pass for a leaf.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256

EMPTY = sha256(b"").digest()
#: Of the heights of a chain's tree, every eighth is kept.
STRIDE = 8


def leaf_hash(entry_hash: bytes) -> bytes:
    """The tree's leaf for an entry with this hash."""
    return sha256(b"\x00" + entry_hash).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The node above two others."""
    return sha256(b"\x01" + left + right).digest()


class GrowingTree:
    """A tree that leaves are added to, kept as the roots of its perfect subtrees (`peaks`), largest first."""

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        self.size = size
        self.peaks = list(peaks)
        if len(self.peaks) != size.bit_count():
            raise ValueError(f"A tree of {size} leaves has {size.bit_count()} peaks, not {len(self.peaks)}.")

    def add(self, entry_hash: bytes) -> None:
        """Add the next entry."""
        node, size = sha256(b"\x00" + entry_hash).digest(), self.size
        while size & 1:
            node = sha256(b"\x01" + self.peaks.pop() + node).digest()
            size >>= 1
        self.peaks.append(node)
        self.size += 1

    def root(self) -> bytes:
        """The hash that stands for everything added so far."""
        return joined(self.peaks)


class KeepingTree(GrowingTree):
    """A growing tree that notes perfect subtrees of 256, 65,536 … leaves as they fill: (height, place, hash)."""

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        super().__init__(size, peaks)
        self.filled: list[tuple[int, int, bytes]] = []

    def add(self, entry_hash: bytes) -> None:
        node, place, height = leaf_hash(entry_hash), self.size, 0
        while place & 1:
            node = node_hash(self.peaks.pop(), node)
            place >>= 1
            height += 1
            if height % STRIDE == 0:
                self.filled.append((height, place, node))
        self.peaks.append(node)
        self.size += 1


def joined(peaks: Sequence[bytes]) -> bytes:
    """The root over perfect subtrees that stand beside each other, largest first."""
    if not peaks:
        return EMPTY
    node = peaks[-1]
    for left in reversed(peaks[:-1]):
        node = node_hash(left, node)
    return node


def root_from_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that `path` leads to from leaf `index` of `size`: RFC 9162, 2.1.3.2. None when it leads nowhere."""
    node, place, last = leaf, index, size - 1
    for sibling in path:
        if last == 0:
            return None
        if place & 1 or place == last:
            node = node_hash(sibling, node)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        place, last = place >> 1, last >> 1
    return node if last == 0 else None


class WholeTree:
    """A tree, or the part of one above some nodes that stand beside each other, with every node."""

    def __init__(self, entry_hashes: Sequence[bytes]) -> None:
        self._build([leaf_hash(one) for one in entry_hashes])

    @classmethod
    def above(cls, nodes: Sequence[bytes]) -> "WholeTree":
        """The part above `nodes`, which are no leaves of their own."""
        tree = cls.__new__(cls)
        tree._build(list(nodes))
        return tree

    def _build(self, lowest: list[bytes]) -> None:
        self.levels = [lowest]
        while len(self.levels[-1]) > 1:
            below = self.levels[-1]
            above = [node_hash(*below[at : at + 2]) for at in range(0, len(below) - 1, 2)]
            # A node without a sibling rises as it is.
            self.levels.append(above + below[len(above) * 2 :])

    def root(self) -> bytes:
        """The hash that stands for all entries."""
        return self.levels[-1][0] if self.levels[0] else EMPTY

    def path(self, index: int) -> list[bytes]:
        """The hashes that lead from entry `index` (from 0) up to the root: RFC 9162, 2.1.3.1."""
        if not 0 <= index < len(self.levels[0]):
            raise IndexError(index)
        path = []
        for level in self.levels[:-1]:
            sibling = index ^ 1
            if sibling < len(level):
                path.append(level[sibling])
            index >>= 1
        return path
