"""Exposure scans: which of the administrator's texts can the host read in the RAM of an instance?"""
