"""What Croupier is about, as frozen values and pure rules. Standard library only; no I/O, no clock, no wire types."""
