"""Which country a region stands in, for rules on residence.

From the providers' own lists of regions, as `resources/catalog` cites them. A region that is not here (a libvirt host,
a vSphere datacenter: its owner put it somewhere) has no country, and a rule on residence does not hold for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_REGIONS: Final = {
    "gce": """
        ZA africa-south1
        TW asia-east1
        HK asia-east2
        JP asia-northeast1 asia-northeast2
        KR asia-northeast3
        IN asia-south1 asia-south2
        SG asia-southeast1
        ID asia-southeast2
        TH asia-southeast3
        AU australia-southeast1 australia-southeast2
        PL europe-central2
        FI europe-north1
        SE europe-north2
        ES europe-southwest1
        BE europe-west1
        GB europe-west2
        DE europe-west3 europe-west10
        NL europe-west4
        CH europe-west6
        IT europe-west8 europe-west12
        FR europe-west9
        QA me-central1
        SA me-central2
        IL me-west1
        CA northamerica-northeast1 northamerica-northeast2
        MX northamerica-south1
        BR southamerica-east1
        CL southamerica-west1
        US us-central1 us-east1 us-east4 us-east5 us-south1 us-west1 us-west2 us-west3 us-west4
    """,
    "azure": """
        ZA southafricanorth
        AU australiaeast australiasoutheast
        IN centralindia southindia
        HK eastasia
        JP japaneast japanwest
        KR koreacentral
        SG southeastasia
        CA canadacentral canadaeast
        FR francecentral
        DE germanywestcentral
        IT italynorth
        IE northeurope
        NO norwayeast
        PL polandcentral
        SE swedencentral
        CH switzerlandnorth
        GB uksouth ukwest
        NL westeurope
        IL israelcentral
        QA qatarcentral
        AE uaenorth
        BR brazilsouth
        US centralus eastus eastus2 northcentralus southcentralus westcentralus westus westus2 westus3
    """,
    "aws": """
        ZA af-south-1
        HK ap-east-1
        JP ap-northeast-1 ap-northeast-3
        KR ap-northeast-2
        IN ap-south-1 ap-south-2
        SG ap-southeast-1
        AU ap-southeast-2 ap-southeast-4
        ID ap-southeast-3
        MY ap-southeast-5
        CA ca-central-1 ca-west-1
        DE eu-central-1
        CH eu-central-2
        SE eu-north-1
        IT eu-south-1
        ES eu-south-2
        IE eu-west-1
        GB eu-west-2
        FR eu-west-3
        IL il-central-1
        AE me-central-1
        BH me-south-1
        BR sa-east-1
        US us-east-1 us-east-2 us-west-1 us-west-2
    """,
    "oci": """
        ZA af-johannesburg-1
        KR ap-chuncheon-1 ap-seoul-1
        IN ap-hyderabad-1 ap-mumbai-1
        AU ap-melbourne-1 ap-sydney-1
        JP ap-osaka-1 ap-tokyo-1
        SG ap-singapore-1
        CA ca-montreal-1 ca-toronto-1
        NL eu-amsterdam-1
        DE eu-frankfurt-1
        ES eu-madrid-1
        FR eu-marseille-1 eu-paris-1
        IT eu-milan-1
        SE eu-stockholm-1
        CH eu-zurich-1
        IL il-jerusalem-1
        AE me-abudhabi-1 me-dubai-1
        SA me-jeddah-1
        MX mx-queretaro-1
        CL sa-santiago-1
        BR sa-saopaulo-1 sa-vinhedo-1
        GB uk-cardiff-1 uk-london-1
        US us-ashburn-1 us-chicago-1 us-phoenix-1 us-sanjose-1
    """,
}


def _read() -> Mapping[tuple[str, str], str]:
    lines = ((cloud, line.split()) for cloud, text in _REGIONS.items() for line in text.strip().splitlines())
    return MappingProxyType({(cloud, region): country for cloud, (country, *regions) in lines for region in regions})


COUNTRY: Final = _read()
"""(cloud, region) → ISO 3166-1 alpha-2."""


def country_of(cloud: str, region: str) -> str:
    """The country's two letters, or "" where nobody can tell."""
    return COUNTRY.get((cloud, region), "")
