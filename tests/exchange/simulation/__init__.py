"""A simulation of servers that exchange claims: ``python -m tests.exchange.simulation --seed N`` replays one world.

Theory of operation
-------------------
A world is a number of honest servers and some liars, with the real machine (`weft.exchange.session`), the real desk and
stores in memory, under one seeded scheduler with virtual time (`schedule`).  Everything that can go wrong does: frames
are late, doubled and lost with their session, servers crash and come back with what they had committed, or with an old
backup, rights change, and liars lie (`liars`).  Then the world is healed, honest neighbours talk undisturbed, and what
must hold is looked at (`checks`).  Much of it is looked at on the way as well, from outside the machine: at each
commit, acknowledgement and end of a session.

Python's own randomness of hashes has no influence, so a seed is a whole history.  `mutants` plants mistakes that these
checks must catch.
"""
