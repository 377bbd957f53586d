"""Weft over the network: the server that shows an index to clients, and the client that checks what it is shown."""
