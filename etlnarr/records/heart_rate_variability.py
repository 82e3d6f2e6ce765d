"""Heart rate variability. (Being written by a second colleague.)"""
