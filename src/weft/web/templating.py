"""Templates and the style sheet.  Whatever a template prints is escaped; what is markup already says so by its type."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib.resources import files

import jinja2

from weft.render.lanes.style import PICTURE
from weft.render.picture_labels import tidy

SECURITY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""The policy of all pages: nothing but the style sheet and pictures of this server, and its own search form."""


@cache
def environment() -> jinja2.Environment:
    """The templates of this package."""
    found = jinja2.Environment(
        loader=jinja2.PackageLoader("weft.web"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    found.filters["tidy"] = tidy
    return found


@cache
def style_sheet() -> str:
    """The style sheet of pages and of the pictures in them."""
    return PICTURE + (files("weft.web") / "templates" / "style.css").read_text(encoding="utf-8")


@cache
def style_version() -> str:
    """Another one for each style sheet."""
    return sha256(style_sheet().encode()).hexdigest()[:12]


def render(template: str, values: dict[str, object]) -> bytes:
    """A page in UTF-8."""
    return environment().get_template(template).render(values).encode()
