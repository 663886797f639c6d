r"""Write the parts of the documentation that the code knows: commands, options, recipe keys, reasons, the Python API.

A page holds such a part between ``<!-- generated: fetch options -->`` and ``<!-- end -->``. ``make reference`` writes
them anew; a test fails if a page differs from the code.

>>> fill("<!-- generated: [quality] -->\nold\n<!-- end -->").splitlines()[1:4]
['| key | default | what it is |', '| --- | --- | --- |', '| `min_side` | 64 | least shorter side, in pixels |']
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
import sys
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import typer.main  # noqa: E402

import curator  # noqa: E402
from curator.cli.app import GROUPS, app  # noqa: E402
from curator.manifests.settings import SECTIONS  # noqa: E402
from curator.manifests.toml_settings import key_of  # noqa: E402
from curator.reasons import Drop, Eases, Traits  # noqa: E402
from curator.sources.registry import source_kinds  # noqa: E402

PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
SHARED = ("recipe", "data", "quiet", "as_json", "help")
"""The options that every command has."""
_BLOCK = re.compile(r"(<!-- generated: (.+?) -->\n).*?(<!-- end -->)", re.DOTALL)
_HEADINGS = {"Args": "Takes"}
_WORDS = {int: "N", float: "R", str: "TEXT", Path: "PATH"}


def main() -> None:
    """Write every generated part anew; print the pages that changed."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        if (new := fill(text)) != text:
            page.write_text(new, encoding="utf-8")
            print(f"written anew: {page.relative_to(ROOT)}")


def fill(text: str) -> str:
    """Return the text of a page with each generated part as the code has it now."""
    return _BLOCK.sub(lambda found: f"{found[1]}{generate(found[2])}\n{found[3]}", text)


def generate(what: str) -> str:
    """Compose one part by the name that its page gives it.

    Raises:
        KeyError: nothing of that name is generated.
    """
    kind, _, name = what.rpartition(" ")
    parts: dict[str, Callable[[str], str]] = {
        "command": command_text,
        "commands": command_list,
        "groups": command_groups,
        "source": lambda name: settings_table(source_kinds()[name]),
        "": lambda name: _WHOLE[name]() if name in _WHOLE else settings_table(SECTIONS[name.strip("[]")]),
    }
    return parts[kind](name)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Compose a Markdown table; a bar within a cell is escaped."""
    cells = [[cell.replace("|", "\\|") for cell in line] for line in (head, ["---"] * len(head), *rows)]
    return "\n".join(f"| {' | '.join(line)} |".replace("|  |", "| |") for line in cells)


# ---- the command line


def commands() -> dict[str, Any]:
    """Return the commands by name, in the order of ``curator --help``."""
    return dict(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


def command_text(name: str) -> str:
    """Compose the usage, the examples, and a table of a command's own arguments and options."""
    command = commands()[name]
    arguments = [one for one in command.params if not one.opts[0].startswith("-")]
    options = [one for one in command.params if one.opts[0].startswith("-") and one.name not in SHARED]
    words = ["curator", name, *(_argument(one) for one in arguments), *(["[OPTIONS]"] if options else [])]
    hints = _hints(inspect.unwrap(command.callback), [one.name for one in options])
    rows = [(f"`{_argument(one)}`", "", one.help or "") for one in arguments]
    rows += [(_spelled(one, hints[one.name]), _default(one.default), one.help or "") for one in options]
    examples = re.findall(r"Example: (curator .*)", inspect.cleandoc(command.help or ""))
    parts = [f"```text\n{' '.join(words)}\n```"]
    parts += ["\n".join(["```console", *(f"$ {line}" for line in examples), "```"])] if examples else []
    parts += [table(("option", "default", "what it does"), rows)] if rows else []
    return "\n" + "\n\n".join(parts) + "\n"


def _hints(function: Any, names: Sequence[str]) -> dict[str, Any]:
    """Return the types of some parameters; others may name what only type checkers import."""
    some = types.SimpleNamespace(__annotations__={name: function.__annotations__[name] for name in names})
    return typing.get_type_hints(some, function.__globals__, include_extras=True)


def _argument(parameter: Any) -> str:
    name = parameter.metavar or parameter.name.upper()
    name = name + ("…" if parameter.nargs == -1 and not name.endswith("…") else "")
    return name if parameter.required else f"[{name}]"


def _spelled(option: Any, hint: Any) -> str:
    """Write an option as it is typed, with what follows it."""
    names = [*option.opts, *option.secondary_opts]
    value = "" if option.is_flag else " " + (option.metavar or _value(hint))
    return " / ".join(f"`{name}{value}`" for name in names)


def _value(hint: Any) -> str:
    """Name what an option takes, from its type."""
    for kind in _unfolded(hint):
        if typing.get_origin(kind) is typing.Literal:
            return "|".join(map(str, typing.get_args(kind)))
        if kind in _WORDS:
            return _WORDS[kind]
    return "VALUE"


def _unfolded(hint: Any) -> Iterator[Any]:
    if typing.get_origin(hint) is typing.Literal or not typing.get_args(hint):
        yield hint
    else:
        for part in typing.get_args(hint):
            yield from _unfolded(part)


def _default(value: Any) -> str:
    return "" if value in (None, False, (), []) or callable(value) else f"`{value}`"


def command_list(page: str) -> str:
    """Compose the table of all commands in their groups, each with a link to ``page`` and its help's first sentence."""
    known, rows = commands(), []
    for heading, names in GROUPS.items():
        rows.append((f"**{heading}**", ""))
        rows += [(f"[`curator {name}`]({page}#curator-{name})", _first_line(known[name].help)) for name in names]
    return table(("command", "does"), rows)


def command_groups(page: str) -> str:
    """Compose the groups of commands, a line each, with links to ``page``."""
    rows = []
    for heading, names in GROUPS.items():
        rows.append((f"**{heading}**", ", ".join(f"[`curator {name}`]({page}#curator-{name})" for name in names)))
    return table(("to", "commands"), rows)


def _first_line(text: str | None) -> str:
    return inspect.cleandoc(text or "").split("\n")[0]


# ---- the recipe


def settings_table(cls: type[Any]) -> str:
    """Compose the table of a recipe section's or a source's keys."""
    rows = [
        (f"`{key_of(field)}`", _toml(field.default), " ".join(filter(None, [field.metadata["doc"], _choices(field)])))
        for field in dataclasses.fields(cls)
    ]
    return table(("key", "default", "what it is"), rows)


def _toml(value: Any) -> str:
    """Write a default as it would be in a recipe.

    >>> _toml(25_000_000), _toml(("a", "b")), _toml(False)
    ('25,000,000', '`["a", "b"]`', 'false')
    """
    if value is dataclasses.MISSING:
        return "required"
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:,}"
    text = json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
    return f"`{text}`" if len(text) <= 60 else f"`{text[:57]}…`"


def _choices(field: dataclasses.Field[Any]) -> str:
    limits = field.metadata.get("limits")
    if not limits or not limits.choices:
        return ""
    return f"({', '.join(f'`{json.dumps(choice)}`' for choice in limits.choices)})"


# ---- reasons

REQUESTED_AGAIN = {"soon": "within the run, and by `--retry failed`", "later": "by `--retry failed`", "never": ""}
CHANGE = {
    Eases.ON: "`{} = true`",
    Eases.OFF: "`{} = false`",
    Eases.MORE: "a larger `{}`",
    Eases.LESS: "a smaller `{}`",
    Eases.OTHER: "another `{}`",
}


def reason_row(reason: str, traits: Traits) -> tuple[str, str, str, str]:
    """Compose the row of a reason: its name, what it means, what to do, when it is decided again."""
    changes = " or ".join(CHANGE[way].format(name) for name, way in traits.settings)
    again = "; ".join(filter(None, [REQUESTED_AGAIN[traits.passes], f"after {changes}" if changes else ""]))
    return f"`{reason}`", traits.meaning, traits.remedy, again


def reasons_table() -> str:
    """Compose the table of every reason why an image is out."""
    head = ("reason", "what it means", "what to do", "decided again")
    return table(head, [reason_row(reason, reason.traits) for reason in Drop])


# ---- the Python API


def api() -> str:
    """Compose the reference of the functions of ``curator`` and of every method of ``Dataset``."""
    functions = [(f"curator.{name}", getattr(curator, name)) for name in ("create", "open", "audit", "search_classes")]
    methods = [
        (f"Dataset.{name}", member)
        for name, member in inspect.getmembers_static(curator.Dataset)
        if not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, property))
    ]
    return "\n" + "\n\n".join(_api_entry(name, member) for name, member in [*functions, *methods]) + "\n"


def _api_entry(name: str, member: Any) -> str:
    """Compose one entry: heading, signature, docstring in Markdown."""
    text = markdown(inspect.getdoc(member) or "")
    if isinstance(member, property):
        return f"## {name}\n\n{text}"
    return f"## {name}\n\n```python\n{_signature(name, member)}\n```\n\n{text}"


def _signature(name: str, member: types.FunctionType) -> str:
    """Compose the call as it may be written, over several lines if it is long."""
    signature = inspect.signature(member)
    pieces = list(_pieces(one for one in signature.parameters.values() if one.name != "self"))
    name, returned = name.removeprefix("Dataset."), str(signature.return_annotation)
    one_line = f"{name}({', '.join(pieces)}) -> {returned}"
    inner = "".join(f"    {piece},\n" for piece in pieces)
    return one_line if len(one_line) <= 88 else f"{name}(\n{inner}) -> {returned}"


def _pieces(parameters: Iterable[inspect.Parameter]) -> Iterator[str]:
    starred = False
    for one in parameters:
        if one.kind is inspect.Parameter.KEYWORD_ONLY and not starred:
            starred = True
            yield "*"
        starred |= one.kind is inspect.Parameter.VAR_POSITIONAL
        stars = {inspect.Parameter.VAR_KEYWORD: "**", inspect.Parameter.VAR_POSITIONAL: "*"}.get(one.kind, "")
        default = str(one.default) if isinstance(one.default, Path) else one.default
        yield f"{stars}{one.name}: {one.annotation}" + ("" if default is one.empty else f" = {default!r}")


def markdown(docstring: str) -> str:
    r"""Turn a docstring of this project (Google's sections, reStructuredText's marks) into Markdown.

    >>> markdown("Do ``x``.\n\nArgs:\n    n: how many\n        there are.")
    'Do `x`.\n\n**Takes**\n\n- `n`: how many there are.'
    """
    text = (
        re.sub(r":\w+:`~?([^`]+)`", r"`\1`", docstring).replace("``", "`").replace("`open_dataset`", "`curator.open`")
    )
    lines: list[str] = []
    inside = False
    for line in text.splitlines():
        if found := re.fullmatch(r"(Args|Returns|Raises|Yields|Attributes):", line):
            inside = True
            lines += [f"**{_HEADINGS.get(found[1], found[1])}**", ""]
        elif inside and (item := re.match(r" {4}(\*{0,2}[\w, ]+): (.*)", line)):
            lines.append(f"- {', '.join(f'`{name}`' for name in item[1].split(', '))}: {item[2]}")
        elif inside and line.startswith("        ") and lines:
            lines[-1] += " " + line.strip()
        else:
            inside = inside and (not line or line.startswith(" "))
            lines.append(line.strip() if inside else line)
    return "\n".join(lines)


_WHOLE: dict[str, Callable[[], str]] = {"reasons": reasons_table, "api": api}

if __name__ == "__main__":
    main()
