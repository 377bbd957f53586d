"""Where mail comes from: mbox, Maildir, MH, public-inbox, compressed or not.

`discover` turns what a user names into `Source` objects; each yields `Record` tuples in file order and can fetch the
bytes of a message again.
"""
