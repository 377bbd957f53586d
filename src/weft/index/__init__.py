"""The index: a store of claims, the view that a policy makes of it, and the mail that it was made from."""
