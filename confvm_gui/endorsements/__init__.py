"""Where endorsements come from: AMD KDS, Intel PCS and revocation lists by HTTPS, behind a cache that can be seen."""
