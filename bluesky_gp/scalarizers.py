"""Spectrum -> number."""
