"""An owner's part in the real window: the agreement read and signed, a nonce given, his share released and saved."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from PySide6.QtWidgets import QLabel, QTabWidget

from confvm_gui.attestation.bundle import Bundle, pack
from confvm_gui.domain.attestation import Evidence, EvidenceFormat
from confvm_gui.domain.roles import Role
from confvm_gui.domain.sealed_set import OwnerKeys, SealedSet, seal_set
from confvm_gui.domain.shared_data import Agreement, ReleaseRequest, meeting_nonce, propose
from confvm_gui.fleet.roles.assignments import Assignments
from confvm_gui.sev.sealed_box import unseal
from confvm_gui.ui.release.agreement_view import AgreementView
from tests.support.embedded_rig import shared_root, write_records
from tests.support.keys_window import KeysWindow, keys_window
from tests.support.runners import Run
from tests.support.shell_driver import until
from tests.support.snp_evidence import endorsed, met_conditions, snp_evidence

BEN = OwnerKeys(OwnerKeys.generate())
BENS_NONCE = b"\x42" * 32


async def view_of(at: KeysWindow) -> AgreementView:
    await at.look()
    at.find(QTabWidget, "keys-tabs").setCurrentIndex(2)
    return at.find(AgreementView, "share-view")


async def proposed(at: KeysWindow, folder: Path) -> tuple[Path, Path, Path]:
    """The agreement, signed by Ben alone, and both data sets."""
    assert at.session.sharing is not None
    await at.keys.create("local:owner")
    owners = [await at.session.sharing.card("Ada", "local:owner"), BEN.card("Ben")]
    ours = await at.session.sharing.seal(write_records(folder), owners)
    theirs = seal_set(b"Ben's", BEN, "Ben", owners, rows=1, columns=("id",))
    agreement = propose("study", [SealedSet.decode(ours), SealedSet.decode(theirs)], met_conditions()).approved_by(BEN)
    files = folder / "agreement.json", folder / "ada.set", folder / "ben.set"
    for path, data in zip(files, (agreement.encode(), ours, theirs), strict=True):
        path.write_bytes(data)
    return files


def request_of(agreement: Agreement, nonce: bytes, guest: X25519PrivateKey) -> ReleaseRequest:
    nonces = (nonce, BENS_NONCE)
    report_data = guest.public_key().public_bytes_raw() + meeting_nonce(agreement.digest, nonces)
    made = snp_evidence(shared_root(), report_data=report_data)
    bundle = Bundle(Evidence(made.report, EvidenceFormat.SNP_REPORT), endorsed(made), datetime.now(UTC))
    return ReleaseRequest(agreement.digest, nonces, pack(bundle))


def text_of(view: AgreementView) -> str:
    shown = " ".join(label.text() for label in view.card.findChildren(QLabel) if label.isVisible())
    return shown.replace("\u200b", "")


def said(view: AgreementView) -> str:
    return " ".join(label.text() for label in view.said.findChildren(QLabel)) if view.said.isVisible() else ""


def test_an_owner_signs_gives_a_nonce_and_releases_his_share(
    qasync_run: Run, data_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async def scenario() -> None:
        folder = tmp_path_factory.mktemp("shared")
        async with keys_window(data_dir) as at:
            view = await view_of(at)
            path, ours, theirs = await proposed(at, folder)
            view.take(path)
            await until(lambda: "study" in text_of(view), "the agreement")
            assert "Ada · has not approved" in text_of(view)
            assert met_conditions().measurements[0].hex() in text_of(view)
            assert not view.nonce.isEnabled()
            assert "Not all owners" in view.nonce.toolTip()

            view.approve_to(folder / "approved.json")
            await until(lambda: "Ada · has approved" in text_of(view), "the signature")
            agreement = Agreement.decode((folder / "approved.json").read_bytes())
            assert not agreement.missing
            assert not view.approve.isEnabled()

            at.click("share-nonce")
            await until(view.given.isVisible, "the nonce")
            guest = X25519PrivateKey.generate()
            request = request_of(agreement, bytes.fromhex(view.given.text()), guest)
            (folder / "request.json").write_bytes(request.encode())
            view.release_to([ours, theirs])
            await until(lambda: "Choose one request" in said(view), "what is missing")
            view.release_to([ours, folder / "request.json", theirs])
            await until(view.save.isVisible, "the release")
            view.save_to(folder / "release")
            await until(lambda: "Written to" in view.given.text(), "the file")
            release = (folder / "release").read_bytes()
            salt = guest.public_key().public_bytes_raw() + release[:32]
            assert unseal(release[32:], guest, salt=salt, info=b"confvm-share-1").startswith(b"CVSHARE1")

            view.release_to([ours, folder / "request.json", theirs])
            await until(lambda: "no nonce of this console" in said(view), "the refusal")

    qasync_run(scenario())


def test_what_is_no_agreement_is_told_and_what_was_shown_stays(
    qasync_run: Run, data_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async def scenario() -> None:
        folder = tmp_path_factory.mktemp("shared")
        async with keys_window(data_dir) as at:
            view = await view_of(at)
            path, *_ = await proposed(at, folder)
            view.take(path)
            await until(lambda: "study" in text_of(view), "the agreement")
            (folder / "bad.json").write_text("{}")
            view.take(folder / "bad.json")
            await until(lambda: "The agreement" in said(view), "what is wrong with it")
            assert "study" in text_of(view)
            user = at.session.access.user
            at.session.access.assignments = Assignments({user: frozenset({Role.VIEWER})}, by_file=True)
            assert not view.approve.isEnabled()
            assert "may not manage keys" in view.approve.toolTip()

    qasync_run(scenario())


def test_files_are_chosen_in_dialogs_of_the_window(qasync_run: Run, data_dir: Path) -> None:
    async def scenario() -> None:
        async with keys_window(data_dir) as at:
            view = await view_of(at)
            for ask in (view.ask_open, view.ask_approve, view.ask_release, view.ask_save):
                dialog = ask()
                assert dialog.isVisible()
                dialog.reject()

    qasync_run(scenario())
