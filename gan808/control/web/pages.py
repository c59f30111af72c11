"""The files of a page, and what a browser is told beside them. Pure functions."""

from __future__ import annotations

from pathlib import Path

STATIC = Path(__file__).parent / "static"
KINDS = {
    ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json", ".txt": "text/plain",
}
# Everything from here, nothing from elsewhere, and in nobody's frame.
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; "
                               "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-cache",
}


def static_files(folder: Path, prefix: str) -> dict[str, tuple[str, bytes]]:
    """Content type and bytes by the path they are asked for, which begins with the prefix: a name
    never becomes a path."""
    return {prefix + path.relative_to(folder).as_posix(): (KINDS[path.suffix], path.read_bytes())
            for path in folder.rglob("*") if path.suffix in KINDS}
