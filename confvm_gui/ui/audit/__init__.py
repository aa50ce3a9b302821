"""The page `Events`: the audit log filtered, looked at, verified, exported and forwarded."""
