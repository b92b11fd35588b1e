"""The scores of claims in every universe."""
