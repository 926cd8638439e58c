"""Offer a game server's functions to Croupier, and call functions from anywhere."""
