"""Who has a library open: every process shares a lock on its folder; only who has it alone may replace the file."""

from __future__ import annotations

import os
import sys
from pathlib import Path


class InUse:
    """The lock of one opened library. The system lets go of it when the process dies.

    On Windows there is none: an open file cannot be renamed there anyway.
    """

    def __init__(self, folder: Path) -> None:
        self._descriptor = -1 if sys.platform == "win32" else os.open(folder, os.O_RDONLY | os.O_DIRECTORY)

    def share(self) -> None:
        """Together with everybody who has the library open; waits for one who puts it right."""
        self._lock(alone=False)

    def alone(self) -> bool:
        """Whether nobody else has the library open, nor can open it now. If not, the lock may be lost: share again."""
        return self._lock(alone=True)

    def close(self) -> None:
        """Lets go."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _lock(self, alone: bool) -> bool:
        if sys.platform == "win32":
            return True
        import fcntl

        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB if alone else fcntl.LOCK_SH)
        except BlockingIOError:
            return False
        except OSError:
            return True  # a file system without locks
        return True
