"""Figures and the report page: reads result tables, computes nothing."""
