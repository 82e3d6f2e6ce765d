"""The narrative engine: the facts of one subject become instruction, data block and narrative.

How templates are written stands at the top of templates/shared.jinja.
"""

from etlnarr.prose.fact import Style
from etlnarr.prose.facts import Facts, facts
from etlnarr.prose.loading import Story, Templates, digests, load, story
from etlnarr.prose.page import Choice, Witness
from etlnarr.prose.telling import Told, tell
from etlnarr.prose.vary import evenly

__all__ = [
    "Choice",
    "Facts",
    "Story",
    "Style",
    "Templates",
    "Told",
    "Witness",
    "digests",
    "evenly",
    "facts",
    "load",
    "story",
    "tell",
]
