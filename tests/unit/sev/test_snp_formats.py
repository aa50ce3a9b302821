"""SEV-SNP's policy, TCB versions, reports and ID blocks: what they mean, and what is refused."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.sev.cpu_identity import CpuIdentity, cpu_of_type
from confvm_gui.sev.ecc_format import encode_public_key
from confvm_gui.sev.id_block import IdAuth, IdBlock, check_id_block
from confvm_gui.sev.measurement import FirmwareVersion
from confvm_gui.sev.snp_policy import SnpPolicy
from confvm_gui.sev.snp_product import ProductLine, TcbLayout
from confvm_gui.sev.snp_report import SnpReport
from confvm_gui.sev.snp_report_flags import KeyInfo, PlatformInfo, SigningKey
from confvm_gui.sev.status import Status
from confvm_gui.sev.tcb_version import TcbVersion

DIGEST = b"d" * 48
KEY = ec.generate_private_key(ec.SECP384R1())
MILAN_CHIP = bytes(range(64))
TURIN_CHIP = bytes(range(1, 9)) + bytes(56)


class TestPolicy:
    def test_words(self) -> None:
        policy = SnpPolicy.from_int(0xB0000 | 1 << 8 | 55)
        assert (policy.smt, policy.debug, policy.migrate_ma) == (True, True, False)
        assert policy.names() == ("SMT", "DEBUG")
        assert str(policy) == "0xb0137 (SMT|DEBUG, ABI >= 1.55)"
        assert policy.allows_abi(1, 55)
        assert not policy.allows_abi(1, 54)
        assert len(policy.describe()) == 3
        assert SnpPolicy.parse("smt | debug") == SnpPolicy(0xB0000)
        assert SnpPolicy.parse("0x30000") == SnpPolicy.with_flags("SMT")
        every = SnpPolicy.parse(
            "SMT|MIGRATE_MA|DEBUG|SINGLE_SOCKET|CXL_ALLOW|MEM_AES_256_XTS|RAPL_DIS|CIPHERTEXT_HIDING,PAGE_SWAP_DISABLE"
        )
        assert every.value == 0x3FF0000
        assert all((every.single_socket, every.cxl_allow, every.mem_aes_256_xts, every.rapl_dis))
        assert every.ciphertext_hiding
        assert every.page_swap_disable
        assert SnpPolicy.with_flags(abi_major=1, abi_minor=51).value == 0x20133
        assert SnpPolicy().to_bytes() == b"\x00\x00\x03\x00\x00\x00\x00\x00"

    @pytest.mark.parametrize("text", ["0x10000", "0x4030000", "-1", "0x1" + "0" * 16, "SMT|ES", "", "0x", "NODBG"])
    def test_refused(self, text: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            SnpPolicy.parse(text)
        assert caught.value.field == "policy"

    def test_what_a_report_holds_is_kept(self) -> None:
        assert SnpPolicy(0).violations() == ("bit 17 must be one",)
        assert len(SnpPolicy(1 << 63).violations()) == 2
        assert SnpPolicy(0x30000).violations() == ()


class TestTcb:
    def test_both_layouts(self) -> None:
        value = 0x7308000000000003
        milan = TcbVersion.decode(value, TcbLayout.MILAN)
        assert milan == TcbVersion(boot_loader=3, tee=0, snp=8, microcode=115)
        assert milan.to_int() == value
        turin = TcbVersion.decode(0x4800000004030201, TcbLayout.TURIN)
        assert turin == TcbVersion(boot_loader=2, tee=3, snp=4, microcode=0x48, fmc=1)
        assert turin.to_int() == 0x4800000004030201
        assert turin.layout is TcbLayout.TURIN
        assert str(turin) == "fmc=1 boot_loader=2 tee=3 snp=4 microcode=72"

    def test_reserved_bytes_are_kept(self) -> None:
        odd = TcbVersion.decode(0x7308112233440003, TcbLayout.MILAN)
        assert odd.reserved == 0x112233440000
        assert odd.to_int() == 0x7308112233440003

    def test_component_wise(self) -> None:
        older = TcbVersion(3, 0, 8, 115)
        newer = TcbVersion(4, 0, 7, 200)
        assert older.below(newer) == ("boot_loader", "microcode")
        assert newer.below(older) == ("snp",)
        assert older.below(older) == ()
        assert older.below(TcbVersion(0, 0, 0, 0, fmc=0)) == ("fmc",)
        assert older.differs_in(newer) == ("boot_loader", "snp", "microcode")

    def test_refused(self) -> None:
        with pytest.raises(InvalidInput, match="microcode"):
            TcbVersion(0, 0, 0, 256)
        with pytest.raises(InvalidInput, match="64 bits"):
            TcbVersion.decode(1 << 64, TcbLayout.MILAN)


@pytest.mark.parametrize(
    ("cpu", "product"),
    [
        ((0x19, 0x01, 1), ProductLine.MILAN),
        ((0x19, 0x11, 0), ProductLine.GENOA),
        ((0x19, 0xA0, 2), ProductLine.GENOA),
        ((0x1A, 0x02, 0), ProductLine.TURIN),
        ((0x1A, 0x11, 0), ProductLine.TURIN),
        ((0x1A, 0x50, 0), ProductLine.VENICE),
        ((0x1A, 0x20, 0), None),
        ((0x17, 0x31, 0), None),
    ],
)
def test_product_of_a_processor(cpu: tuple[int, int, int], product: ProductLine | None) -> None:
    assert ProductLine.of_cpu(CpuIdentity(*cpu)) is product


def test_vcpu_that_is_none() -> None:
    with pytest.raises(InvalidInput, match="EPYC-Milan"):
        cpu_of_type("Opteron")
    for bad in ((271, 0, 0), (25, 256, 0), (25, 1, 16), (-1, 0, 0)):
        with pytest.raises(InvalidInput):
            CpuIdentity.checked(*bad)
    with pytest.raises(InvalidInput):
        CpuIdentity.from_signature(1 << 32)


def report(version: int) -> SnpReport:
    newer = version >= 3
    return SnpReport(
        version=version,
        guest_svn=2,
        policy=SnpPolicy(0x30000),
        family_id=b"f" * 16,
        image_id=b"i" * 16,
        vmpl=1,
        current_tcb=0x7308000000000003,
        platform_info=PlatformInfo(0x25),
        key_info=KeyInfo.of(SigningKey.VLEK, author_key_enabled=True, mask_chip_key=True),
        report_data=b"n" * 64,
        measurement=b"m" * 48,
        host_data=b"h" * 32,
        id_key_digest=b"k" * 48,
        author_key_digest=b"a" * 48,
        report_id=b"r" * 32,
        reported_tcb=0x7208000000000003,
        cpu=CpuIdentity(25, 1, 1) if newer else None,
        chip_id=MILAN_CHIP,
        committed_tcb=0x7108000000000003,
        current_version=FirmwareVersion(1, 55, 22),
        committed_version=FirmwareVersion(1, 55, 21),
        launch_tcb=0x7008000000000003,
        launch_mit_vector=5 if version >= 5 else None,
        current_mit_vector=7 if version >= 5 else None,
    )


class TestReport:
    @pytest.mark.parametrize("version", [2, 3, 4, 5])
    def test_round_trip_and_places(self, version: int) -> None:
        signed = report(version).signed(KEY)
        raw = signed.to_bytes()
        assert len(raw) == 0x4A0
        assert SnpReport.parse(raw) == signed
        assert signed.is_signed_by(KEY.public_key())
        assert signed.reserved_findings() == ()
        assert raw[0x90:0xC0] == b"m" * 48
        assert raw[0x1A0:0x1E0] == MILAN_CHIP
        assert raw[0x1E8:0x1F0] == bytes((22, 55, 1, 0, 21, 55, 1, 0))
        assert struct.unpack_from("<Q", raw, 0x180) == (0x7208000000000003,)
        assert raw[0x188:0x18B] == (bytes((25, 1, 1)) if version >= 3 else bytes(3))
        assert struct.unpack_from("<QQ", raw, 0x1F8) == ((5, 7) if version == 5 else (0, 0))
        assert raw[0x2A0 : 0x2A0 + 72] == signed.r.to_bytes(72, "little")
        assert raw[0x2E8 : 0x2E8 + 72] == signed.s.to_bytes(72, "little")

    def test_flags(self) -> None:
        made = report(5)
        assert made.key_info.value == 0b111
        assert made.key_info.signing_key is SigningKey.VLEK
        assert made.key_info.author_key_enabled
        assert made.key_info.mask_chip_key
        assert made.platform_info.names() == ("SMT", "ECC", "ALIAS_CHECK_COMPLETE")
        assert made.platform_info.alias_check_complete
        assert len(made.platform_info.describe()) == 3
        odd = PlatformInfo(0xFF)
        assert all((odd.smt, odd.tsme, odd.ecc, odd.rapl_dis, odd.ciphertext_hiding, odd.tio))
        assert odd.reserved == 0x40
        assert KeyInfo(3 << 2).signing_key is None
        assert KeyInfo(7 << 2).signing_key is SigningKey.NONE

    @pytest.mark.parametrize(
        ("version", "offset", "name"),
        [
            (2, 0x4C, "reserved"),
            (2, 0x188, "reserved"),
            (3, 0x18B, "reserved"),
            (3, 0x1EB, "reserved"),
            (3, 0x1EF, "reserved"),
            (4, 0x1F8, "reserved"),
            (4, 0x29F, "reserved"),
            (5, 0x208, "reserved"),
            (5, 0x0F, "POLICY"),
            (5, 0x41, "PLATFORM_INFO"),
            (5, 0x4B, "KEY_INFO"),
            (5, 0x3A, "CURRENT_TCB"),
            (5, 0x183, "REPORTED_TCB"),
            (5, 0x1E4, "COMMITTED_TCB"),
            (5, 0x1F5, "LAUNCH_TCB"),
            (5, 0x2A0 + 60, "SIGNATURE R"),
            (5, 0x2A0 + 72 + 60, "SIGNATURE S"),
            (5, 0x49F, "reserved"),
        ],
    )
    def test_every_reserved_byte_is_told_and_kept(self, version: int, offset: int, name: str) -> None:
        raw = bytearray(report(version).signed(KEY).to_bytes())
        raw[offset] |= 0x80
        parsed = SnpReport.parse(bytes(raw))
        (finding,) = parsed.reserved_findings()
        assert finding.name == name
        assert finding.offset <= offset < finding.offset + len(finding.data)
        assert finding.data[offset - finding.offset] == 0x80
        assert "must be zero" in str(finding)
        assert parsed.to_bytes() == raw

    def test_policy_without_its_one(self) -> None:
        (finding,) = replace(report(5), policy=SnpPolicy(0x10000)).reserved_findings()
        assert "must be one" in str(finding)

    def test_layout_of_the_tcb(self) -> None:
        turin = replace(report(5), cpu=CpuIdentity(26, 2, 1), chip_id=TURIN_CHIP, current_tcb=0x4800000004030201)
        assert turin.product is ProductLine.TURIN
        assert turin.tcb(turin.current_tcb).fmc == 1
        assert report(3).tcb_layout is TcbLayout.MILAN
        assert replace(report(2), chip_id=TURIN_CHIP).tcb_layout is TcbLayout.TURIN
        masked = replace(report(2), chip_id=bytes(64))
        assert masked.chip_id_is_masked
        unknown = replace(report(3), cpu=CpuIdentity(26, 0xF0, 0))
        for silent in (masked, unknown):
            assert silent.tcb_layout is None
            with pytest.raises(InvalidInput, match="product line"):
                silent.tcb(silent.current_tcb)
            assert silent.tcb(silent.current_tcb, TcbLayout.MILAN).microcode == 115
            assert silent.reserved_findings() == ()

    def test_other_keys_do_not_verify(self) -> None:
        signed = report(5).signed(KEY)
        assert not signed.is_signed_by(ec.generate_private_key(ec.SECP384R1()).public_key())
        assert not signed.is_signed_by(ec.generate_private_key(ec.SECP256R1()).public_key())
        assert not signed.is_signed_by(rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key())
        assert not replace(signed, signature_algorithm=2).is_signed_by(KEY.public_key())
        assert not report(5).is_signed_by(KEY.public_key())
        with pytest.raises(InvalidInput, match="P-384"):
            report(5).signed(ec.generate_private_key(ec.SECP256R1()))

    def test_reports_that_are_none(self) -> None:
        raw = report(5).to_bytes()
        for bad in (b"", raw[:-1], raw + b"\x00", b"\x06" + raw[1:], b"\x01" + raw[1:]):
            with pytest.raises(InvalidInput) as caught:
                SnpReport.parse(bad)
            assert caught.value.field == "report"
        for wrong in (
            replace(report(5), report_data=b"short"),
            replace(report(5), vmpl=1 << 32),
            replace(report(5), version=6),
            replace(report(2), cpu=CpuIdentity(25, 1, 1)),
            replace(report(3), launch_mit_vector=1),
        ):
            with pytest.raises(InvalidInput):
                wrong.to_bytes()


class TestIdBlock:
    BLOCK = IdBlock(DIGEST, SnpPolicy(0x30000), b"f" * 16, b"i" * 16, guest_svn=3)

    def test_signed_by_both(self) -> None:
        author = ec.generate_private_key(ec.SECP384R1())
        auth = IdAuth.sign(self.BLOCK, KEY, author)
        assert IdAuth.parse(auth.to_bytes()) == auth
        assert auth.signs(self.BLOCK)
        assert auth.certifies_id_key()
        assert auth.id_key == encode_public_key(KEY.public_key())
        assert auth.author_key_digest != auth.id_key_digest
        assert not auth.signs(replace(self.BLOCK, guest_svn=4))
        assert not replace(auth, id_key_signature=auth.id_block_signature).certifies_id_key()

    def test_without_author(self) -> None:
        auth = IdAuth.sign(self.BLOCK, KEY)
        assert auth.signs(self.BLOCK)
        assert not auth.has_author_key
        assert not auth.certifies_id_key()
        assert auth.author_key_digest == bytes(48)
        assert auth.to_bytes()[4:8] == bytes(4)

    def test_order_of_the_checks(self) -> None:
        auth = IdAuth.sign(self.BLOCK, KEY)

        def check(auth: IdAuth = auth, digest: bytes = DIGEST, policy: int = 0x30000, author: bool = False) -> Status:
            return check_id_block(
                self.BLOCK, auth, launch_digest=digest, policy=SnpPolicy(policy), author_key_enabled=author
            )

        forged = replace(auth, id_block_signature=bytes(512))
        assert check() is Status.SUCCESS
        assert check(forged, b"x" * 48, 0xB0000) is Status.BAD_MEASUREMENT
        assert check(forged, policy=0xB0000) is Status.POLICY_FAILURE
        assert check(forged) is Status.BAD_SIGNATURE
        assert check(author=True) is Status.BAD_SIGNATURE
        assert check(IdAuth.sign(self.BLOCK, KEY, KEY), author=True) is Status.SUCCESS
        assert check(replace(auth, id_key=bytes(0x404))) is Status.BAD_SIGNATURE
        assert check(replace(auth, id_key_algorithm=2)) is Status.BAD_SIGNATURE

    def test_refused(self) -> None:
        raw = IdAuth.sign(self.BLOCK, KEY).to_bytes()
        for bad in (raw[:-1], raw[:8] + b"\x01" + raw[9:], raw[:-1] + b"\x01"):
            with pytest.raises(InvalidInput) as caught:
                IdAuth.parse(bad)
            assert caught.value.field == "id-auth"
        for block in (bytes(0x60), self.BLOCK.to_bytes()[:-1]):
            with pytest.raises(InvalidInput):
                IdBlock.parse(block)
        for wrong in (replace(self.BLOCK, launch_digest=b"d"), replace(self.BLOCK, guest_svn=1 << 32)):
            with pytest.raises(InvalidInput):
                wrong.to_bytes()
        with pytest.raises(InvalidInput, match="P-384"):
            IdAuth.sign(self.BLOCK, ec.generate_private_key(ec.SECP256R1()))
