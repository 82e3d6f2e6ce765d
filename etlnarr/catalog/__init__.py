"""Every SQL statement; the only importer of duckdb."""

from etlnarr.catalog.connection import Catalog, catalog_id, open_catalog, peek, rehearse, transaction

__all__ = ["Catalog", "catalog_id", "open_catalog", "peek", "rehearse", "transaction"]
