"""From what somebody wants to a request that fits: defaults, forced settings, problems, files.

    forced        what ticking or unticking the checkbox changes, each change with its reason
    plan          a request looked at whole: derived settings filled in, every problem, notes for people
    request_file  a request as a JSON or TOML file, read back with strict checks

Nothing here makes an instance: that is `fleet.jobs`.
"""

from __future__ import annotations

from confvm_gui.fleet.launch.forced import ForcedSetting, make_confidential, make_plain, settle
from confvm_gui.fleet.launch.plan import LaunchPlan, default_request, free_name, plan_launch
from confvm_gui.fleet.launch.request_file import (
    dump_request,
    load_request,
    parse_request,
    request_from_mapping,
    request_to_mapping,
    save_request,
)

__all__ = [
    "ForcedSetting",
    "LaunchPlan",
    "default_request",
    "dump_request",
    "free_name",
    "load_request",
    "make_confidential",
    "make_plain",
    "parse_request",
    "plan_launch",
    "request_from_mapping",
    "request_to_mapping",
    "save_request",
    "settle",
]
