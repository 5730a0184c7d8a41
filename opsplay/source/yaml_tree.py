"""YAML events to nodes, in one pass, counting as it goes, so that no text costs more than its limits allow."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import field
from typing import Any, Literal

import yaml

from opsplay.errors import OpsError, Where
from opsplay.lazy_dataclass import dataclass
from opsplay.source import scalars
from opsplay.source.limits import Limits
from opsplay.source.nodes import ListNode, MapNode, Node, ScalarNode, UnsafeText, VaultText
from opsplay.source.yaml_errors import bad_key, explain, refuse

Duplicates = Literal["error", "warn", "ignore"]
Warn = Callable[[OpsError], None]

_STANDARD = "tag:yaml.org,2002:"
_VAULT_TAGS = ("!vault", "!vault-encrypted")
_MISSING = object()


def event_parser(data: bytes) -> Any:
    """libyaml's parser, or PyYAML's own where the wheel came without it: both have get_event()."""
    try:
        from yaml.cyaml import CParser  # type: ignore[attr-defined]
    except ImportError:
        return yaml.SafeLoader(data)
    return CParser(data)


@contextmanager
def collector_paused() -> Iterator[None]:
    """Nodes make no cycles, and looking for some among them takes a third of the time of reading a big file."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


@dataclass(slots=True)
class Anchor:
    """A named node: its place, and what repeating it costs. `node` is None while it is being read."""

    node: Node | None = None
    size: int = 0
    height: int = 0


@dataclass(slots=True)
class TreeReader:
    """Builds the nodes of one text. `nodes` and `aliases` count against the limits."""

    data: bytes
    path: str
    limits: Limits
    duplicates: Duplicates = "error"
    warn: Warn | None = None
    nodes: int = 0
    aliases: int = 0
    deepest: int = 0
    anchors: dict[str, Anchor] = field(default_factory=dict)
    words: dict[str, object] = field(default_factory=dict)
    next_event: Callable[[], Any] = field(init=False)

    def documents(self) -> list[Node | None]:
        parser = event_parser(self.data)
        self.next_event = parser.get_event
        try:
            with collector_paused():
                return self._documents()
        except yaml.YAMLError as error:
            raise explain(error, self.data, self.path) from None
        finally:
            parser.dispose()

    def _documents(self) -> list[Node | None]:
        found: list[Node | None] = []
        while True:
            event = self.next_event()
            if isinstance(event, yaml.StreamEndEvent):
                return found
            if isinstance(event, yaml.DocumentStartEvent):
                self.anchors = {}
                first = self.next_event()
                found.append(None if _is_nothing(first) else self._node(first, 1, False))
                self.next_event()

    def _where(self, event: Any) -> Where:
        mark = event.start_mark
        return Where(self.path, mark.line + 1, mark.column + 1)

    def _refuse(self, code: str, message: str, where: Where, remedy: str) -> OpsError:
        return refuse(code, message, where, remedy)

    def _count(self, event: Any, size: int, depth: int) -> None:
        self.nodes += size
        if depth > self.deepest:
            self.deepest = depth
        if self.nodes > self.limits.nodes:
            raise self._refuse(
                "yaml-too-many-nodes",
                f"the text grows to more than {self.limits.nodes:,} values here",
                self._where(event),
                "Split the file, or use fewer aliases (*name): each repeats everything its anchor holds.",
            )
        if depth > self.limits.depth:
            raise self._refuse(
                "yaml-too-deep",
                f"nested deeper than {self.limits.depth} levels",
                self._where(event),
                "Check for a bracket that is never closed; otherwise make the data flatter.",
            )

    def _node(self, event: Any, depth: int, unsafe: bool) -> Node:
        kind = type(event)
        if kind is yaml.AliasEvent:
            return self._alias(event, depth)
        self._count(event, 1, depth)
        if event.anchor is None:
            return self._fresh(event, kind, depth, unsafe)
        return self._anchored(event, kind, depth, unsafe)

    def _anchored(self, event: Any, kind: type, depth: int, unsafe: bool) -> Node:
        anchor = self.anchors[event.anchor] = Anchor()
        before, deepest = self.nodes, self.deepest
        self.deepest = depth
        node = self._fresh(event, kind, depth, unsafe)
        anchor.node, anchor.size, anchor.height = node, self.nodes - before + 1, self.deepest - depth
        self.deepest = max(deepest, self.deepest)
        return node

    def _alias(self, event: Any, depth: int) -> Node:
        anchor = self.anchors.get(event.anchor)
        self.aliases += 1
        if anchor is None or anchor.node is None:
            raise self._bad_alias(event, anchor)
        if self.aliases > self.limits.aliases:
            raise self._refuse(
                "yaml-too-many-aliases",
                f"more than {self.limits.aliases:,} aliases (*name)",
                self._where(event),
                "Write shared values once as a variable and refer to them with {{ name }}.",
            )
        self._count(event, anchor.size, depth + anchor.height)
        return anchor.node

    def _bad_alias(self, event: Any, anchor: Anchor | None) -> OpsError:
        if anchor is None:
            message = f"no anchor &{event.anchor} comes before this alias"
            remedy = f'A value that starts with * is an alias in YAML; quote it if it is text: "*{event.anchor}".'
        else:
            message = f"the alias *{event.anchor} stands inside its own anchor"
            remedy = "A value cannot hold itself: move the anchor or write the value out."
        return self._refuse("yaml-bad-alias", message, self._where(event), remedy)

    def _fresh(self, event: Any, kind: type, depth: int, unsafe: bool) -> Node:
        if kind is yaml.ScalarEvent:
            return self._scalar(event, unsafe)
        where = self._where(event)
        tag = event.tag
        if tag is not None:
            unsafe = unsafe or tag == "!unsafe"
            self._check_collection_tag(tag, kind is yaml.MappingStartEvent, where)
        if kind is yaml.SequenceStartEvent:
            return self._list(where, depth, unsafe)
        mapping = self._map(where, depth, unsafe)
        if tag == _STANDARD + "set":
            return ListNode(tuple(key for key, _ in mapping.pairs), where)
        return mapping

    def _check_collection_tag(self, tag: str, is_map: bool, where: Where) -> None:
        allowed = ("map", "set") if is_map else ("seq",)
        if tag not in ("!", "!unsafe") and tag not in [_STANDARD + name for name in allowed]:
            raise self._unknown_tag(tag, where)

    def _list(self, where: Where, depth: int, unsafe: bool) -> ListNode:
        items = []
        event = self.next_event()
        while type(event) is not yaml.SequenceEndEvent:
            items.append(self._node(event, depth + 1, unsafe))
            event = self.next_event()
        return ListNode(tuple(items), where)

    def _map(self, where: Where, depth: int, unsafe: bool) -> MapNode:
        own: dict[object, tuple[ScalarNode, Node]] = {}
        merged: dict[object, tuple[ScalarNode, Node]] = {}
        event = self.next_event()
        while type(event) is not yaml.MappingEndEvent:
            if _is_merge(event):
                self._count(event, 1, depth)
                self._merge(merged, self.next_event(), depth, unsafe)
            else:
                key = self._key(event, depth, where)
                value = self._node(self.next_event(), depth + 1, unsafe)
                if key.value in own:
                    self._duplicate(own[key.value][0], key)
                own[key.value] = (key, value)
            event = self.next_event()
        return MapNode(tuple({**merged, **own}.values() if merged else own.values()), where)

    def _key(self, event: Any, depth: int, parent: Where) -> ScalarNode:
        key = self._node(event, depth + 1, False) if type(event) in (yaml.ScalarEvent, yaml.AliasEvent) else None
        if not isinstance(key, ScalarNode):
            raise bad_key(self.data, self._where(event), parent)
        return key

    def _duplicate(self, first: ScalarNode, again: ScalarNode) -> None:
        if self.duplicates == "ignore":
            return
        error = OpsError(
            "yaml-duplicate-key",
            f"Found duplicate mapping key {str(again.value)!r}: it is already set on line {first.where.line}; only one of the two could count",
            again.where,
            "Delete one, or rename it.",
            width=len(str(again.value)),
        )
        if self.duplicates == "error":
            raise error
        if self.warn:
            self.warn(error)

    def _merge(self, into: dict[object, tuple[ScalarNode, Node]], event: Any, depth: int, unsafe: bool) -> None:
        """`<<:` takes a mapping or a list of mappings, of which the first that has a key wins."""
        node = self._node(event, depth + 1, unsafe)
        sources = list(node.items) if isinstance(node, ListNode) else [node]
        for source in reversed(sources):
            if not isinstance(source, MapNode):
                raise self._refuse(
                    "yaml-bad-merge",
                    "<<: merges a mapping, or a list of mappings",
                    self._where(event),
                    "Write <<: *anchor, where &anchor stands before a mapping.",
                )
            self._count(event, len(source.pairs), depth)
            into.update({key.value: (key, value) for key, value in source.pairs})

    def _scalar(self, event: Any, unsafe: bool) -> ScalarNode:
        text = event.value
        if len(text) > self.limits.scalar:
            raise self._refuse(
                "yaml-value-too-long",
                f"a single value of {len(text):,} characters; the limit is {self.limits.scalar:,}",
                self._where(event),
                "Keep it in a file of its own and read it with the file lookup or the copy module.",
            )
        where = self._where(event)
        tag = event.tag
        if tag is None:
            value = self._plain(text, where) if event.implicit[0] else text
        elif tag in _VAULT_TAGS:
            return ScalarNode(VaultText(text), where)
        elif tag == "!unsafe":
            return ScalarNode(UnsafeText(text), where)
        else:
            value = self._tagged(tag, text, where)
        return ScalarNode(UnsafeText(value) if unsafe and isinstance(value, str) else value, where)

    def _plain(self, text: str, where: Where) -> object:
        if text and text[0] not in scalars.FIRST_CHARACTERS:
            return text
        value = self.words.get(text, _MISSING)
        if value is _MISSING:
            try:
                value = self.words[text] = scalars.resolve(text)
            except scalars.NumberTooLong:
                raise self._number_too_long(text, where) from None
        return value

    def _number_too_long(self, text: str, where: Where) -> OpsError:
        return self._refuse(
            "yaml-number-too-long", f"a number of {len(text):,} characters", where, "Quote it if it is text."
        )

    def _tagged(self, tag: str, text: str, where: Where) -> object:
        if tag in ("!", _STANDARD + "str"):
            return text
        convert = _TAGGED.get(tag)
        if convert is None:
            raise self._unknown_tag(tag, where)
        try:
            return convert(text)
        except scalars.NumberTooLong:
            raise self._number_too_long(text, where) from None
        except (ValueError, KeyError):
            message = f'"{text[:40]}" is no {tag.removeprefix(_STANDARD)}'
            remedy = f"Correct the value or remove the tag {_shown(tag)}."
            raise self._refuse("yaml-bad-value", message, where, remedy) from None

    def _unknown_tag(self, tag: str, where: Where) -> OpsError:
        return self._refuse(
            "yaml-unknown-tag",
            f"the tag {_shown(tag)} is not allowed here",
            where,
            "Only !vault, !unsafe and YAML's own tags (!!str, !!int, ...) are; quote the value if it is text.",
        )


def _shown(tag: str) -> str:
    return "!!" + tag.removeprefix(_STANDARD) if tag.startswith(_STANDARD) else tag


def _is_merge(event: Any) -> bool:
    return type(event) is yaml.ScalarEvent and event.value == "<<" and bool(event.implicit[0])


def _is_nothing(event: Any) -> bool:
    """An empty document: libyaml makes an empty plain scalar of it."""
    return (
        type(event) is yaml.ScalarEvent
        and event.value == ""
        and event.tag is None
        and event.anchor is None
        and bool(event.implicit[0])
    )


def _binary(text: str) -> str:
    """`!!binary` that is text; bytes have no place in a playbook."""
    import base64

    return base64.b64decode("".join(text.split())).decode("utf-8", "surrogateescape")


def _boolean(text: str) -> object:
    value = scalars.WORDS[text]
    if not isinstance(value, bool):
        raise ValueError(text)
    return value


_TAGGED: dict[str, Callable[[str], object]] = {
    _STANDARD + "int": scalars.integer,
    _STANDARD + "float": scalars.floating,
    _STANDARD + "bool": _boolean,
    _STANDARD + "null": lambda _text: None,
    _STANDARD + "timestamp": scalars.timestamp,
    _STANDARD + "binary": _binary,
}
