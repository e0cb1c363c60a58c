"""The portal's look keeps its promises: contrast, no inline code, nothing from elsewhere, every icon there."""

import re
from datetime import date
from pathlib import Path

import pytest
from django import forms
from django.template.loader import get_template
from django.urls import get_resolver
from django.utils import translation

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
STYLES = sorted((ROOT / "static" / "css").glob("*.css"))
TOKENS = (ROOT / "static" / "css" / "tokens.css").read_text(encoding="utf-8")

GROUNDS = ("canvas", "surface", "sidebar", "sunken", "raised")
TONES = ("ok", "seal", "wait", "none", "fail")
TEXT = 4.5
SIGN = 3.0

PAIRS = [
    *((ink, ground, TEXT) for ink in ("ink", "ink-soft", "ink-faint", "accent") for ground in GROUNDS),
    *((ink, "hover", TEXT) for ink in ("ink", "ink-soft")),
    *((f"{tone}-ink", f"{tone}-soft", TEXT) for tone in TONES),
    ("accent-ink", "accent-soft", TEXT),
    ("ink", "accent-soft", TEXT),
    ("on-accent", "accent", TEXT),
    ("on-accent", "accent-hover", TEXT),
    ("on-marker", "marker", TEXT),
    ("danger", "surface", TEXT),
    ("on-danger", "danger", TEXT),
    ("on-danger", "danger-hover", TEXT),
    *((sign, ground, SIGN) for sign in ("line-input", "focus") for ground in GROUNDS),
]


def colours(mode: str) -> dict[str, str]:
    found = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", TOKENS)
    return {name: light if mode == "light" else dark for name, light, dark in found}


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_writing_can_be_told_from_its_ground(mode):
    palette = colours(mode)

    for front, back, least in PAIRS:
        assert contrast(palette[front], palette[back]) >= least, f"{front} on {back}"


def test_templates_hold_no_inline_code_and_fetch_nothing_from_elsewhere():
    assert TEMPLATES
    for path in TEMPLATES:
        page = path.read_text(encoding="utf-8")

        assert not re.search(r"<style\b", page), path
        # A mail program loads no stylesheet of ours: there, and only there, an element says itself how it looks.
        assert path.parent.name == "mail" or not re.search(r"\sstyle\s*=", page), path
        assert not re.search(r"\son[a-z]+\s*=\s*[\"']", page), path
        assert not re.search(r'<script(?![^>]*(\bsrc=|type="application/json"))', page), path
        assert not re.search(r"(src|href|action)\s*=\s*[\"'](https?:)?//", page), path
        assert "hx-on" not in page, path
        assert "javascript:" not in page, path


def test_every_part_a_template_names_exists():
    for path in TEMPLATES:
        for part in re.findall(r'{% include "([^"]+\.(?:html|svg))"', path.read_text(encoding="utf-8")):
            assert get_template(part), f"{part}, named by {path.relative_to(ROOT)}"


@pytest.mark.parametrize("path", STYLES, ids=lambda p: p.name)
def test_styles_use_only_tokens_that_are_defined_and_load_nothing(path):
    text = path.read_text(encoding="utf-8")
    defined = set(re.findall(r"(--[\w-]+):", "".join(style.read_text(encoding="utf-8") for style in STYLES)))

    assert set(re.findall(r"var\((--[\w-]+)", text)) <= defined
    assert "url(" not in text
    assert "@import" not in text


def test_every_part_says_what_it_needs():
    for path in (ROOT / "templates" / "_parts").glob("*.html"):
        assert "Inputs:" in path.read_text(encoding="utf-8"), path.name


def test_the_design_page_names_every_part_and_every_shared_style_sheet():
    page = (ROOT / "docs" / "design-system.md").read_text(encoding="utf-8")

    parts = [path.name for path in (ROOT / "templates" / "_parts").glob("*.html")]
    document = (ROOT / "templates" / "document.html").read_text(encoding="utf-8")
    shared = re.findall(r"css/([\w-]+\.css)", document)
    assert shared
    for name in parts + shared:
        assert name in page, name


def test_every_day_field_holds_its_day_in_every_language():
    """A browser shows no day that is not written as ISO does, and sends an empty field back: the day would be lost."""
    get_resolver().url_patterns  # noqa: B018 (imports every page's forms)
    ours = {"answers", "audit", "documents", "inlock", "workspaces"}
    days = [
        (form.__name__, name, field)
        for form in _below(forms.BaseForm)
        if form.__module__.partition(".")[0] in ours
        for name, field in getattr(form, "base_fields", {}).items()
        if isinstance(field, forms.DateField)
    ]

    assert {name for _form, name, _field in days} >= {"due_on", "since"}
    for form, name, field in days:
        with translation.override("sr"):
            assert 'value="2027-01-15"' in field.widget.render(name, date(2027, 1, 15)), f"{form}.{name}"
            assert field.clean("2027-01-15") == date(2027, 1, 15), f"{form}.{name}"


def _below(kind):
    for form in kind.__subclasses__():
        yield form
        yield from _below(form)
