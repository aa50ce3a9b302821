"""What one person asks for and a second one has to approve.

service    asking, deciding, carrying out
decisions  decisions of people in other consoles, as files
"""
