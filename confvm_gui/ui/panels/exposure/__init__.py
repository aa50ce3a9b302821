"""The Exposure tab: is what must stay secret readable by the host?"""
