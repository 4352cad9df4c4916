"""A bounded memory: the most recently made values, by key."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """The most recently made values, by key; the oldest is forgotten first."""

    def __init__(self, most: int) -> None:
        """Keep at most `most` values."""
        self._most = most
        self._kept: OrderedDict[K, V] = OrderedDict()
        self.get = self._kept.get

    def put(self, key: K, value: V) -> V:
        """Keep `value` and give it back."""
        if len(self._kept) >= self._most:
            self._kept.popitem(last=False)
        self._kept[key] = value
        return value

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
