"""Active energy. (Being written by a second colleague.)"""
