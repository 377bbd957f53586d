"""``weft demo``: three servers on this machine, one conversation, no master copy.

Theory of operation
-------------------
`weft.demo.mail` is the mail: three lists of an invented conversation, and one mail that is forged.  `weft.demo.servers`
are real ``weft serve`` processes on loopback, each with an index, a key and a policy of its own; commands on them are
``weft`` processes too.  `weft.demo.story` plays six acts on them.  What an act found out is one object of
`weft.demo.results`, which also checks what was promised; `weft.demo.narration` says it in words.  So text and JSON come
of the same facts, and a promise that did not come true is a fact like the others.

The servers have no addresses in their policies, so they only answer: each exchange is one that an act asked for with
``weft sync``, and can be counted.
"""
