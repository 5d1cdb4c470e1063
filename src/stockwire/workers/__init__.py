"""Several processes over one data directory: one writes, the others serve screens, and one watches over them all.

    supervisor --starts, heals--> writer   owns the directory; the only one that commits
                              --> worker   its own listener on the common port; follows the log; relays events
                              --> worker   ...

Nothing is shared but the log, the writer's socket and a word of memory each (the census). Processes are started as new
programs, not forked, so one that is started after an upgrade is the upgraded one.

Two rules. A death costs nobody more than its own connections: a worker's listener dies with it, so that nobody waits for
the dead in its queue; the writer's death leaves the workers reading. And nobody outlives the supervisor: a pipe that it alone
holds open tells each when it is gone.
"""

from __future__ import annotations

from stockwire.workers.supervisor import supervise

__all__ = ["supervise"]
