"""How a person's browser sees a page: what it says on its console, what axe-core finds, and whether it is too wide."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import axe_playwright_python
from playwright.sync_api import Browser, Page

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
AXE_OPTIONS = (
    "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'best-practice'], preload: false, rules: {region: {enabled: false}}}"
)
NARROW, WIDE = 390, 1280


@dataclass
class Look:
    """A page in a browser, and the errors that it has told so far."""

    page: Page
    errors: list[str] = field(default_factory=list)

    def open(self, address: str) -> None:
        self.page.goto(address)

    def violations(self, within: str = "document") -> list[str]:
        """What axe-core finds against WCAG 2 AA: contrast, names, roles, headings."""
        # Its text is given to the page's own world: the policy of a page forbids scripts of others.
        self.page.evaluate(AXE)
        found = self.page.evaluate(f"axe.run({within}, {AXE_OPTIONS})")
        return [
            f"{violation['id']}: {node['html'][:160]} ({node['failureSummary'][:200]})"
            for violation in found["violations"]
            for node in violation["nodes"][:3]
        ]

    @property
    def is_too_wide(self) -> bool:
        """Whether the page as a whole scrolls sideways."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth > innerWidth + 1"))


@contextmanager
def looking(browser: Browser, width: int = WIDE, height: int = 900, **options: Any) -> Iterator[Look]:
    """A fresh browser session; its errors are collected, and those of the network too."""
    context = browser.new_context(viewport={"width": width, "height": height}, **options)
    look = Look(context.new_page())
    look.page.on("pageerror", lambda error: look.errors.append(str(error)))
    look.page.on("console", lambda said: look.errors.append(said.text) if said.type == "error" else None)
    look.page.on("dialog", lambda dialog: (look.errors.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    try:
        yield look
    finally:
        context.close()
