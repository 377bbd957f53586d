"""The client: asks a server, and checks what it is told."""
