"""Clinically true narratives and grounded training data from Android Health Connect exports."""

__version__ = "0.1.0"
