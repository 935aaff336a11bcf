"""Hostile input: known payloads, limits, the guard, a fuzzer."""
