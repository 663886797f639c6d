"""The stages in order, what each was made from, and the acts that write: publish, replay, forget."""
