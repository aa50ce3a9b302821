"""Endorsements by HTTPS from a site that stands for AMD and Intel: what is taken, refused, remembered, waited for."""

from __future__ import annotations

import asyncio
import stat
import threading
from pathlib import Path

import pytest

from confvm_gui.domain.attestation import EndorsementKind, Endorsements
from confvm_gui.domain.errors import InvalidInput, Transient
from confvm_gui.domain.ports.endorsement_source import EndorsementCache, EntryState
from confvm_gui.endorsements.publishers import check_address
from confvm_gui.endorsements.store import EndorsementStore
from confvm_gui.endorsements.waiting import DAY, HOUR
from tests.support.patience import until
from tests.unit.endorsements.publisher_site import (
    NOW,
    Answer,
    Clock,
    Site,
    a_list,
    need,
    store_for,
    write_authority,
)

KDS = "https://kdsintf.amd.com/vcek/v1/Milan/"
CRL = f"{KDS}crl"
OTHER_CRL = "https://kdsintf.amd.com/vlek/v1/Milan/crl"
INTEL_CRL = "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"


async def states(store: EndorsementStore) -> dict[str, EntryState]:
    return {entry.url: entry.state for entry in store.entries()}


async def test_what_was_fetched_is_not_asked_for_again_until_it_expires(site: Site, data_dir: Path) -> None:
    clock, crl = Clock(), a_list()
    folder = data_dir / "endorsements"
    store: EndorsementCache = store_for(site, folder, clock)
    site.serve(CRL, Answer(crl))
    assert await store.fetch([need(CRL)]) == Endorsements(crls=(crl,))
    assert await store.fetch([need(CRL)]) == Endorsements(crls=(crl,))
    assert site.asked == ["/vcek/v1/Milan/crl"]
    (entry,) = store.entries()
    assert (entry.url, entry.kind, entry.state) == (CRL, EndorsementKind.CRL, EntryState.FRESH)
    assert (entry.stored_at, entry.expires_at, entry.size) == (NOW, NOW + 30 * DAY, len(crl))
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    clock.now += 31 * DAY
    assert store.entries()[0].state is EntryState.STALE
    restarted = store_for(site, folder, clock)
    await restarted.fetch([need(CRL)])
    assert len(site.asked) == 2


async def test_offline_takes_what_is_there_and_asks_nobody(site: Site, data_dir: Path) -> None:
    clock, crl = Clock(), a_list()
    site.serve(CRL, Answer(crl))
    await store_for(site, data_dir, clock).fetch([need(CRL)])
    clock.now += 60 * DAY
    offline = store_for(site, data_dir, clock, online=False)
    assert await offline.fetch([need(CRL), need(OTHER_CRL)]) == Endorsements(crls=(crl,))
    assert await offline.cached([need(CRL), need(OTHER_CRL)]) == Endorsements(crls=(crl,))
    assert len(site.asked) == 1


async def test_what_is_not_published_is_left_out_and_remembered_for_hours(site: Site, data_dir: Path) -> None:
    clock = Clock()
    store = store_for(site, data_dir, clock)
    assert await store.fetch([need(CRL)]) == Endorsements()
    assert await store.fetch([need(CRL)]) == Endorsements()
    assert len(site.asked) == 1
    assert await states(store) == {CRL: EntryState.NOT_PUBLISHED}
    clock.now += 7 * HOUR
    assert await states(store) == {}
    site.serve(CRL, Answer(a_list()))
    assert (await store.fetch([need(CRL)])).crls


async def test_a_publisher_that_asks_to_wait_is_left_alone_across_restarts(site: Site, data_dir: Path) -> None:
    clock = Clock()
    site.serve(CRL, Answer(status=429, headers={"Retry-After": "100"}))
    with pytest.raises(
        Transient, match=r"AMD's KDS .* asks to wait; it is asked again from 2025-06-15 15:0\d:\d\d UTC"
    ):
        await store_for(site, data_dir, clock).fetch([need(CRL)])
    restarted = store_for(site, data_dir, clock)
    site.serve(OTHER_CRL, Answer(a_list()))
    for _ in range(2):
        with pytest.raises(Transient, match="asks to wait"):
            await restarted.fetch([need(OTHER_CRL)])
    assert len(site.asked) == 1
    (entry,) = restarted.entries()
    assert entry.state is EntryState.WAITING
    assert entry.expires_at is not None
    assert 100 <= entry.expires_at - NOW <= 126
    clock.now += 130
    assert (await restarted.fetch([need(OTHER_CRL)])).crls
    assert EntryState.WAITING not in (await states(restarted)).values()


async def test_failures_are_waited_for_longer_each_time(site: Site, data_dir: Path) -> None:
    clock = Clock()
    waits = []
    site.serve(CRL, Answer(status=503))
    for _ in range(4):
        store = store_for(site, data_dir, clock)
        with pytest.raises(Transient, match=r"fails .HTTP 503"):
            await store.fetch([need(CRL)])
        (entry,) = store.entries()
        assert entry.expires_at is not None
        waits.append(entry.expires_at - clock.now)
        clock.now = entry.expires_at + 1
    for number, wait in enumerate(waits):
        assert 30 * 2**number <= wait <= 30 * 2**number * 1.25
    assert len(site.asked) == 4


async def test_what_is_there_stays_while_its_publisher_fails(site: Site, data_dir: Path) -> None:
    clock, crl = Clock(), a_list()
    store = store_for(site, data_dir, clock)
    site.serve(CRL, Answer(crl))
    await store.fetch([need(CRL)])
    clock.now += 40 * DAY
    site.serve(CRL, Answer(status=500))
    with pytest.raises(Transient):
        await store.fetch([need(CRL)])
    assert (await store.cached([need(CRL)])).crls == (crl,)
    (entry,) = store.entries()
    assert (entry.state, entry.size) == (EntryState.WAITING, len(crl))


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (Answer(b"<html>Sign in to the network</html>"), "revocation list that was given cannot be used"),
        (Answer(b""), "cannot be used"),
        (Answer(b"\x30" * (70 << 10)), "more than 65536 bytes"),
        (Answer(b"\x30", headers={"Content-Encoding": "gzip"}), "compressed"),
        (Answer(status=302, headers={"Location": "https://example.org/crl"}), "another place"),
        (Answer(status=301, headers={"Location": "http://localhost/crl"}), "another place"),
        (Answer(status=302, headers={"Location": "https://[x"}), "no address"),
        (Answer(status=302, headers={"Location": "//"}), "without end"),
        (Answer(status=308), "without end"),
        (Answer(status=302, headers={"Location": "/vcek/v1/Milan/crl"}), "without end"),
    ],
)
async def test_what_is_malformed_or_leads_away_is_refused(
    site: Site, data_dir: Path, answer: Answer, problem: str
) -> None:
    store = store_for(site, data_dir)
    site.serve(CRL, answer)
    with pytest.raises(InvalidInput, match=problem) as error:
        await store.fetch([need(CRL)])
    assert error.value.field == "endorsements"
    assert not store.entries()


async def test_a_redirect_on_the_same_host_is_followed(site: Site, data_dir: Path) -> None:
    site.serve(CRL, Answer(status=307, headers={"Location": "/elsewhere"}))
    site.answers["/elsewhere"] = Answer(a_list())
    assert (await store_for(site, data_dir).fetch([need(CRL)])).crls


async def test_an_answer_that_is_cut_short_is_not_kept(site: Site, data_dir: Path) -> None:
    crl = a_list()
    store = store_for(site, data_dir)
    site.serve(CRL, Answer(crl[:100], declared=len(crl)))
    with pytest.raises(Transient):
        await store.fetch([need(CRL)])
    assert not store.entries()


async def test_a_certificate_of_another_authority_is_refused(site: Site, tmp_path: Path, data_dir: Path) -> None:
    other = write_authority(tmp_path, "another-authority")
    store = EndorsementStore(data_dir, bases={"https://kdsintf.amd.com": site.base}, ca_file=other)
    with pytest.raises(Transient, match="is not secure"):
        await store.fetch([need(CRL)])
    named_otherwise = site.base.replace("localhost", "127.0.0.1")
    store = EndorsementStore(data_dir, bases={"https://kdsintf.amd.com": named_otherwise}, ca_file=site.ca_file)
    with pytest.raises(Transient, match="is not secure"):
        await store.fetch([need(CRL)])
    assert site.asked == []


async def test_nobody_but_publishers_is_asked(site: Site, data_dir: Path) -> None:
    store = store_for(site, data_dir)
    addresses = ["https://example.org/list.crl", "http://kdsintf.amd.com/x", "ftp://pki.goog/x", "file:///etc/passwd"]
    assert await store.fetch([need(url) for url in addresses]) == Endorsements()
    assert site.asked == []
    assert len(store.notes) == 4


@pytest.mark.parametrize(
    "url",
    [
        "https://kdsintf.amd.com:8443/x",
        "https://kdsintf.amd.com@example.org/x",
        "https://user:password@kdsintf.amd.com/x",
        "https://kdsintf.amd.com.example.org/x",
        "https://kdsintf.amd.com/a b",
        "https://kdsintf.amd.com/\r\nHost: x",
        "https://[kdsintf.amd.com/",
        "https://kdsintf.amd.com:x/",
        "https://storage.googleapis.com/privateca-content-1",
        "https://kdsintf.amd.com/" + "x" * 3000,
        "",
    ],
)
def test_an_address_is_a_publishers_or_refused(url: str) -> None:
    with pytest.raises(InvalidInput):
        check_address(url)


def test_googles_lists_are_asked_for_by_https() -> None:
    host = "privateca-content-62d71773-0000-21da-852e-f4f5e80d7778.storage.googleapis.com"
    assert (
        check_address(f"http://{host}/032bf9d39db4fa06aade/crl.crl").url
        == f"https://{host}/032bf9d39db4fa06aade/crl.crl"
    )


async def test_a_publisher_that_hangs_delays_no_other(site: Site, data_dir: Path) -> None:
    hangs = threading.Event()
    site.serve(CRL, Answer(a_list(), wait=hangs))
    site.serve(INTEL_CRL, Answer(a_list("Intel SGX Root CA")))
    store = store_for(site, data_dir)
    both = asyncio.create_task(store.fetch([need(CRL), need(OTHER_CRL), need(INTEL_CRL)]))
    try:
        assert (await store.fetch([need(INTEL_CRL)])).crls
        with pytest.raises(Transient, match=r"AMD's KDS .* does not answer in time"):
            await both
    finally:
        hangs.set()
    assert (await store.cached([need(INTEL_CRL)])).crls
    assert len(site.asked) == 2  # the second list of a host that does not answer is not tried


async def test_what_two_ask_for_at_once_is_fetched_once(site: Site, data_dir: Path) -> None:
    site.serve(CRL, Answer(a_list()))
    store = store_for(site, data_dir)
    first, second = await asyncio.gather(store.fetch([need(CRL)]), store.fetch([need(CRL)]))
    assert first == second != Endorsements()
    assert len(site.asked) == 1


async def test_a_fetch_that_is_cancelled_leaves_nothing_behind(site: Site, data_dir: Path) -> None:
    hangs = threading.Event()
    site.serve(CRL, Answer(a_list(), wait=hangs))
    store = store_for(site, data_dir)
    task = asyncio.create_task(store.fetch([need(CRL)]))
    await until(lambda: bool(site.asked))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    hangs.set()


async def test_an_unreachable_publisher_is_told_by_name(site: Site, data_dir: Path) -> None:
    store = EndorsementStore(data_dir, bases={"https://kdsintf.amd.com": "https://localhost:1"}, ca_file=site.ca_file)
    with pytest.raises(Transient, match=r"AMD's KDS .* cannot be reached"):
        await store.fetch([need(CRL)])


@pytest.mark.parametrize("proxy", ["http://localhost:1", "ftp://localhost:1", "http://[", "localhost:port"])
async def test_the_systems_proxy_is_asked_and_may_be_wrong(
    site: Site, data_dir: Path, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", proxy)
    with pytest.raises(Transient, match="cannot be reached"):
        await store_for(site, data_dir).fetch([need(CRL)])
    assert site.asked == []
