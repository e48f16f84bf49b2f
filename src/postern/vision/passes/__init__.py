"""Passes: QR codes found in a picture, and drawn for a phone or for paper."""
