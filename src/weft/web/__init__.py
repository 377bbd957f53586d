"""Pages of threads for people and feed readers: over HTTP beside a server, or as files.

`weft.web.pages` makes pages from an index and knows no network; `weft.web.app` answers requests with them, and
`weft.web.static_site` writes them into a folder.
"""
