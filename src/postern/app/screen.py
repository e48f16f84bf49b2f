"""Sentences for whoever can reach a port: without what says where a device is."""

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path

from postern.app.site import Site

HIDDEN = "..."
#: What an address or a path looks like, whoever wrote it.
_PLACES = re.compile(
    r"\b[a-z][a-z0-9+.-]*://\S+"  # A URL, with whatever stands in it.
    r"|\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?"  # IPv4.
    r"|\[[0-9a-fA-F:.%]{2,}\](?::\d+)?"  # IPv6 in brackets, and without.
    r"|(?<![\w:])(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]*"
    r"|(?<![\w.])(?:~|\.{0,2})/[\w.@%+~-][^\s,;]*",  # A path.
    re.IGNORECASE,
)
#: Characters of the shortest text of a configuration that is looked for.
_SHORTEST = 3


class Screen:
    """Hides where a site's devices are.

    Args:
        site: Whose cameras, actuators and witnesses are not to be found by what is told.
    """

    def __init__(self, site: Site) -> None:
        parts = (
            *(camera.config for camera in site.cameras.values()),
            *(actuator.config for actuator in site.actuators.values()),
            *site.witnesses.values(),
        )
        told = {str(site.data), str(site.models), str(site.file)}
        found = told.union(*(set(_texts(part)) for part in parts))
        found = {text for text in found if len(text) >= _SHORTEST and re.search(r"[.:/@]", text)}
        # The longest first: one may be part of another.
        longest = sorted(found, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest)) or r"(?!)")

    def clear(self, sentence: str) -> str:
        """The sentence without them."""
        return _PLACES.sub(HIDDEN, self._known.sub(HIDDEN, sentence))


def _texts(config: object) -> Iterator[str]:
    """Every text and path of a configuration, at any depth."""
    if isinstance(config, str | Path):
        yield str(config)
    elif isinstance(config, tuple | list):
        for one in config:
            yield from _texts(one)
    elif is_dataclass(config):
        for field in fields(config):
            yield from _texts(getattr(config, field.name))
