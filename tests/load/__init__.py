"""Loads of the size that the product promises to carry."""
