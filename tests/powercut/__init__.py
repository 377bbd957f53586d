"""Power cuts: what is on disk if the power fails at any moment, made from a record of writes and syncs.

``python -m tests.powercut --images 20000`` makes so many images of all scenarios, and opens each as the next start
would.  The default test run makes some hundred, and proves with planted faults that they would be found.
"""
