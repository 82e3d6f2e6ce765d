"""Structured log lines on stderr. They carry counts, states and reasons, never a reading or a user."""

import logging
import sys

import structlog
from structlog.typing import FilteringBoundLogger

from etlnarr.settings import Settings


def configure(settings: Settings, run_id: str) -> FilteringBoundLogger:
    """Set up the log of a run; what a library would say there, tracebacks and all, is said by us in one line."""
    logging.getLogger().addHandler(logging.NullHandler())
    watched = sys.stderr.isatty() and "log_level" not in settings.model_fields_set  # the summary tells a person more
    level = "DEBUG" if settings.development_mode else "WARNING" if watched else settings.log_level
    renderer = (
        structlog.processors.JSONRenderer(sort_keys=True)
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    log: FilteringBoundLogger = structlog.get_logger()
    return log.bind(service=settings.service_name, version=settings.version, run_id=run_id)
