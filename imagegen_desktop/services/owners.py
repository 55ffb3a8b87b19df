"""Who owns a job: a name for each process, and whether that process is surely gone."""

from __future__ import annotations

import platform


def process_owner() -> str:
    """A name for this process that no later process on this machine can have."""
    import psutil  # slow to import, and not needed before the first job

    process = psutil.Process()
    return f"{platform.node()}:{process.pid}:{process.create_time():.2f}"


def owner_is_dead(owner: str) -> bool:
    """Whether the process of that name is surely gone; another machine's is never sure."""
    import psutil

    node, _, rest = owner.rpartition(":")[0].rpartition(":")
    if node != platform.node() or not rest.isdigit():
        return not owner
    try:
        return f"{psutil.Process(int(rest)).create_time():.2f}" != owner.rpartition(":")[2]
    except psutil.NoSuchProcess:
        return True
