"""Benchmarks: they print CPU seconds, bytes and ratios to a peer in the same run; nothing is asserted."""
