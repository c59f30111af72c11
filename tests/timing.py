"""How long tests wait, where they must: on a busy machine with two cores anything may take seconds.

No test asks how fast something is: that is for `benchmarks/`.
"""

from __future__ import annotations

SOON_S = 5.0
"""An answer that waits for nothing is there by then; one that hung would take a minute."""

WITHIN_S = 30.0
"""What is going to happen has happened by then."""
