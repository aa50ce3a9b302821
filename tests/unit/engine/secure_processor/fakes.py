"""A memory controller with no cipher to speak of: enough to see what the firmware asks of one."""

from __future__ import annotations

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.engine.secure_processor.emulated_root import EmulatedRoot
from confvm_gui.engine.secure_processor.model import ProcessorModel
from confvm_gui.engine.secure_processor.processor import SecureProcessor
from confvm_gui.engine.secure_processor.volume_key import VolumeKey
from confvm_gui.sev.measurement import FirmwareVersion

SMALL = ProcessorModel(
    name="Small",
    asid_count=4,
    min_sev_asid=3,
    c_bit=51,
    physical_address_reduction=5,
    version=FirmwareVersion(1, 55, 22),
)
"""Four ASIDs: 1 and 2 for SEV-ES, 3 and 4 for SEV."""


class FakeMemory:
    """64 KiB of DRAM, "encrypted" by XOR with the first byte of the key."""

    def __init__(self) -> None:
        self.dram = bytearray(64 * 1024)
        self.keys: dict[int, bytes] = {}

    def install_key(self, asid: int, key: VolumeKey) -> None:
        assert asid not in self.keys
        self.keys[asid] = key.cipher_key()

    def remove_key(self, asid: int) -> None:
        del self.keys[asid]

    def encrypt_in_place(self, asid: int, spa: int, length: int) -> bytes:
        plaintext = self._slice(spa, length)
        self.write_private(asid, spa, plaintext)
        return plaintext

    def write_private(self, asid: int, spa: int, data: bytes) -> None:
        self._slice(spa, len(data))
        self.dram[spa : spa + len(data)] = self._xor(asid, data)

    def read_private(self, asid: int, spa: int, length: int) -> bytes:
        return self._xor(asid, self._slice(spa, length))

    def _slice(self, spa: int, length: int) -> bytes:
        if spa + length > len(self.dram):
            raise InvalidInput("spa", "there is no memory at this address")
        return bytes(self.dram[spa : spa + length])

    def _xor(self, asid: int, data: bytes) -> bytes:
        pad = self.keys[asid][0] | 1
        return bytes(byte ^ pad for byte in data)


def brought_up(memory: FakeMemory, *, es: bool = False, root: EmulatedRoot | None = None) -> SecureProcessor:
    """A processor that is ready for its first guest."""
    processor = SecureProcessor(memory, model=SMALL, root=root)
    processor.platform_init(es=es)
    processor.wbinvd()
    processor.df_flush()
    return processor
