"""Filters that write text in another form: base64, shell quotes, URLs, UUIDs."""

from __future__ import annotations

import base64
import shlex
import uuid
from typing import Any
from urllib.parse import unquote_plus
from urllib.parse import urlsplit as split_url

from opsplay.templating.texts import to_text

ANSIBLE_NAMESPACE = "361E6D51-FAEC-444A-9079-341386DA8E2E"
URL_PARTS = ("fragment", "hostname", "netloc", "password", "path", "port", "query", "scheme", "username")


def b64encode(value: Any, encoding: str = "utf-8", urlsafe: bool = False) -> str:
    """Encodes a text as Base64."""
    data = value if isinstance(value, bytes) else to_text(value).encode(encoding, "surrogateescape")
    return (base64.urlsafe_b64encode if urlsafe else base64.b64encode)(data).decode("ascii")


def b64decode(value: Any, encoding: str = "utf-8", urlsafe: bool = False) -> str:
    """Decodes a Base64 text."""
    data = to_text(value).encode("ascii")
    return (base64.urlsafe_b64decode if urlsafe else base64.b64decode)(data).decode(encoding, "surrogateescape")


def quote(value: Any) -> str:
    """Quotes a text for a POSIX shell."""
    return shlex.quote("" if value is None else to_text(value))


def to_uuid(value: Any, namespace: str = ANSIBLE_NAMESPACE) -> str:
    """Makes a namespaced (version 5) UUID of a text."""
    try:
        space = uuid.UUID(str(namespace))
    except (AttributeError, ValueError) as error:
        raise ValueError(f"Invalid value '{namespace}' for 'namespace': {error}") from None
    return str(uuid.uuid5(space, to_text(value)))


def urldecode(value: Any) -> str:
    """Decodes percent-encoding; `+` is a space."""
    return unquote_plus(to_text(value))


def urlsplit(value: Any, query: str = "") -> Any:
    """Splits a URL into its parts, or gives the one that `query` names."""
    found = split_url(to_text(value))
    parts = {name: getattr(found, name) for name in URL_PARTS}
    if not query:
        return parts
    if query not in parts:
        raise ValueError(f"urlsplit: unknown URL component: {query}")
    return parts[query]


FILTERS = {
    "b64decode": b64decode,
    "b64encode": b64encode,
    "quote": quote,
    "to_uuid": to_uuid,
    "urldecode": urldecode,
    "urlsplit": urlsplit,
}
