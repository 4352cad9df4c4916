"""Rounds of the worker over many cases: what fails for one of them keeps no other waiting."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from hub.errors import HubError
from hub.store.database import CONNECTION_LOST

_log = logging.getLogger(__name__)


@contextmanager
def apart(what: str) -> Iterator[None]:
    """Do one case's part of a round; when it fails, the round goes on with the next. `what`: its name in the log.

    A refusal is tried again in the next round. Raises what means that the store is away: then no other would succeed.
    """
    try:
        yield
    except HubError as error:
        _log.warning("%s waits: %s", what, error.code)
    except Exception as error:
        # asyncpg's own error for a value that it cannot send is an InterfaceError as well, and the case's fault.
        if isinstance(error, (*CONNECTION_LOST, OSError)) and not isinstance(error, ValueError):
            raise
        # Its words may hold values of the case.
        _log.error("%s is broken, the others go on: %s", what, type(error).__name__, exc_info=error)
