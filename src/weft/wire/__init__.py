"""Protobuf messages to objects of the model, and back.  Whatever a message holds may be a lie."""
