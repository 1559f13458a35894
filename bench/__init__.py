"""Benchmarks of egregium: what a product costs, and whether the intervals are what they say.

Run `python -m bench --help` from the repository's root. Every number is computed by the run that prints it; the
protocol and results of one machine are in docs/benchmarks.md, drawn from bench/results/.
"""
