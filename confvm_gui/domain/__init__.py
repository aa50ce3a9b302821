"""The nouns of the console (frozen dataclasses), its errors, and the seams (`ports`)."""
