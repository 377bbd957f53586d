"""Benchmarks: they print CPU seconds, octets and ratios to a peer in the same run; nothing is asserted."""
