"""`credithub migrate`: the store at the version that this hub needs."""

from __future__ import annotations

from hub.commands.environment import settings
from hub.commands.session import out, told
from hub.errors import SettingInvalid
from hub.store.database import attached, head
from hub.store.migration import migrate


@told
def migrate_store() -> None:
    """Bring the store to the version this hub needs."""
    with attached(settings(), create=True) as configured:
        if configured.database_url is None:
            raise SettingInvalid("HUB_DATABASE_URL: required to migrate, as the owner of the store")
        before, now = migrate(configured.database_url), head()
    if before is None:
        out.print(f"the store was made, at version {now}")
    elif before == now:
        out.print(f"the store is up to date, at version {now}")
    else:
        out.print(f"the store went from version {before} to {now}")
