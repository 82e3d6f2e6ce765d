"""`python -m etlnarr` is `etlnarr`."""

from etlnarr.cli import main

if __name__ == "__main__":
    main()
