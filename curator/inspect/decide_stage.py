"""Run a stage that decides, and say of too few images that a setting has changed, if one has.

>>> decide_stage.__annotations__["return"]
'StageResult'
"""

from __future__ import annotations

from typing import Any

from curator.catalog import Stage
from curator.errors import ShortfallError
from curator.inspect.settings_news import settings_news
from curator.inspect.stage_result import StageResult, stage_result
from curator.manifests.project import Project
from curator.pipeline.run_stages import decide


def decide_stage(
    project: Project, stage: Stage, overrides: dict[str, Any], force: bool, resplit: bool = False
) -> StageResult:
    """Decide; see :func:`curator.pipeline.run_stages.decide`.

    Raises:
        ShortfallError: a label has too few images; if settings have changed since the fetch, it says to fetch.
    """
    try:
        return stage_result(project, stage, decide(project, stage, overrides, force, resplit))
    except ShortfallError as error:
        if news := settings_news(project):
            raise ShortfallError(error.message, (*news[0], "."), error.missing) from None
        raise
