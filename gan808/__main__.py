"""`python -m gan808` is `gan808`."""

from __future__ import annotations

from gan808.cli.main import main

if __name__ == "__main__":
    main()
