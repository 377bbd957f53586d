"""Planted faults that the tests must find: ``python -m tests.mutants`` runs the tests that concern each, on a copy.

A mutant is one change of the source text.  For each a copy of ``src`` is changed, and the tests that are named beside
it run with that copy in place of the source; at least one of them must fail.  To add one, add a row to
`tests.mutants.table.MUTANTS`.
"""
