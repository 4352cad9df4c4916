"""A bounded memory: the most recently used values, by key."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Values by key, up to a weight; what was not used for the longest time is forgotten first."""

    def __init__(self, most: int) -> None:
        """Keep values of at most `most` weight together."""
        self._most = most
        self._weight = 0
        self._kept: OrderedDict[K, tuple[V, int]] = OrderedDict()

    def get(self, key: K) -> V | None:
        """The value of `key`, used now; None: it is not kept."""
        found = self._kept.get(key)
        if found is None:
            return None
        self._kept.move_to_end(key)
        return found[0]

    def put(self, key: K, value: V, weight: int = 1) -> V:
        """Keep `value`, unless it is heavier than all may be, and give it back."""
        if key in self._kept:
            self._weight -= self._kept.pop(key)[1]
        if weight <= self._most:
            while self._weight + weight > self._most:
                self._weight -= self._kept.popitem(last=False)[1][1]
            self._kept[key] = value, weight
            self._weight += weight
        return value

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
        self._weight = 0
