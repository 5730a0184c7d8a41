"""Every module and action has examples in its SPEC, and they are YAML with arguments that its SPEC takes."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
import yaml

from opsplay.actions.arguments import typed_arguments
from opsplay.model.catalog import own_actions, own_modules
from opsplay.model.free_form import parse_pairs
from opsplay.remote.spec import Spec

NAMES = sorted(own_modules() | own_actions())


def spec_of(name: str) -> Spec:
    folder = "opsplay.actions" if name in own_actions() else "opsplay.remote.modules"
    spec = importlib.import_module(f"{folder}.{name}").SPEC
    assert isinstance(spec, Spec)
    return spec


def arguments(spec: Spec, given: Any) -> dict[str, Any]:
    if isinstance(given, dict):
        return given
    known = frozenset(alias for name, argument in spec.args.items() for alias in (name, *argument.aliases))
    pairs: dict[str, Any] = parse_pairs(str(given or ""), None, spec.free_form is not None, known)
    if "_raw_params" in pairs and spec.free_form:
        pairs[spec.free_form] = pairs.pop("_raw_params")
    return pairs


@pytest.mark.parametrize("name", NAMES)
def test_examples_are_what_the_module_takes(name: str) -> None:
    spec = spec_of(name)
    assert spec.examples, f"{name} has no example"
    for text in spec.examples:
        ((verb, given),) = yaml.safe_load(text).items()
        short = verb.rpartition(".")[2]
        assert short == name or (short in NAMES and spec_of(short) is spec), f"{text}: an example of another module"
        typed_arguments(name, spec, arguments(spec, given))


@pytest.mark.parametrize("name", NAMES)
def test_the_summary_is_one_line(name: str) -> None:
    folder = "opsplay.actions" if name in own_actions() else "opsplay.remote.modules"
    summary = (importlib.import_module(f"{folder}.{name}").__doc__ or "").split("\n")[0]
    assert 10 <= len(summary) <= 140 and summary.endswith("."), summary
