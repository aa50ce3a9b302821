"""The page for evidence files: drop them anywhere on the window, verify them offline, and see the endorsements."""
