"""Keep names and passwords that stand in addresses out of what is written and printed.

>>> hide_credentials("The proxy http://ann:s3cret@proxy.example:3128 has no address.")
'The proxy http://***@proxy.example:3128 has no address.'
"""

from __future__ import annotations

import re
from typing import Any

HIDDEN = "***"

USERINFO = r"^(?P<scheme>\s*[A-Za-z][A-Za-z0-9+.-]*://)(?P<userinfo>[^/?#\\]*)@"
"""How an address begins that says who signs in, with which password (RFC 3986, 3.2.1)."""

_IN_TEXT = re.compile(r"""(?:(?<=//)[^\s/'"]+|(?<![^\s'"(=])[^\s/@:'"]+:[^\s/'"]*)@""")


def hide_credentials(text: str) -> str:
    """Hide who signs in, with which password, in every address that a text holds, with a scheme or without.

    >>> hide_credentials("ann:s3cret@proxy:3128 is no https://www.flickr.com/people/12@N00/ of me@example.org")
    '***@proxy:3128 is no https://www.flickr.com/people/12@N00/ of me@example.org'
    """
    return _IN_TEXT.sub(f"{HIDDEN}@", text)


def hide_in_address(address: str) -> str:
    """Hide the same in one address, whatever signs the password holds.

    >>> hide_in_address("http://ann:a/b@c@proxy.example:3128"), hide_in_address("proxy.example:3128")
    ('http://***@proxy.example:3128', 'proxy.example:3128')
    """
    who, at, host = address.rpartition("@")
    scheme, separator, _ = who.rpartition("://")
    return f"{scheme}{separator}{HIDDEN}@{host}" if at else address


def without_userinfo(address: str) -> str:
    """Take the same out of one address: what is left is an address still.

    >>> without_userinfo("http://ann:s3cret@h.example/1.jpg"), without_userinfo("http://h.example/12@N00/1.jpg")
    ('http://h.example/1.jpg', 'http://h.example/12@N00/1.jpg')
    """
    return re.sub(USERINFO, r"\g<scheme>", address) if "@" in address else address


def hide_in_settings(value: Any) -> Any:
    """Hide the same in every web address among settings, however deep in tables and lists it stands.

    >>> hide_in_settings({"urls": ["https://ann:s3cret@lists.example/{wnid}.txt"], "path": "photos/a@b", "n": 1})
    {'urls': ['https://***@lists.example/{wnid}.txt'], 'path': 'photos/a@b', 'n': 1}
    """
    if isinstance(value, dict):
        return {key: hide_in_settings(one) for key, one in value.items()}
    if isinstance(value, list):
        return [hide_in_settings(one) for one in value]
    return hide_credentials(value) if isinstance(value, str) and "://" in value else value
