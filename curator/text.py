"""Texts for a person: their commands are data, which only the command line spells, and passwords in them are hidden.

>>> text = ("manifest.csv does not exist. Run ", Command("split"), " first.")
>>> print(spell(text, " --recipe balls"))
manifest.csv does not exist. Run `curator split --recipe balls` first.
>>> hide_credentials("The proxy http://ann:s3cret@proxy.example:3128 has no address.")
'The proxy http://***@proxy.example:3128 has no address.'
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

USERINFO = r"^(?P<scheme>\s*[A-Za-z][A-Za-z0-9+.-]*://)(?P<userinfo>[^/?#\\]*)@"
"""How an address begins that says who signs in, with which password (RFC 3986, 3.2.1)."""

_IN_TEXT = re.compile(r"""(?:(?<=//)[^\s/'"]+|(?<![^\s'"(=])[^\s/@:'"]+:[^\s/'"]*)@""")


OF_NO_DATA_SET = ("init", "search", "audit", "demo")
"""Commands that take no option that names a data set."""


@dataclass(frozen=True)
class Command:
    """A command that a text proposes, without ``curator`` and without the options that name the data set.

    >>> Command("split --force").spelled(" --recipe balls")
    'curator split --force --recipe balls'
    """

    words: str

    @classmethod
    def of(cls, command: str, *arguments: str, options: Sequence[str] = ()) -> Command:
        """Make a command of words that may hold anything, such as a path: a shell reads each as one word.

        Args:
            command: its name.
            arguments: none of them is an option, whatever it begins with.
            options: names and values.

        >>> Command.of("why", "my photos/1.jpg").words, Command.of("why", "-1.jpg").spelled(" --recipe balls")
        ("why 'my photos/1.jpg'", 'curator why --recipe balls -- -1.jpg')
        """
        if any(one.startswith("-") for one in arguments):
            return cls(shlex.join([command, *options, "--", *arguments]))
        return cls(shlex.join([command, *arguments, *options]))

    def spelled(self, option: str = "") -> str:
        """Return the command as it is typed; ``option`` names the data set, such as `` --recipe balls``."""
        words = shlex.split(self.words) if "--" in self.words else []
        end = words.index("--") if "--" in words else len(words)
        before, after = (shlex.join(words[:end]), f" {shlex.join(words[end:])}") if words[end:] else (self.words, "")
        return f"curator {before}{'' if before.split()[0] in OF_NO_DATA_SET else option}{after}"


Text = str | tuple[str | Command, ...]
"""A text that may propose commands: plain, or its parts in order."""


MOST = Command("split --per-class max")
"""Takes as many images of each label as the smallest label has."""


def spell(text: Text, option: str = "", quote: str = "`") -> str:
    """Write a text with its commands as they are typed.

    Args:
        text: see :data:`Text`.
        option: names the data set, such as `` --recipe balls``.
        quote: is written on both sides of a command.

    >>> spell(("Run ", Command("fetch"), " first."))
    'Run `curator fetch` first.'
    """
    parts = (part if isinstance(part, str) else f"{quote}{part.spelled(option)}{quote}" for part in as_parts(text))
    return "".join(parts)


def as_parts(text: Text) -> tuple[str | Command, ...]:
    """Return the parts of a text, to put them into another one."""
    return (text,) if isinstance(text, str) else text


def to_json(text: Text) -> Any:
    """Return a text in the form in which files keep it; a plain text is kept as it is.

    >>> to_json(("Run ", Command("fetch"))), from_json(to_json(("Run ", Command("fetch")))), from_json("Done.")
    (['Run ', {'command': 'fetch'}], ('Run ', Command(words='fetch')), 'Done.')
    """
    return text if isinstance(text, str) else [one if isinstance(one, str) else {"command": one.words} for one in text]


def from_json(form: Any) -> Text:
    """Read a text from the form in which files keep it: see :func:`to_json`."""
    if isinstance(form, str):
        return form
    return tuple(part if isinstance(part, str) else Command(part["command"]) for part in form)


def hide_credentials(text: str) -> str:
    """Hide who signs in, with which password, in every address that a text holds, with a scheme or without.

    >>> hide_credentials("ann:s3cret@proxy:3128 is no https://www.flickr.com/people/12@N00/ of me@example.org")
    '***@proxy:3128 is no https://www.flickr.com/people/12@N00/ of me@example.org'
    """
    return _IN_TEXT.sub("***@", text)


def hide_in_address(address: str) -> str:
    """Hide the same in one address, whatever signs the password holds.

    >>> hide_in_address("http://ann:a/b@c@proxy.example:3128"), hide_in_address("proxy.example:3128")
    ('http://***@proxy.example:3128', 'proxy.example:3128')
    """
    who, at, host = address.rpartition("@")
    scheme, separator, _ = who.rpartition("://")
    return f"{scheme}{separator}***@{host}" if at else address


def is_web_address(text: str | None) -> bool:
    """Return whether a text, which may come from anywhere, is an http or https address: safe to make a link of.

    >>> is_web_address("https://h.example/1"), is_web_address("javascript:alert(1)"), is_web_address("http://[")
    (True, False, False)
    """
    try:
        return bool(text) and urlsplit(str(text)).scheme in ("http", "https")
    except ValueError:
        return False


def without_userinfo(address: str) -> str:
    """Take the same out of one address: what is left is still an address.

    >>> without_userinfo("http://ann:s3cret@h.example/1.jpg"), without_userinfo("http://h.example/12@N00/1.jpg")
    ('http://h.example/1.jpg', 'http://h.example/12@N00/1.jpg')
    """
    return re.sub(USERINFO, r"\g<scheme>", address) if "@" in address else address


def hide_in_settings(value: Any) -> Any:
    """Hide the same in every web address among settings, however deep in tables and lists.

    >>> hide_in_settings({"urls": ["https://ann:s3cret@lists.example/{wnid}.txt"], "path": "photos/a@b", "n": 1})
    {'urls': ['https://***@lists.example/{wnid}.txt'], 'path': 'photos/a@b', 'n': 1}
    """
    if isinstance(value, dict):
        return {key: hide_in_settings(one) for key, one in value.items()}
    if isinstance(value, list):
        return [hide_in_settings(one) for one in value]
    return hide_credentials(value) if isinstance(value, str) and "://" in value else value


def plural(n: int, one: str, many: str = "") -> str:
    """Count things; ``many`` is what more than one are called, if an *s* does not make it of ``one``.

    >>> plural(1, "image"), plural(2450, "image"), plural(0, "address is", "addresses are")
    ('1 image', '2,450 images', '0 addresses are')
    """
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def was(n: int) -> str:
    """Return the verb of so many things: ``was`` or ``were``."""
    return "was" if n == 1 else "were"


def percent(share: float) -> str:
    """Write a share as a percentage: ``91.4%``."""
    return f"{100 * share:.1f}%"


_CONTROLS = "\\x00-\\x1f\\x7f-\\x9f\u2028\u2029"
HAS_CONTROLS = f"[{_CONTROLS}]"
"""What a text of one line may not hold: line ends of whatever kind and control characters (a regular expression)."""
_RUN = re.compile(f"[ {_CONTROLS}]*[{_CONTROLS}][ {_CONTROLS}]*")


def on_one_line(text: str) -> str:
    r"""Write a space for each run of line ends and control characters, and a question mark for a lone surrogate.

    >>> on_one_line("two\r\nlines"), on_one_line("\x1b[31mred\x00"), on_one_line(" as  it is ")
    ('two lines', '[31mred', ' as  it is ')
    """
    text = text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
    return _RUN.sub(" ", text).strip(" ") if _RUN.search(text) else text


FOR_NO_TERMINAL = re.compile(
    "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u2028\\u2029\\u202a-\\u202e\\u2066-\\u2069\\ud800-\\udfff]"
)


def printable(text: str) -> str:
    r"""Write as an escape each character that a terminal obeys, or that reorders what is read; not line ends and tabs.

    >>> printable("\x1b]0;owned\x07 \x9b1m \u202egpj.exe"), printable("two\n\tlines, Käfer, 犬")
    ('\\x1b]0;owned\\x07 \\x9b1m \\u202egpj.exe', 'two\n\tlines, Käfer, 犬')
    """
    return FOR_NO_TERMINAL.sub(lambda found: ascii(found[0])[1:-1], text)
