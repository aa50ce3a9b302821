"""The roots that the console trusts, pinned by the SHA-256 of their public keys; certificates come with endorsements.

AMD: keys of the ARK of each product, from the chains that the KDS gives (57230), and of the ARKs in AMD's binary
format for SEV and SEV-ES (55766). The ARK of a product is one key in both forms, from Milan on. Intel: the SGX Root CA,
which signs for TDX as well. Google: the roots of the vTPM's EK and AK certificates; the two signers of the older
hierarchy are pinned themselves, as whole certificates, because it is they that Google publishes for verifying. AWS: the
fingerprint that the Nitro Enclaves guide prints is that of the whole certificate.
"""

from __future__ import annotations

from typing import Final

from confvm_gui.domain.attestation import TrustedRoot

AMD_ROOTS: Final = (
    TrustedRoot("AMD ARK-Naples", "3a04f8f1347de206c9206a81148ba4ef0a233b245d43a15dd82de043bb3e4f69"),
    TrustedRoot("AMD ARK-Rome", "7447ffa21e2b938bfade89f5e9066c00a328813bfc43685605cceabd18da6fde"),
    TrustedRoot("AMD ARK-Milan", "9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9"),
    TrustedRoot("AMD ARK-Genoa", "429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831"),
    TrustedRoot("AMD ARK-Turin", "4f125410563a2ab9a50356f9243f6fe0b6f73de98603f53f90339c70e9d7ad08"),
)
"""One for each product."""

INTEL_ROOTS: Final = (
    TrustedRoot("Intel SGX Root CA", "a0af031289f5d5d4132f9186068a7fc13628633ba235777472e29b6b6c67a49e"),
)

GOOGLE_ROOTS: Final = (
    TrustedRoot("Google Cloud EK/AK CA Root", "56a613f57126a385dd6949294e93b0b566f96ab0573be0c2368e6f5ca779831f"),
    TrustedRoot("Google Cloud vTPM host root 2018", "f23057f4f97d1d90e4cae0ce91d5a0fc99069f0a1bc147021dca33b1e9c4d0d9"),
    TrustedRoot(
        "Google Cloud vTPM host signer 2020",
        certificate_sha256="5d8dbcf8c8053dd8ffad711b6219355032b7122c34cac0f90ccb49def69ec504",
        self_signed=False,
    ),
    TrustedRoot(
        "Google Cloud vTPM host signer 2021",
        certificate_sha256="7132b6ea71101f6c51bb58f98c3798c19b65be510eca0344318900510b593178",
        self_signed=False,
    ),
)

AWS_ROOTS: Final = (
    TrustedRoot(
        "AWS Nitro Enclaves Root-G1",
        certificate_sha256="641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b",
    ),
)
