"""From records in the catalog to the analysis of uploads, and of days, nights, weeks and months."""
