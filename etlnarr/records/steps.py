"""Steps. (Being written by a second colleague, who also took over activity, energy and hrv.)"""
