"""Container images: each is named by the digest of its content."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Final

import yaml

from tests import ROOT

GIT: Final = shutil.which("git") or "git"
NAMED: Final = re.compile(
    r"""^\s*(?:-\s*)?image:[ ]*(?:&\S+[ ]+)?["']?(?P<service>[^\s"'#]+)"""
    r"|^\s*FROM\s+(?:--\S+\s+)*(?P<base>\S+)"
    r"|^\s*COPY\s+--from=(?P<copied>\S+)"
    r"|\b(?:docker|podman)\s+(?:pull|run)\b(?:\s+-\S+)*\s+(?P<run>[\w./-]+[:@]\S+)",
    re.MULTILINE,
)
PINNED: Final = re.compile(r"@sha256:[0-9a-f]{64}\}?$")
TEXTS: Final = ("*.yml", "*.yaml", "*.tpl", "*ockerfile*", "*.sh", "Makefile", ".ci/*", "*.md")
OURS: Final = frozenset({"referrals"})
"""Built from the Dockerfile where it runs."""


def images() -> Iterator[tuple[str, str]]:
    """Return each image that a file of the repository names, after the file's path."""
    listed = subprocess.run(
        [GIT, "ls-files", "--cached", "--others", "--exclude-standard", "--", *TEXTS],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for path in listed.stdout.splitlines():
        in_document = path.endswith((".md", ".sh"))
        for found in NAMED.finditer((ROOT / path).read_text()):
            # SQL in documents begins lines with FROM, too.
            if not (in_document and found["base"]):
                named = next(name for name in found.groups() if name)
                if not named.startswith(("*", "{{")):
                    yield path, named


def test_every_image_is_named_by_the_digest_of_its_content() -> None:
    named = set(images())

    assert {path for path, _ in named} == {"Dockerfile", "docker-compose.yml"}
    loose = {image for _, image in named if not PINNED.search(image)}
    assert loose == OURS


def test_a_tag_has_one_digest() -> None:
    digests: dict[str, set[str]] = {}
    for _, image in images():
        tag, _, digest = image.partition("@")
        digests.setdefault(tag, set()).add(digest)

    assert [tag for tag, known in digests.items() if len(known) > 1] == []


def test_the_chart_takes_the_digest_of_the_image() -> None:
    chart = ROOT / "deploy/helm/referrals"
    values = yaml.safe_load((chart / "values.yaml").read_text())

    assert values["image"]["digest"] == ""
    assert ".Values.image.digest }}@" in (chart / "templates/_helpers.tpl").read_text()
