"""Style sheets and scripts of the console, served with their fingerprint in the address."""

import hashlib
from pathlib import Path
from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from api.http.errors import Problem

router = APIRouter(include_in_schema=False)
FOLDER: Final = Path(__file__).with_name("static")
TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
FILES: Final = {
    path.relative_to(FOLDER).as_posix(): path.read_bytes()
    for path in sorted(FOLDER.rglob("*"))
    if path.suffix in TYPES
}
"""Everything that is served, read once: nothing else of the disk can be asked for."""
_VERSIONS: Final = {name: hashlib.sha256(body).hexdigest()[:12] for name, body in FILES.items()}


def address(name: str) -> str:
    """Return where a file is served; changed content has another address."""
    return f"/console/static/{_VERSIONS[name]}/{name}"


@router.get("/console/static/{version}/{name:path}")
async def show_file(version: str, name: str) -> Response:
    if name not in FILES or version != _VERSIONS[name]:
        raise Problem("not_found")
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(FILES[name], headers=headers, media_type=TYPES[Path(name).suffix])
