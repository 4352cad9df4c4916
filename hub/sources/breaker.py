"""A circuit breaker: after some failures in a row nobody waits any more, and one caller at a time tries."""

from __future__ import annotations

from collections.abc import Callable


class Breaker:
    """Opens after `failures` failures in a row, for `pause` seconds; then admits one probe at a time."""

    def __init__(self, failures: int, pause: float, clock: Callable[[], float]) -> None:
        """`clock` gives seconds that never go back."""
        self._most, self._pause, self._clock = failures, pause, clock
        self._failed = 0
        self._opened: float | None = None
        self._probing = False

    @property
    def is_open(self) -> bool:
        """Whether callers are being turned away."""
        return self._opened is not None

    def admit(self) -> bool:
        """Whether to go ahead. Whoever was admitted must report `succeeded`, `failed` or `abandoned`."""
        if self._opened is None:
            return True
        if self._probing or self._clock() - self._opened < self._pause:
            return False
        self._probing = True
        return True

    def succeeded(self) -> None:
        """It worked: closed again."""
        self._failed, self._opened, self._probing = 0, None, False

    def failed(self) -> None:
        """It did not work: one failure nearer to opening, or open for another pause."""
        self._failed += 1
        if self._probing or self._failed >= self._most:
            self._opened = self._clock()
        self._probing = False

    def abandoned(self) -> None:
        """It ended without saying either: another may probe."""
        self._probing = False
