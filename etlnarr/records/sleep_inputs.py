"""Sleep sessions: what counts the inputs of each metric."""

from types import MappingProxyType
from typing import Final

from etlnarr.records.declarations import AGREEMENT, PATTERNS

STATISTICS: Final = "sleep_statistics"
CONSISTENCY: Final = "sleep_consistency"
NIGHTS: Final = f"{STATISTICS}.nights"
STAGED_NIGHTS: Final = f"{STATISTICS}.staged_nights"
DETAILED_NIGHTS: Final = f"{STATISTICS}.detailed_nights"
REM_NIGHTS: Final = f"{STATISTICS}.rem_nights"
FREE_NIGHTS: Final = f"{CONSISTENCY}.free_nights"
WORK_NIGHTS: Final = f"{CONSISTENCY}.work_nights"

OF_SESSIONS: Final = ("count", "nights", "naps")
OF_NIGHTS: Final = ("time_in_bed", "staged_nights", "nights_in_parts", "broken_nights")
OF_TIMES: Final = ("bed_time", "wake_time", "wake_date")
OF_STAGES: Final = tuple(
    f"stages.{name}_{part}" for name in ("light", "deep", "rem") for part in ("minutes", "percent")
)

INPUTS: Final = MappingProxyType(
    {
        "": (f"{STATISTICS}.count",),
        STATISTICS: (STAGED_NIGHTS,),
        **{f"{STATISTICS}.{name}": (f"{STATISTICS}.count",) for name in OF_SESSIONS},
        **{f"{STATISTICS}.{name}": (NIGHTS,) for name in OF_NIGHTS},
        **{f"{STATISTICS}.{name}": (DETAILED_NIGHTS,) for name in OF_STAGES},
        f"{STATISTICS}.rem_latency": (REM_NIGHTS,),
        f"{STATISTICS}.pause_minutes": (f"{STATISTICS}.nights_in_parts",),
        f"{STATISTICS}.nap_minutes": (f"{STATISTICS}.naps",),
        f"{STATISTICS}.nap_sleep_minutes": (f"{STATISTICS}.naps",),
        CONSISTENCY: (STAGED_NIGHTS,),
        f"{CONSISTENCY}.free_midpoint": (FREE_NIGHTS,),
        f"{CONSISTENCY}.work_midpoint": (WORK_NIGHTS,),
        f"{CONSISTENCY}.social_jetlag": (FREE_NIGHTS, WORK_NIGHTS),
        **{f"{PATTERNS}.{name}": (NIGHTS,) for name in OF_TIMES},
        f"{PATTERNS}.weekday_total_sleep_time": (STAGED_NIGHTS,),
        AGREEMENT: (f"{AGREEMENT}.overlap_minutes",),
        f"{AGREEMENT}.stage_agreement": (f"{AGREEMENT}.stage_minutes",),
        f"{AGREEMENT}.stage_kappa": (f"{AGREEMENT}.stage_minutes",),
        f"{AGREEMENT}.nights": (NIGHTS,),
        f"{AGREEMENT}.other_total_sleep_time": (f"{AGREEMENT}.nights",),
        f"{AGREEMENT}.other_efficiency": (f"{AGREEMENT}.nights",),
    }
)
