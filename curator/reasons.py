"""The stages of a data set, and every reason why an image is out with all its traits; importable without pandas.

A reason is added by one entry of :class:`Drop`; ``make reference`` writes its row into docs/reasons.md.

>>> Drop("gone") is Drop.GONE, Drop.GONE.traits.remedy, Drop.TIMEOUT.traits.passes, list(Stage)[0].value
(True, 'none; link rot', 'soon', 'listed')
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

SPLITS = ("train", "val", "test")
"""The sides of a split, in order; ``val`` only where images were listed as such."""


def splits_of(found: Iterable[str]) -> tuple[str, ...]:
    """Return the splits that a data set has: train and test, and ``val`` if it is found.

    >>> splits_of(["test"]), splits_of(["val", "train"])
    (('train', 'test'), ('train', 'val', 'test'))
    """
    used = {"train", "test", *found}
    return tuple(split for split in SPLITS if split in used)


class Stage(StrEnum):
    """The stages of a data set's life, in order."""

    LISTED = "listed"
    FETCHED = "fetched"
    DEDUPED = "deduped"
    BALANCED = "balanced"
    SPLIT = "split"


class HostAdvice(StrEnum):
    """What to do about a host that fails for some of these reasons more than for others; the first wins a tie."""

    THROTTLED = "throttled: lower per_host or set delay_s, then --retry failed"
    BLOCKED = "blocked: the host refuses this program; set contact and ask its owner"
    UNRESOLVED = "the name does not resolve: the host is no more, or DNS has trouble here"
    DOWN = "down or overloaded: --retry failed another day, or a higher timeout_s"
    LINK_ROT = "link rot: these images are no more"
    DISGUISED = "link rot in disguise: the host answers, but with pages or placeholders"
    CERTIFICATE = "its certificate is not valid: nothing to be done from here"
    OPTED_OUT = "the host wants no use for AI: leave it be"
    ROBOTS = "its robots.txt disallows these: leave them be"
    PRIVATE = "an address of a private network: allow_private_hosts = true under [fetch] if it is yours"
    TOO_LARGE = "its files are larger than max_bytes"


class Eases(StrEnum):
    """Which change of a setting lets in what was out."""

    ON = "on"
    OFF = "off"
    MORE = "more"
    LESS = "less"
    OTHER = "other"


_PROXY = ("proxy", Eases.OTHER)
_CONTACT = ("contact", Eases.OTHER)
_MODE = ("mode", Eases.OTHER)


@dataclass(frozen=True, slots=True)
class Traits:
    """All that is true of one reason; its row in docs/reasons.md says the first of it.

    Attributes:
        meaning: what happened, in Markdown.
        remedy: what a person can do about it, in Markdown.
        passes: whether the failure may pass by itself: ``soon`` requests again within a run and on ``--retry failed``,
            ``later`` only on ``--retry failed``.
        settings: the settings that it depends on, each with the change that lets an image in, and after which what it
            dropped is decided anew.
        evidence: the catalog's columns that hold its evidence.
        blames_host: whether it speaks against the whole host rather than against one address of it.
        advice: what to do about a host that fails mostly so.
        is_stored: whether the store keeps the file, if one came.
        is_copy: whether ``duplicate_of`` names the image that is kept for this one.
        overruled: whether a person's *keep* takes it back.
    """

    meaning: str
    remedy: str
    passes: Literal["soon", "later", "never"] = "never"
    settings: tuple[tuple[str, Eases], ...] = ()
    evidence: tuple[str, ...] = ("drop_detail",)
    blames_host: bool = False
    advice: HostAdvice | None = None
    is_stored: bool = True
    is_copy: bool = False
    overruled: bool = False


_STATUS = ("http_status", "drop_detail")
_ALIKE = ("distance_bits", "turn", "drop_detail")
_COPY = ("duplicate_of", *_ALIKE)


class Drop(StrEnum):
    """Why an image is out, each reason with its :class:`Traits`."""

    traits: Traits

    def __new__(cls, name: str, *traits: Traits) -> Drop:
        """Make a member, its name as text, with its traits; ``Drop("gone")`` finds it without them."""
        member = str.__new__(cls, name)
        member._value_ = name
        [member.traits] = traits
        return member

    # A table, kept in rows by hand.
    # fmt: off
    # listed: what is never requested
    LICENCE_NOT_ALLOWED = "licence-not-allowed", Traits(
        "Its licence is none of those that `allow` under `[licence]` names. Not requested.",
        "allow that licence, if you may use it; or leave `[licence]` out", settings=(("allow", Eases.OTHER),))
    LICENCE_UNKNOWN = "licence-unknown", Traits(
        "Its source states no licence, or none that is known, and the recipe has a `[licence]`. Not requested.",
        "`unknown = \"keep\"` under `[licence]`, if you may use it all the same",
        settings=(("allow", Eases.OTHER), ("unknown", Eases.OTHER)))
    # fetch: what the network answered
    BEYOND_TARGET = "beyond-target", Traits(
        "The label had its target of images before this one's turn.", "`curator fetch --all`, or a higher `--target`",
        settings=(("target", Eases.MORE),))
    UNSUPPORTED_SCHEME = "unsupported-scheme", Traits("The address is neither http nor https.", "correct the list")
    PRIVATE_ADDRESS = "private-address", Traits(
        "The host is on this machine or in a private network.",
        "`allow_private_hosts = true` under `[fetch]` in the recipe, if that is meant",
        advice=HostAdvice.PRIVATE, settings=(("allow_private_hosts", Eases.ON), _PROXY))
    DNS = "dns", Traits(
        "The host's name does not resolve.", "gone for good, or a trouble of your own network: `--retry failed`",
        "soon", blames_host=True, advice=HostAdvice.UNRESOLVED, settings=(_PROXY,))
    REFUSED = "refused", Traits(
        "Nobody listens there, or there is no route.", "`--retry failed`",
        "soon", blames_host=True, advice=HostAdvice.DOWN, settings=(_PROXY,))
    RESET = "reset", Traits(
        "The connection broke before the end.", "`--retry failed`", "soon", blames_host=True, advice=HostAdvice.DOWN,
        settings=(_PROXY,))
    TIMEOUT = "timeout", Traits(
        "No answer, or not all of it, in `timeout_s`.", "`--retry failed`, a longer `timeout_s`",
        "soon", blames_host=True, advice=HostAdvice.DOWN,
        settings=(("timeout_s", Eases.MORE), _PROXY))
    TLS = "tls", Traits(
        "The certificate is wrong or expired, or no common protocol.", "none that is safe",
        "later", blames_host=True, advice=HostAdvice.CERTIFICATE, settings=(_PROXY,))
    MALFORMED_URL = "malformed-url", Traits("No request can be made for the address.", "correct the list")
    REDIRECT_LOOP = "redirect-loop", Traits("Too many redirects.", "none", advice=HostAdvice.DISGUISED)
    BAD_RESPONSE = "bad-response", Traits(
        "Not HTTP, or HTTP that contradicts itself.", "`--retry all`", settings=(_PROXY,))
    INCOMPLETE = "incomplete", Traits(
        "Fewer bytes came than the server announced.", "`--retry failed`", "soon", advice=HostAdvice.DOWN)
    GONE = "gone", Traits(
        "404 or 410: the picture is no longer there.", "none; link rot", evidence=_STATUS, advice=HostAdvice.LINK_ROT)
    FORBIDDEN = "forbidden", Traits(
        "401, 403 or 451.", "none; respect it", evidence=_STATUS, advice=HostAdvice.BLOCKED,
        settings=(_CONTACT, _PROXY))
    RATE_LIMITED = "rate-limited", Traits(
        "429, also after waiting.", "`--retry failed` later; set `contact` and `delay_s`",
        "soon", evidence=_STATUS, advice=HostAdvice.THROTTLED,
        settings=(_CONTACT, ("delay_s", Eases.MORE), ("per_host", Eases.LESS)))
    SERVER_ERROR = "server-error", Traits(
        "5xx, also after waiting.", "`--retry failed` later", "soon", evidence=_STATUS, advice=HostAdvice.DOWN,
        settings=(_PROXY,))
    HTTP_ERROR = "http-error", Traits(
        "Another status that is no success.", "none", evidence=_STATUS, advice=HostAdvice.LINK_ROT,
        settings=(_PROXY,))
    OPTED_OUT = "opted-out", Traits(
        "The host says noai, noimageai or noml in X-Robots-Tag.", "none; respect it",
        advice=HostAdvice.OPTED_OUT, settings=(("honour_noai", Eases.OFF),))
    ROBOTS_DISALLOWED = "robots-disallowed", Traits(
        "The host's robots.txt disallows the address, and the recipe says `robots = true`. Not requested.",
        "none; respect it", advice=HostAdvice.ROBOTS, settings=(("robots", Eases.OFF),))
    TOO_MANY_BYTES = "too-many-bytes", Traits(
        "Larger than `max_bytes`.", "a larger `max_bytes`", advice=HostAdvice.TOO_LARGE,
        settings=(("max_bytes", Eases.MORE),))
    CHANGED = "changed", Traits(
        "`curator replay`: the address serves other bytes than the manifest says.",
        "`--accept-similar` if the picture is the same")
    FORGOTTEN = "forgotten", Traits(
        "Taken out for good by `curator forget`: not requested, not stored.", "none; respect it")
    FILE_MISSING = "file-missing", Traits("A local file that cannot be read.", "correct the folder or its permissions")
    # observe: what the bytes are
    EMPTY = "empty", Traits("No bytes at all.", "none", advice=HostAdvice.DISGUISED, is_stored=False)
    NOT_AN_IMAGE = "not-an-image", Traits(
        "HTML, JSON, PDF, SVG, text …; the detail says which.", "none: the link is dead in disguise",
        advice=HostAdvice.DISGUISED, is_stored=False)
    UNSUPPORTED_FORMAT = "unsupported-format", Traits(
        "An image that no decoder here opens.",
        "the extra that the detail names, if it names one; else convert it yourself")
    TOO_MANY_PIXELS = "too-many-pixels", Traits("Over `max_pixels`; never decoded.", "a larger `max_pixels`",
        settings=(("max_pixels", Eases.MORE),))
    TRUNCATED = "truncated", Traits("The file ends before the picture does.", "`--retry all`")
    CORRUPT = "corrupt", Traits(
        "The decoder gave up, or a part of the pixel data is lost or overwritten.", "none")
    DECODER_CRASHED = "decoder-crashed", Traits(
        "The decoder's process died twice, or ran out of time or memory; or files of its host did that to it, and this "
        "one was not requested.", "`--retry failed`; please report the file", passes="later")
    # quality
    PLACEHOLDER = "placeholder", Traits(
        "A known 'photo unavailable' picture.", "none: the photo is gone", advice=HostAdvice.DISGUISED, overruled=True)
    BLANK = "blank", Traits(
        "One colour all over, as it is shown; the detail says which. [The rule](#blank) is below.",
        "mark it *keep* in `curator review`", advice=HostAdvice.DISGUISED, overruled=True)
    TOO_SMALL = "too-small", Traits("The shorter side is under `min_side`.", "a smaller `min_side`", overruled=True,
        settings=(("min_side", Eases.LESS),))
    EXTREME_ASPECT = "extreme-aspect", Traits(
        "The longer side is over `max_aspect` times the shorter.", "a larger `max_aspect`", overruled=True,
        settings=(("max_aspect", Eases.MORE),))
    # dedupe
    REVIEWED_OUT = "reviewed-out", Traits(
        "A person dropped it; the detail says who, when and why.", "undo it in `curator review`")
    PLACEHOLDER_SUSPECTED = "placeholder-suspected", Traits(
        "One host answers alike at three or more unrelated addresses; the detail says at how many of which host. "
        "None is kept. [The rule](#placeholder-suspected) is below.",
        "mark it *keep* in `curator review`, or `suspect_placeholders = false`",
        settings=(("suspect_placeholders", Eases.OFF),))
    ALREADY_ELSEWHERE = "already-elsewhere", Traits(
        "A data set named by `--against` has the same picture; the detail says which image.",
        "`--report-only`, or not to compare", evidence=_ALIKE,
        settings=(("against", Eases.OTHER), ("report_only", Eases.ON)))
    EXACT_DUPLICATE = "exact-duplicate", Traits(
        "The same bytes as the image in `duplicate_of`.", "`mode = \"off\"` under `[dedupe]` if copies are meant",
        evidence=_COPY, is_copy=True, settings=(_MODE,))
    NEAR_DUPLICATE = "near-duplicate", Traits(
        "The same picture as `duplicate_of`, `distance_bits` apart, turned as `turn` says.",
        "a smaller `--max-distance`", evidence=_COPY, is_copy=True,
        settings=(("max_distance", Eases.LESS), _MODE))
    LABEL_CONFLICT = "label-conflict", Traits(
        "The same picture is listed under another label too.",
        "*keep* the right one in `curator review`, or `across_labels`", evidence=_COPY,
        settings=(("across_labels", Eases.OTHER), _MODE))
    # balance and split
    STRADDLES_SPLIT = "straddles-split", Traits(
        "A newcomer that belongs together (near-duplicate, author, page) with images in train and in test of the "
        "previous split.", "`curator split --resplit`, which may move images",
        settings=(("group_by", Eases.OTHER), ("stable", Eases.OFF)))
    SURPLUS = "surplus", Traits(
        "More than `per_class` images; the keyed hash chose others. What a person marked *keep* is chosen first, "
        "then what the previous manifest has.", "a larger `per_class`, or *keep* in `curator review`",
        settings=(("per_class", Eases.MORE),))
    # fmt: on


RETRIED = frozenset(reason for reason in Drop if reason.traits.passes == "soon")
"""Failures that may pass by themselves: requested again within a run, and again on ``--retry failed``."""

COPIES = tuple(reason for reason in Drop if reason.traits.is_copy)
"""Out because another image of the same label, which is kept, shows the same."""
