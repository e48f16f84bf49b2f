"""Pages in HTML, made on the server; nothing in them runs but our own two files of script.

1. Whatever a site, a person or a camera is called is text: every template escapes.
2. A browser runs and loads nothing that does not come from here (Content Security Policy, level 3),
   and keeps no page.
"""

from collections.abc import Mapping
from http import HTTPStatus
from importlib.resources import files
from typing import Any, Protocol

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import MediaType, Request, Response, Router
from litestar.static_files import create_static_files_router

from postern.core.role import Right
from postern.web.authenticate import csrf_of, token_of
from postern.web.caller import Caller

STATIC = "/static"
#: Seconds for which a browser may keep a style or a script.
_KEPT_S = 3600
HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class Words(Protocol):
    """The texts of one language."""

    @property
    def locale(self) -> str:
        """Its code, such as `de`."""
        ...

    def say(self, key: str, **blanks: object) -> str:
        """A text with its blanks filled in."""
        ...


class Pages:
    """Makes pages.

    Args:
        site: What the site is called.
        languages: The texts of every language, the first one first.
    """

    def __init__(self, site: str, languages: Mapping[str, Words]) -> None:
        self._site = site
        self._languages = languages
        self._first = next(iter(languages))
        self._environment = Environment(
            loader=PackageLoader("postern.console"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    @property
    def languages(self) -> tuple[str, ...]:
        """The codes of all languages."""
        return tuple(self._languages)

    def html(self, template: str, locale: str, **given: object) -> str:
        """A template, filled in."""
        words = self._languages[locale]
        found = self._environment.get_template(f"{template}.html.jinja")
        return found.render(say=words.say, locale=words.locale, **given)

    def page(
        self,
        request: Request[Any, Any, Any],
        template: str,
        status: HTTPStatus = HTTPStatus.OK,
        **given: object,
    ) -> Response[str]:
        """A whole page for whoever asks, in their language."""
        caller = request.scope.get("user")
        rights = caller.rights if isinstance(caller, Caller) else frozenset[Right]()
        body = self.html(
            template,
            self.locale(request),
            site=self._site,
            static=STATIC,
            here=request.url.path,
            caller=caller if isinstance(caller, Caller) else None,
            csrf=csrf_of(token_of(request)),
            may={right.value for right in rights},
            languages=self.languages,
            **given,
        )
        return Response(body, status_code=status, media_type=MediaType.HTML, headers=dict(HEADERS))

    def locale(self, request: Request[Any, Any, Any]) -> str:
        """The language of whoever asks: what they chose, else what their browser prefers."""
        chosen = request.cookies.get("language", "")
        preferred = [
            part.split(";")[0].strip().lower()[:2]
            for part in request.headers.get("accept-language", "")[:200].split(",")
        ]
        known = (one for one in (chosen, *preferred) if one in self._languages)
        return next(known, self._first)


def static_files() -> Router:
    """The style and the scripts."""
    return create_static_files_router(
        STATIC,
        [str(files("postern.console") / "static")],
        cache_control=None,
        include_in_schema=False,
    )
