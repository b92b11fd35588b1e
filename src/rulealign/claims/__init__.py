"""Declared claims x universes -> holds / reversed / unresolved / uninformative / missing."""
