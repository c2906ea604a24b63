"""Stages and spectroscopy detectors, real and simulated."""
