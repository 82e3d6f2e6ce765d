"""Being written by a second colleague."""
