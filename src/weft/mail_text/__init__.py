"""The text of a message out of its bytes (MIME), fit for a screen or a page."""
