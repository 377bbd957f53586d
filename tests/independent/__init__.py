"""A second implementation of the exchange protocol, from ``PROTOCOL.md`` and the schema alone, without importing Weft.

All but the state machine: it reads messages, checks claims, proofs, signatures and bindings, computes fingerprints,
agreements, digests and trees, and decodes coded symbols.  `tests.test_independent` runs it over all vectors.  What it
cannot do from the document is missing in the document.
"""
