"""Croupier: operate live games safely from one place."""

__version__ = "0.1.0"
