"""The command line: parse, call one stage, report. The only place that prints."""

import os
import sys

from etlnarr.cli import catalog_commands, queue_commands  # noqa: F401 - they add their commands to the others
from etlnarr.cli.commands import app
from etlnarr.errors import EtlnarrError

__all__ = ["app", "main"]


# read by the allocator of Polars when it is loaded: what one batch gives back the next asks for at once, and no longer
os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:500,muzzy_decay_ms:0,narenas:2")


def main() -> None:
    """Run the command line; every fault of ours ends in one line and its exit code."""
    sys.exit(_run())


def _run() -> int:
    try:
        app()
    except EtlnarrError as fault:
        print(f"etlnarr: {fault}", file=sys.stderr)
        return fault.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader left; nothing more to say to it
        return 1
    except OSError as fault:
        print(f"etlnarr: {os.strerror(fault.errno or 0)}; nothing more could be written", file=sys.stderr)
        return 1
    return 0
