"""Every SQL statement; the only importer of duckdb."""

from etlnarr.catalog.connection import Catalog, open_catalog, peek, rehearse, transaction

__all__ = ["Catalog", "open_catalog", "peek", "rehearse", "transaction"]
