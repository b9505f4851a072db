"""Loops: random graphs of bots, and whether each comes to rest with the copies that it implies."""
