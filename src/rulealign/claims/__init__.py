"""Declared claims x universes -> holds / reversed / unresolved / missing."""
