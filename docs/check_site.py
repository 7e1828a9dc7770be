"""Checks the built site: every link inside of it leads somewhere, and no page loads anything from elsewhere.

python docs/check_site.py site
"""

from __future__ import annotations

import re
import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADS = {("script", "src"), ("img", "src"), ("link", "href"), ("iframe", "src"), ("source", "src"), ("video", "src")}
NAMES_ONLY = {"canonical"}  # a link element that nothing is loaded from
FROM_ELSEWHERE = re.compile(r"""url\(\s*["']?(?:https?:)?//|@import\s+["'](?:https?:)?//""")  # of a style sheet


class Page(HTMLParser):
    """What a page points at, what it loads, and the places in it that can be pointed at.

    Attributes
    ----------
    links : list of str
        Targets of its links.
    loads : list of str
        What a browser fetches to show it.
    places : set of str
        Its anchors.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what one element says."""
        given = {name: value or "" for name, value in attrs}
        self.places |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if given.get("rel") not in NAMES_ONLY:
            self.loads += [given[name] for element, name in LOADS if element == tag and name in given]


@cache
def read(path: Path) -> Page:
    """Read a page."""
    return Page(path.read_text(encoding="utf-8"))


def faults(site: Path) -> list[str]:
    """List what is wrong, one sentence each."""
    found = []
    for path in sorted(site.rglob("*.html")):
        page, name = read(path), path.relative_to(site).as_posix()
        for target in {*page.links, *page.loads}:
            parts = urlsplit(target)
            if parts.scheme in ("http", "https") or parts.netloc:
                if target in page.loads:
                    found.append(f"{name} loads {target} from elsewhere")
                continue
            if parts.scheme or path.name == "404.html":  # mailto, data; the page of errors has links from the root
                continue
            there = (path.parent / unquote(parts.path)).resolve() if parts.path else path.resolve()
            there = there / "index.html" if there.is_dir() else there
            if not there.is_file():
                found.append(f"{name} points at {target}, which is not there")
            elif parts.fragment and there.suffix == ".html" and unquote(parts.fragment) not in read(there).places:
                found.append(f"{name} points at {target}, and there is no such place")
    for style in sorted(site.rglob("*.css")):
        if FROM_ELSEWHERE.search(style.read_text(encoding="utf-8")):
            found += [f"{style.relative_to(site).as_posix()} loads something from elsewhere"]
    return found


def main() -> None:
    """Check the site in the folder that is given."""
    site = Path(sys.argv[1])
    wrong = faults(site)
    for sentence in wrong:
        print(sentence)
    pages = len(list(site.rglob("*.html")))
    if wrong or not pages:
        sys.exit(f"{site}: {pages} pages, {len(wrong)} faults")
    print(f"{site}: {pages} pages, every link leads somewhere, nothing is loaded from elsewhere")


if __name__ == "__main__":
    main()
