"""A run that a session manager looks after (NSM): what is in its session, and what is asked of it.

For the main thread, but for what the manager asks later, which comes on the thread "nsm".
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING

from gan808.app.logging_setup import complain
from gan808.control.nsm.client import NsmClient
from gan808.engine.outputs.jack import JackPresence
from gan808.errors import DeviceError
from gan808.storage.session import changes_state
from gan808.storage.session_files import STATE

if TYPE_CHECKING:
    from gan808.instrument.events import Event
    from gan808.instrument.machine import Machine
    from gan808.storage.session import Session

NSM_URL = "NSM_URL"


class ManagedSession:
    """One session of a manager's, open from here on. folder: where the state of this instrument
    lies in it; presence: how it appears on JACK there."""

    def __init__(self, client: NsmClient) -> None:
        """Raises DeviceError where no manager answers."""
        self._client = client
        project = client.join()
        self.folder: Path = project.folder
        # What was saved has its connections back from the manager.
        self.presence = JackPresence(
            project.client_id, connects=not (project.folder / STATE).exists())

    def start(self, session: Session, machine: Machine) -> None:
        """It plays: the manager is told so, and from now on what changes; it may have it saved."""
        def follow(event: Event) -> None:
            if changes_state(event):
                self._client.changed()

        machine.subscribe(follow)
        self._client.start(session.save)

    def refuse(self, why: str) -> None:
        """It cannot be opened."""
        self._client.refuse(why)

    def stop(self) -> None:
        """Answer no more; safe to call twice."""
        self._client.stop()


def managed_session(
    environment: MutableMapping[str, str] = os.environ,
) -> ManagedSession | None:
    """The session that NSM_URL leads to; None where there is no such variable or, after one line,
    nobody who answers. The variable is taken out: it is for this process, not for its children."""
    url = environment.pop(NSM_URL, "")
    if not url:
        return None
    client = None
    try:
        client = NsmClient(url)
        return ManagedSession(client)
    except DeviceError as error:
        if client is not None:
            client.stop()
        complain(f"{error}; playing without one")
        return None
