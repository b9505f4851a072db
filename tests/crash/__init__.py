"""Kills the engine again and again against simulated networks, and judges what stands there."""
