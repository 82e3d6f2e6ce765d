"""`python -m etlnarr` is `etlnarr`."""

from etlnarr.cli import main

main()
