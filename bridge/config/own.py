"""Plugins: the files that the configuration names, and the packages that are installed."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from bridge import registry
from bridge.network import Network
from bridge.plugins.errors import PluginError, describe, ends_program
from bridge.steps import KINDS, StepKind

#: the most that a file of a plugin may hold, in bytes
_MAX_BYTES = 1024 * 1024
#: the groups of entry points
GROUPS = ("tribridge.steps", "tribridge.networks")


@dataclass(frozen=True, slots=True)
class Plugin:
    """The steps and networks of a plugin, by name."""

    steps: dict[str, StepKind] = field(default_factory=dict)
    networks: dict[str, Network] = field(default_factory=dict)


@lru_cache(maxsize=1)
def installed() -> tuple[Plugin, tuple[str, ...]]:
    """All that installed packages bring, and what is wrong with any of them. Read once."""
    found, wrong = Plugin(), []
    for group in GROUPS:
        for point in entry_points(group=group):
            try:
                plugin = _loaded(point)
                _join(plugin)
            except PluginError as error:
                package = point.dist.name if point.dist else point.value
                wrong.append(f"the installed package {package} cannot be used: {error}")
                continue
            for name in plugin.steps.keys() & found.steps.keys():
                wrong.append(f"two installed packages have a step {name!r}: remove one")
            found.steps.update(plugin.steps)
            found.networks.update(plugin.networks)
    return found, tuple(wrong)


def _loaded(point: EntryPoint) -> Plugin:
    try:
        target = point.load()
    except BaseException as error:  # whatever its code may raise
        if ends_program(error):
            raise
        raise PluginError(describe(error)) from None
    if isinstance(target, ModuleType):
        return _in_module(target)
    return _of([target], f"its entry point {point.name} is no step, network or module")


#: what was read, by path, as long as the file does not change: a network stays the same one
_READ: dict[Path, tuple[bytes, Plugin]] = {}


def from_file(path: Path) -> Plugin:
    """What a file brings; its networks are joined to the registry. Raises PluginError."""
    try:
        if path.exists() and not path.is_file():
            raise PluginError("this is not an ordinary file")
        with path.open("rb") as file:
            source = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        raise PluginError("there is no such file") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise PluginError(f"the file cannot be read: {reason}") from None
    if len(source) > _MAX_BYTES:
        raise PluginError("the file is larger than 1 MiB")
    known = _READ.get(path)
    if known is None or known[0] != source:
        _READ[path] = source, _run(path, source)
    plugin = _READ[path][1]
    _join(plugin)
    return plugin


def _run(path: Path, source: bytes) -> Plugin:
    """Run a file as a module of its own; nothing is written beside it."""
    name = f"tribridge_plugin_{sha256(str(path.absolute()).encode()).hexdigest()[:12]}"
    module = ModuleType(name)
    module.__file__ = str(path)
    module.__dict__["print"] = _print
    try:
        code = compile(source, str(path), "exec")
        sys.modules[name] = module
        exec(code, module.__dict__)  # noqa: S102 - what a person's own file is for
    except SyntaxError as error:
        raise PluginError(f"line {error.lineno or 1}: {error.msg}") from None
    except (RecursionError, MemoryError):
        raise PluginError("its code is nested too deep") from None
    except BaseException as error:  # whatever its code may raise
        if ends_program(error):
            raise
        sys.modules.pop(name, None)
        raise PluginError(
            str(error) if isinstance(error, PluginError) else describe(error)
        ) from None
    return _in_module(module)


def _print(*values: object, **more: Any) -> None:
    """As `print`, to stderr unless told otherwise: stdout is for the results of commands."""
    print(*values, **{"file": sys.stderr, **more})  # noqa: T201 - it is that


def _in_module(module: ModuleType) -> Plugin:
    own = [
        value
        for value in vars(module).values()
        if isinstance(value, Network) or _told(value, "__module__") == module.__name__
    ]
    return _of(own, "it has no step and no network")


def _told(value: Any, name: str) -> Any:
    """An attribute of something in a plugin; None where it has none, or fails over it."""
    try:
        return getattr(value, name, None)
    except Exception:  # noqa: BLE001 - a person's own code may stand behind it
        return None


def _of(values: list[Any], otherwise: str) -> Plugin:
    plugin = Plugin()
    for value in values:
        kind = _told(value, "tribridge_step")
        if isinstance(kind, StepKind):
            other = plugin.steps.get(kind.setting.name, kind)
            if other is not kind:
                raise PluginError(f"it has two steps {kind.setting.name!r}")
            plugin.steps[kind.setting.name] = kind
        elif isinstance(value, Network):
            plugin.networks[value.name] = value
    if not (plugin.steps or plugin.networks):
        raise PluginError(otherwise)
    for name in plugin.steps:
        if name in KINDS:
            raise PluginError(f"there is a step {name!r} already; give it another name")
    return plugin


def _join(plugin: Plugin) -> None:
    for network in plugin.networks.values():
        try:
            registry.join(network)
        except ValueError as error:
            raise PluginError(str(error)) from None
