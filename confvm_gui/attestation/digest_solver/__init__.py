"""Digest solver: a launch digest is not the expected one, so which launch does have it?

`solve` tries what hosts are known to do differently (kernel, VMM, vCPUs, firmware, kernel hashes), the launches nearest
to the expected one first, and names the one that matches. Pure: bytes in, findings out; nothing is read.
"""

from confvm_gui.attestation.digest_solver.search import MOST_DIGESTS, Match, Progress, Solution, search, solve
from confvm_gui.attestation.digest_solver.search_space import FirmwareBuild, SearchSpace, around
from confvm_gui.attestation.digest_solver.target import LaunchDigest, MeasuredLaunch, MeasureTerms, Target

__all__ = [
    "MOST_DIGESTS",
    "FirmwareBuild",
    "LaunchDigest",
    "Match",
    "MeasureTerms",
    "MeasuredLaunch",
    "Progress",
    "SearchSpace",
    "Solution",
    "Target",
    "around",
    "search",
    "solve",
]
