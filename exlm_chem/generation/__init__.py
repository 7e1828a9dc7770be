"""Proposals for masked atoms, spans and fragments, from the paths of the state graph."""
