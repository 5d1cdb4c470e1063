"""What all tests stand on."""

from __future__ import annotations

import signal

# Tests interrupt programs as a person does. A shell that runs something in the background has SIGINT ignored by all that
# it starts, and they by all that they start; so it is taken up again here.
signal.signal(signal.SIGINT, signal.default_int_handler)
