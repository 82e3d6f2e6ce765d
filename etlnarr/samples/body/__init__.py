"""Bodies: what truly happens in a person, minute by minute, before any device looks."""
