"""Why the kernel or the SEV firmware refused a command: an explanation for each `ret` and `fw_error`, with remedies.

`find_refusals` reads the numbers out of a pasted log line, `explain` says what they mean for a command.
"""

from confvm_gui.attestation.refusal.explanation import Explanation, Refusal, explain
from confvm_gui.attestation.refusal.log_line import find_refusals

__all__ = ["Explanation", "Refusal", "explain", "find_refusals"]
