"""The two screens a journey is walked on: English on a desk, Serbian on a telephone."""

import os
from dataclasses import dataclass

from django.utils import translation
from playwright.sync_api import Page

from tests.e2e.axe import grave_findings

#: Where pictures of the pages go, for whoever wants to look at them.
SHOTS = os.environ.get("SHOTS", "")


@dataclass(frozen=True)
class Screen:
    """A language, and a width in CSS pixels."""

    code: str
    width: int

    def says(self, english: str) -> str:
        """What stands there in its language for a text of the code."""
        with translation.override(self.code):
            return translation.gettext(english)

    def show(self, page: Page) -> Page:
        """The person of `page` sits at this screen from the next page on."""
        page.set_viewport_size({"width": self.width, "height": 844})
        origin = page.evaluate("location.origin")
        page.context.add_cookies([{"name": "django_language", "value": self.code, "url": origin}])
        return page

    def look(self, page: Page, name: str) -> None:
        """The page is told in the language, can be followed, and fits."""
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/{name.strip('/').replace('/', '-')}-{self.code}.png", full_page=True)
        assert page.locator("html").get_attribute("lang") == self.code
        found = grave_findings(page)
        assert found == [], f"{name} in {self.code}: {found}"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} in {self.code}"


WIDE, NARROW = Screen("en", 1280), Screen("sr", 390)
EACH = {"English, wide": WIDE, "Serbian, narrow": NARROW}
