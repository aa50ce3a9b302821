"""The catalogue: regions, machine types, images and technologies of each cloud, and what fits what.

Loaded from `resources/catalog/*.toml`, strictly checked; every entry names the public document it was taken from.
"""

from confvm_gui.catalog.fit import (
    default_zone,
    forced_nic_type,
    forced_platform,
    host_maintenance,
    image_unfit,
    machine_type_region_unfit,
    machine_type_unfit,
    own_cloud,
    region_unfit,
    request_problems,
    zone_unfit,
)
from confvm_gui.catalog.loader import CLOUDS, Catalog, load_catalog, open_catalog

__all__ = [
    "CLOUDS",
    "Catalog",
    "default_zone",
    "forced_nic_type",
    "forced_platform",
    "host_maintenance",
    "image_unfit",
    "load_catalog",
    "machine_type_region_unfit",
    "machine_type_unfit",
    "open_catalog",
    "own_cloud",
    "region_unfit",
    "request_problems",
    "zone_unfit",
]
