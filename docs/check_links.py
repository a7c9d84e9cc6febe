"""Follows every link and picture of the built site that leads to another page of it. `make docs-site` calls it."""

import re
import sys
from html import unescape
from pathlib import Path
from urllib.parse import unquote, urlsplit

LINK = re.compile(r'(?:href|src)="([^"]*)"')
ANCHOR = re.compile(r'\bid="([^"]*)"')


def main(site: Path) -> int:
    """The number of broken links, each printed on a line."""
    pages = {path.resolve(): path.read_text() for path in site.rglob("*.html")}
    anchors = {path: set(map(unescape, ANCHOR.findall(text))) for path, text in pages.items()}
    broken = 0
    for page, text in sorted(pages.items()):
        if page.name == "404.html":
            continue
        for link in sorted(set(map(unescape, LINK.findall(text)))):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or not (parts.path or parts.fragment):
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            target = target / "index.html" if target.is_dir() else target
            is_there = target.exists() and (
                not parts.fragment or parts.fragment in anchors.get(target, {parts.fragment})
            )
            if not is_there and not parts.fragment.startswith("__"):
                print(f"{page.relative_to(site.resolve())}: {link}")
                broken += 1
    print(f"{len(pages)} pages, {broken} broken links")
    return min(broken, 1)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
