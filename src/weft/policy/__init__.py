"""Policies: whose word counts, who may feed and read a server, what is hidden; and the files that say so."""
