"""The functions that every expression may call: lookup(), query(), now(), undef() and `omit`."""

from __future__ import annotations

import datetime
from typing import Any

from jinja2 import pass_context

from opsplay.templating.failures import TemplateFailed
from opsplay.templating.omit import OMIT
from opsplay.templating.undefined import Marker


@pass_context
def lookup(context: Any, name: str, /, *terms: Any, **options: Any) -> Any:
    """What a lookup finds: one value, or texts joined by commas; a list with wantlist=True."""
    from opsplay.templating.lookups import Ignored

    wantlist = options.pop("wantlist", False)
    found = context.environment.templar.lookup(name, list(terms), context.scope, **options)
    if wantlist:
        return found
    if isinstance(found, Ignored):
        return None
    if len(found) == 1:
        return found[0]
    return ",".join(found) if found and all(isinstance(item, str) for item in found) else found


@pass_context
def query(context: Any, name: str, /, *terms: Any, **options: Any) -> Any:
    """What a lookup finds, as a list."""
    options.pop("wantlist", None)
    return context.environment.templar.lookup(name, list(terms), context.scope, **options)


def now(utc: bool = False, fmt: str | None = None) -> Any:
    """The time, as text where a format is given."""
    moment = datetime.datetime.now(datetime.UTC).replace(tzinfo=None) if utc else datetime.datetime.now()
    return moment.strftime(fmt) if fmt else moment


def undef(hint: str | None = None) -> Any:
    """An undefined value: a variable that somebody has to override."""
    return Marker(hint="Mandatory variable has not been overridden" if hint is None else str(hint))


def lipsum(n: int = 5, html: bool = False, min: int = 20, max: int = 100) -> str:
    """Some text to fill a page."""
    from jinja2.utils import generate_lorem_ipsum

    if n * max > 1_000_000:
        raise TemplateFailed("lipsum() is asked for too much", code="template-limit")
    return generate_lorem_ipsum(n, html, min, max)


FUNCTIONS = {"lookup": lookup, "query": query, "q": query, "now": now, "undef": undef, "omit": OMIT, "lipsum": lipsum}
