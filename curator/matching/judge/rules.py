"""What makes two pictures one, once one lies over the other: every threshold, in one place.

docs/decisions/0029-pixels.md has the measurement behind each: the nearest strangers and the farthest copies.
"""

from __future__ import annotations

from cmath import phase

from curator.matching.judge.agreement import LEAST_DETAIL, Agreement
from curator.matching.judge.colours import Colours
from curator.matching.judge.marks import Marks
from curator.matching.judge.pose import Pose, Rating

LEAST_HELD, LEAST_SHARED, LEAST_SHARED_TURNED = 0.9, 0.35, 0.6
"""One picture lies in the other up to the first share; or both hold the second share of the other, turned ones the
third: what is less is a thing that both show."""
MOST_STRETCH, SURE_STRETCH = 3.0, 5.0
"""A wide picture that was squeezed into a square; a wider one, if outlines are sure."""

LEAST_AGREEING, LEAST_OUTLINES, LEAST_FIT, LEAST_FIT_TURNED = 0.85, 0.92, 0.95, 0.97
"""All that both show agrees; by more where one is turned or mirrored, since round soft things fit in any turn."""
SURE_OUTLINES, SURE_AGREEING, SURE_FIT = 0.975, 0.75, 0.84
"""So do the outlines, if one is blurred or was tiny: then each cell agrees less; not where one is turned or mirrored
and fewer than 24 points say so."""
LEAST_INSIDE = 0.8
"""So do fine outlines away from plain ground, where fewer than 24 points say so: two balls have one silhouette."""
PLAIN_SHADES, PLAIN_EQUAL, PLAIN_SHIFT, PLAIN_HELD = 0.93, 0.9995, 4.0, 0.97
"""Two pictures with hardly any detail, as of sky: the correlation of their shades; the share of cells that are equal as
they are; the mean distance of their colours, in Cb and Cr, unless faint detail agrees, too; the share of each that lies
in the other."""
SURE_SHADES, SURE_SPREAD = 0.985, 2.5
"""Or the correlation of shades of such a standard deviation, in greys; then as many are equal by one straight line."""
FAINT_DETAIL, FAINT_AGREEING, FAINT_OUTLINES = 100, 0.95, 0.98
"""If such shades have so many cells with detail besides, and all of it agrees, they may be graded as others may."""
ALIKE_AGREEING, ALIKE_OUTLINES, ALIKE_FIT = 0.95, 0.985, 0.9
"""So does nearly all, once both are in one light and equally sharp."""

WRITTEN_AGREEING, WRITTEN_FIT, WRITTEN_EQUAL, WRITTEN_LOPSIDED, WRITTEN_PLAIN = 0.6, 0.955, 0.95, 0.5, 0.8
"""Words lie on one of them: what is left is equal, and where it is not, one has more outlines. So has the
next step of a drawing, on a plain ground."""

MARKED_AGREEING, MARKED_OUTLINES, MARKED_FIT, MARKED_EQUAL, MARKED_DETAIL = 0.5, 0.75, 0.84, 0.86, 1000
MARKED_PLAIN, MARKED_SHARE, MARKED_MOST, MARKED_AGAINST, MARKED_THICK = 0.75, 0.05, 0.21, 0.15, 0.005
MARKED_STRENGTH, MARKED_SPREAD, MARKED_REST = 0.38, 0.6, 0.97
"""Half-transparent marks lie all over one of them (:mod:`curator.matching.judge.marks`): thin, and either lighter or
darker than what they lie on. Thin lines of a pattern, a map or a puzzle are darker, or more."""

UNDER_MARKS_SHARE, UNDER_MARKS_AGAINST, UNDER_MARKS_THICK, UNDER_MARKS_SPREAD = 0.45, 0.25, 0.07, 0.9
UNDER_MARKS_REST, UNDER_MARKS_AGREEING, UNDER_MARKS_DETAIL, UNDER_MARKS_PLAIN = 0.98, 0.25, 3000, 0.6
"""Opaque words or lines may lie all over one of two whole pictures, which are equal between them: a doubt, since so
does a pattern on another thing of one template."""

PATCH_SHARE, PATCH_CELLS, PATCH_POINTS = 0.1, 400, 24
PATCH_FIT, PATCH_OUTLINES, PATCH_PURITY, PATCH_EQUAL, PATCH_BEYOND, PATCH_STRETCH = 0.97, 0.965, 0.9, 0.66, 0.2, 1.15
"""A cut-out on another ground: one connected part agrees, nearly all of it and nearly nothing else."""

LEAST_LIKENESS, MOST_TURN, MOST_TINT, MOST_COLOUR = 0.8, 0.36, 0.18, 11.0
"""Of the same colours: their correlation, the turn of all hues in radians, the tint in units a grey, the distance."""
SURE_LIKENESS, SURE_COLOUR = 0.95, 18.0
"""Where colours are burnt out they are farther apart, and correlate; hues are the same."""
MOST_PATCH = 45
"""Most cells, connected, that have another colour, whatever a grading explains."""
MOST_LIT = 8.0
"""Or so far apart at most in one light, with no other fit."""
FEW_COLOURS_APART, MOST_OTHER_HUE = 6.0, 0.1
"""Of pictures with hardly any colours: the distance; and the share of other hues."""
GREY, COLOURED, GREY_UNCHANGED, GREY_EQUAL, GREY_FIT, GREY_OUTLINES = 4.0, 8.0, 0.9, 0.95, 0.97, 0.998
"""Least and most colour of a grey copy and of a coloured picture: only their greys can say that they are one, as they
are or by one straight line; those of another colourway are others."""
GREY_ALL = 0.998
"""If the coloured one has but a little that is coloured, so much is equal as it is: that may be what is another."""
TINTED_FIT, TINTED_EQUAL = 0.985, 0.9
"""Or the one is grey, and the other tinted all over."""
TONED_FIT = 0.97
"""Of sepia, too, only the greys can say; they are stretched."""

DOUBTFUL_AGREEING, DOUBTFUL_OUTLINES = 0.75, 0.88
DOUBTFUL_LIKENESS, DOUBTFUL_TURN, DOUBTFUL_COLOUR = 0.7, 0.36, 20.0


def rate(agreement: Agreement, colours: Colours, pose: Pose) -> Rating:
    """Rate a pair: by all that both show, or by what they share if one has words on it or another ground."""
    is_near = colours.shift <= PLAIN_SHIFT or _is_sure_in_shades(agreement)
    is_in_shades = agrees_in_shades(agreement, pose) and is_near
    is_other = differs_inside(agreement, pose)
    is_one = (agree_in_outlines(agreement, pose) and not is_other) or is_in_shades
    if is_one and has_same_colours(agreement, colours):
        return Rating.ONE
    if is_other and agreement.outlines >= LEAST_OUTLINES and not is_one:
        return Rating.TWO  # of a doubtful pair hashes would decide, and they see the silhouette
    may_be = is_one or nearly_agree(agreement, pose) or may_be_marked(agreement, pose)
    return Rating.DOUBTFUL if may_be and _may_be_of_one_colour(colours) else Rating.TWO


def agree(agreement: Agreement, pose: Pose) -> bool:
    """Return whether the greys of two pictures say that they are one."""
    return agree_in_outlines(agreement, pose) or agrees_in_shades(agreement, pose)


def agree_in_outlines(agreement: Agreement, pose: Pose) -> bool:
    """Return whether what has detail says so."""
    rules = (agrees_all_over, is_written_on, is_cut_out, is_marked)
    return any(rule(agreement, pose) for rule in rules)


def differs_inside(agreement: Agreement, pose: Pose) -> bool:
    """Return whether little but the outline of a thing on plain ground agrees; of a picture under words it may not."""
    if agreement.inside is None or agreement.inside >= LEAST_INSIDE or pose.n_points >= PATCH_POINTS:
        return False
    return agreement.outlines >= SURE_OUTLINES or not is_written_on(agreement, pose)


def nearly_agree(agreement: Agreement, pose: Pose) -> bool:
    """Return whether the greys of two pictures leave a doubt."""
    return (
        agreement.agreeing >= DOUBTFUL_AGREEING
        and agreement.outlines >= DOUBTFUL_OUTLINES
        and agreement.n_detail >= LEAST_DETAIL
        and _holds(pose)
    )


def agrees_all_over(agreement: Agreement, pose: Pose) -> bool:
    """Return whether all that both show agrees."""
    most_stretch = SURE_STRETCH if agreement.outlines >= SURE_OUTLINES else MOST_STRETCH
    if agreement.n_detail < LEAST_DETAIL or pose.stretch > most_stretch or not _holds(pose):
        return False
    fit = LEAST_FIT_TURNED if pose.orientation else LEAST_FIT
    if agreement.agreeing >= LEAST_AGREEING and agreement.outlines >= LEAST_OUTLINES and agreement.fit >= fit:
        return True
    sure = agreement.outlines >= SURE_OUTLINES and agreement.agreeing >= SURE_AGREEING
    is_soft = pose.orientation > 0 and pose.n_points < PATCH_POINTS
    return sure and agreement.fit >= (LEAST_FIT_TURNED if is_soft else SURE_FIT)


def agrees_in_shades(agreement: Agreement, pose: Pose) -> bool:
    """Return whether two pictures with hardly any detail agree in what varies slowly, both whole and as they lie."""
    is_whole = min(pose.overlap) >= PLAIN_HELD and not pose.orientation and not pose.n_points
    likeness, spread = agreement.shades
    is_equal = likeness >= PLAIN_SHADES and agreement.unchanged >= PLAIN_EQUAL
    is_sure = likeness >= SURE_SHADES and spread >= SURE_SPREAD and agreement.lined >= PLAIN_EQUAL
    return is_whole and pose.stretch <= MOST_STRETCH and (is_equal or is_sure)


def agree_once_alike(agreement: Agreement, pose: Pose) -> bool:
    """Return whether all agrees of two pictures that were brought into one light and made equally sharp."""
    return (
        agreement.agreeing >= ALIKE_AGREEING
        and agreement.outlines >= ALIKE_OUTLINES
        and agreement.fit >= (LEAST_FIT_TURNED if pose.orientation else ALIKE_FIT)
        and agrees_all_over(agreement, pose)
    )


def is_written_on(agreement: Agreement, pose: Pose) -> bool:
    """Return whether one is the other with words on it."""
    return (
        agreement.agreeing >= WRITTEN_AGREEING
        and agreement.fit >= WRITTEN_FIT
        and agreement.equal >= WRITTEN_EQUAL
        and agreement.lopsided >= WRITTEN_LOPSIDED
        and agreement.plain <= WRITTEN_PLAIN
        and agreement.n_detail >= 2 * LEAST_DETAIL
        and max(pose.overlap) >= LEAST_HELD
        and pose.stretch <= PATCH_STRETCH
    )


def is_marked(agreement: Agreement, pose: Pose) -> bool:
    """Return whether half-transparent marks, as a watermark, lie all over one of them."""
    marks = agreement.marks
    return (
        marks is not None
        and agreement.agreeing >= MARKED_AGREEING
        and agreement.outlines >= MARKED_OUTLINES
        and agreement.fit >= MARKED_FIT
        and agreement.equal >= MARKED_EQUAL
        and agreement.plain <= MARKED_PLAIN
        and agreement.n_detail >= MARKED_DETAIL
        and MARKED_SHARE <= marks.share <= MARKED_MOST
        and marks.against <= MARKED_AGAINST
        and marks.thick <= MARKED_THICK
        and marks.strength <= MARKED_STRENGTH
        and marks.spread >= MARKED_SPREAD
        and marks.rest >= MARKED_REST
        and max(pose.overlap) >= LEAST_HELD
        and pose.stretch <= MOST_STRETCH
    )


def may_be_marked(agreement: Agreement, pose: Pose) -> bool:
    """Return whether opaque words or lines may lie all over one of two whole upright pictures."""
    marks = agreement.marks
    return (
        marks is not None
        and min(pose.overlap) >= LEAST_HELD
        and not pose.orientation
        and pose.stretch <= PATCH_STRETCH
        and agreement.agreeing >= UNDER_MARKS_AGREEING
        and agreement.plain <= UNDER_MARKS_PLAIN
        and agreement.n_detail >= UNDER_MARKS_DETAIL
        and are_opaque(marks)
    )


def are_opaque(marks: Marks) -> bool:
    """Return whether what differs may be thin opaque marks all over, with one picture between them."""
    return (
        marks.share <= UNDER_MARKS_SHARE
        and marks.against <= UNDER_MARKS_AGAINST
        and marks.thick <= UNDER_MARKS_THICK
        and marks.spread >= UNDER_MARKS_SPREAD
        and marks.rest >= UNDER_MARKS_REST
    )


def is_cut_out(agreement: Agreement, pose: Pose) -> bool:
    """Return whether a part of one is in the other, on another ground or with something before it."""
    patch = agreement.patch
    return (
        patch.share >= PATCH_SHARE
        and patch.n_cells >= PATCH_CELLS
        and pose.n_points >= PATCH_POINTS
        and agreement.fit >= PATCH_FIT
        and patch.outlines >= PATCH_OUTLINES
        and patch.purity >= PATCH_PURITY
        and patch.equal >= PATCH_EQUAL
        and patch.beyond <= PATCH_BEYOND
        and pose.stretch <= PATCH_STRETCH
    )


def has_same_colours(agreement: Agreement, colours: Colours) -> bool:
    """Return whether what agrees in grey has the same colours, up to a grading; or one has none, or is sepia.

    Grading changes how strong colours are, and tints greys; another colourway has other hues, all over or in a part.
    """
    if min(colours.most) < GREY and max(colours.most) > COLOURED:
        is_sure = (agreement.fit >= TINTED_FIT and agreement.equal >= TINTED_EQUAL) or _is_sure_in_shades(agreement)
        is_tinted = is_sure and colours.distance <= FEW_COLOURS_APART and colours.tint <= MOST_TINT
        is_equal = agreement.unchanged >= GREY_UNCHANGED or agreement.lined >= GREY_EQUAL
        is_as_it_was = agreement.outlines >= GREY_OUTLINES and agreement.unchanged >= GREY_UNCHANGED
        return is_tinted or is_as_it_was or (agreement.fit >= GREY_FIT and is_equal)
    if colours.toned[0] != colours.toned[1] and agreement.fit >= TONED_FIT:
        return True
    if colours.lit is not None and colours.lit[0] <= MOST_LIT and colours.lit[1] <= MOST_PATCH:
        return True
    if colours.patch > MOST_PATCH:
        return False
    if colours.likeness is None:
        is_near = colours.distance <= FEW_COLOURS_APART and colours.tint <= MOST_TINT
        is_equal = agreement.unchanged >= GREY_ALL and agreement.outlines >= GREY_OUTLINES
        return (is_near and colours.other_hue <= MOST_OTHER_HUE) or (is_equal and min(colours.most) < GREY)
    turn, likeness = abs(phase(colours.likeness)), colours.likeness.real
    if likeness < LEAST_LIKENESS or turn > MOST_TURN or colours.tint > MOST_TINT:
        return False
    is_sure = likeness >= SURE_LIKENESS and colours.other_hue <= MOST_OTHER_HUE
    return colours.distance <= (SURE_COLOUR if is_sure else MOST_COLOUR)


def _is_sure_in_shades(agreement: Agreement) -> bool:
    """Return whether strong shades, and faint detail besides, leave no doubt that greys are those of one picture."""
    likeness, spread = agreement.shades
    return (
        likeness >= SURE_SHADES
        and spread >= SURE_SPREAD
        and agreement.lined >= PLAIN_EQUAL
        and agreement.n_detail >= FAINT_DETAIL
        and agreement.agreeing >= FAINT_AGREEING
        and agreement.outlines >= FAINT_OUTLINES
    )


def _may_be_of_one_colour(colours: Colours) -> bool:
    if colours.patch > MOST_PATCH:
        return False
    if colours.likeness is None:  # a tint takes a grey thing's colourway for a copy: its ground has another grey
        if min(colours.most) < GREY and colours.tint > MOST_TINT:
            return False
        return colours.distance <= DOUBTFUL_COLOUR and colours.other_hue <= MOST_OTHER_HUE
    turn, likeness = abs(phase(colours.likeness)), colours.likeness.real
    return likeness >= DOUBTFUL_LIKENESS and turn <= DOUBTFUL_TURN and colours.distance <= DOUBTFUL_COLOUR


def _holds(pose: Pose) -> bool:
    shared = LEAST_SHARED_TURNED if pose.orientation else LEAST_SHARED
    return max(pose.overlap) >= LEAST_HELD or min(pose.overlap) >= shared
