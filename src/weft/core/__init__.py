"""The pure core: mail headers in, forest out.  No input or output, no clock, no randomness."""
