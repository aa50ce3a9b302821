"""Widgets that know bytes, numbers and colours only: nothing of instances, viewers or pages."""
