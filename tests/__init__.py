"""Tests of the console: unit/ mirrors the package, the other folders are named for what they test."""
