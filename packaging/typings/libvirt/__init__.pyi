"""The part of libvirt-python that the console uses; the package itself carries no type information for checkers."""

from collections.abc import Callable
from typing import Any, TypeVar

_T = TypeVar("_T")
_DomainCB = Callable[["virConnect", "virDomain", int, int, _T], int | None]
_RawError = tuple[int, int, str, int, str, str | None, str | None, int, int]

def open(name: str | None = ...) -> virConnect: ...
def openAuth(uri: str, auth: list[Any], flags: int | None = ...) -> virConnect: ...
def openReadOnly(name: str | None = ...) -> virConnect: ...
def registerErrorHandler(f: Callable[[_T, _RawError], None], ctx: _T) -> int: ...
def virEventRegisterImpl(
    addHandle: Callable[[int, int, Callable[[int, int, int, object], None], object], int],
    updateHandle: Callable[[int, int], None],
    removeHandle: Callable[[int], int],
    addTimeout: Callable[[int, Callable[[int, object], None], object], int],
    updateTimeout: Callable[[int, int], None],
    removeTimeout: Callable[[int], int],
) -> None: ...
def virEventInvokeFreeCallback(opaque: object) -> None: ...
def getVersion(name: str | None = ...) -> int: ...

class libvirtError(Exception):
    def __init__(self, defmsg: str) -> None: ...
    def get_error_code(self) -> int | None: ...
    def get_error_domain(self) -> int | None: ...
    def get_error_message(self) -> str | None: ...
    def get_str1(self) -> str | None: ...
    def get_error_level(self) -> int | None: ...

class virConnect:
    def close(self) -> int: ...
    def isAlive(self) -> int: ...
    def setKeepAlive(self, interval: int, count: int) -> int: ...
    def registerCloseCallback(self, cb: Callable[[virConnect, int, _T], None], opaque: _T) -> int: ...
    def unregisterCloseCallback(self) -> None: ...
    def domainEventRegisterAny(
        self, dom: virDomain | None, eventID: int, cb: Callable[..., None], opaque: _T
    ) -> int: ...
    def domainEventDeregisterAny(self, callbackID: int) -> None: ...
    def getAllDomainStats(
        self, stats: int | None = ..., flags: int | None = ...
    ) -> list[tuple[virDomain, dict[str, Any]]]: ...
    def listAllDomains(self, flags: int | None = ...) -> list[virDomain]: ...
    def lookupByUUIDString(self, uuidstr: str) -> virDomain: ...
    def lookupByUUID(self, uuid: bytes) -> virDomain: ...
    def lookupByName(self, name: str) -> virDomain: ...
    def defineXML(self, xml: str) -> virDomain: ...
    def defineXMLFlags(self, xml: str, flags: int | None = ...) -> virDomain: ...
    def createXML(self, xmlDesc: str, flags: int | None = ...) -> virDomain: ...
    def newStream(self, flags: int | None = ...) -> virStream: ...
    def getCapabilities(self) -> str: ...
    def getDomainCapabilities(
        self,
        emulatorbin: str | None = ...,
        arch: str | None = ...,
        machine: str | None = ...,
        virttype: str | None = ...,
        flags: int | None = ...,
    ) -> str: ...
    def getHostname(self) -> str: ...
    def getURI(self) -> str: ...
    def getInfo(self) -> list[Any]: ...
    def getSEVInfo(self, flags: int | None = ...) -> dict[str, Any]: ...
    def getLibVersion(self) -> int: ...
    def getVersion(self) -> int: ...
    def getType(self) -> str: ...
    def getSysinfo(self, flags: int | None = ...) -> str: ...
    def storagePoolLookupByName(self, name: str) -> virStoragePool: ...
    def storagePoolDefineXML(self, xml: str, flags: int | None = ...) -> virStoragePool: ...
    def storagePoolCreateXML(self, xmlDesc: str, flags: int | None = ...) -> virStoragePool: ...
    def listAllStoragePools(self, flags: int | None = ...) -> list[virStoragePool]: ...
    def storageVolLookupByPath(self, path: str) -> virStorageVol: ...
    def storageVolLookupByKey(self, key: str) -> virStorageVol: ...
    def listAllNetworks(self, flags: int | None = ...) -> list[virNetwork]: ...
    def networkLookupByName(self, name: str) -> virNetwork: ...
    def networkDefineXML(self, xml: str) -> virNetwork: ...
    def getCPUModelNames(self, arch: str, flags: int | None = ...) -> list[str]: ...
    def secretDefineXML(self, xml: str, flags: int | None = ...) -> virSecret: ...
    def secretLookupByUUIDString(self, uuidstr: str) -> virSecret: ...
    def listAllSecrets(self, flags: int | None = ...) -> list[virSecret]: ...
    def getMemoryStats(self, cellNum: int, flags: int | None = ...) -> dict[str, int]: ...
    def getFreeMemory(self) -> int: ...
    def isEncrypted(self) -> int: ...
    def isSecure(self) -> int: ...
    def getMaxVcpus(self, type: str) -> int: ...
    def domainXMLFromNative(self, nativeFormat: str, nativeConfig: str, flags: int | None = ...) -> str: ...
    def domainXMLToNative(self, nativeFormat: str, domainXml: str, flags: int | None = ...) -> str: ...

class virSecret:
    def UUIDString(self) -> str: ...
    def XMLDesc(self, flags: int | None = ...) -> str: ...
    def setValue(self, value: bytes, flags: int | None = ...) -> int: ...
    def undefine(self) -> int: ...

class virDomain:
    def name(self) -> str: ...
    def UUIDString(self) -> str: ...
    def ID(self) -> int: ...
    def XMLDesc(self, flags: int | None = ...) -> str: ...
    def state(self, flags: int | None = ...) -> list[int]: ...
    def info(self) -> list[int]: ...
    def isActive(self) -> int: ...
    def isPersistent(self) -> int: ...
    def isUpdated(self) -> int: ...
    def create(self) -> int: ...
    def createWithFlags(self, flags: int | None = ...) -> int: ...
    def shutdown(self) -> int: ...
    def shutdownFlags(self, flags: int | None = ...) -> int: ...
    def destroy(self) -> int: ...
    def destroyFlags(self, flags: int | None = ...) -> int: ...
    def reset(self, flags: int | None = ...) -> int: ...
    def reboot(self, flags: int | None = ...) -> int: ...
    def suspend(self) -> int: ...
    def pMWakeup(self, flags: int | None = ...) -> int: ...
    def resume(self) -> int: ...
    def undefine(self) -> int: ...
    def undefineFlags(self, flags: int | None = ...) -> int: ...
    def setMetadata(self, type: int, metadata: str, key: str, uri: str, flags: int | None = ...) -> int: ...
    def metadata(self, type: int, uri: str, flags: int | None = ...) -> str: ...
    def hasManagedSaveImage(self, flags: int | None = ...) -> int: ...
    def managedSave(self, flags: int | None = ...) -> int: ...
    def managedSaveRemove(self, flags: int | None = ...) -> int: ...
    def openConsole(self, dev_name: str | None, st: virStream, flags: int | None = ...) -> int: ...
    def openChannel(self, name: str, st: virStream, flags: int | None = ...) -> int: ...
    def memoryPeek(self, start: int, size: int, flags: int | None = ...) -> bytes: ...
    def memoryStats(self) -> dict[str, int]: ...
    def blockInfo(self, path: str, flags: int | None = ...) -> list[int]: ...
    def blockStats(self, path: str) -> tuple[int, ...]: ...
    def blockResize(self, disk: str, size: int, flags: int | None = ...) -> int: ...
    def setAutostart(self, autostart: int) -> int: ...
    def autostart(self) -> int: ...
    def snapshotCreateXML(self, xmlDesc: str, flags: int | None = ...) -> virDomainSnapshot: ...
    def listAllSnapshots(self, flags: int | None = ...) -> list[virDomainSnapshot]: ...
    def snapshotLookupByName(self, name: str, flags: int | None = ...) -> virDomainSnapshot: ...
    def snapshotCurrent(self, flags: int | None = ...) -> virDomainSnapshot: ...
    def hasCurrentSnapshot(self, flags: int | None = ...) -> int: ...
    def snapshotNum(self, flags: int | None = ...) -> int: ...
    def revertToSnapshot(self, snap: virDomainSnapshot, flags: int | None = ...) -> int: ...
    def migrate3(self, dconn: virConnect, params: dict[str, Any], flags: int | None = ...) -> virDomain: ...
    def migrateToURI3(self, dconnuri: str, params: dict[str, Any], flags: int | None = ...) -> int: ...
    def migrateSetMaxDowntime(self, downtime: int, flags: int | None = ...) -> int: ...
    def jobStats(self, flags: int | None = ...) -> dict[str, Any]: ...
    def jobInfo(self) -> list[int]: ...
    def abortJob(self) -> int: ...
    def launchSecurityInfo(self, flags: int | None = ...) -> dict[str, Any]: ...
    def setLaunchSecurityState(self, params: dict[str, Any], flags: int | None = ...) -> int: ...
    def coreDump(self, to: str, flags: int | None = ...) -> int: ...
    def coreDumpWithFormat(self, to: str, dumpformat: int, flags: int | None = ...) -> int: ...
    def sendKey(
        self, codeset: int, holdtime: int, keycodes: list[int], nkeycodes: int, flags: int | None = ...
    ) -> int: ...
    def sendProcessSignal(self, pid_value: int, signum: int, flags: int | None = ...) -> int: ...
    def interfaceStats(self, path: str) -> tuple[int, ...]: ...
    def interfaceAddresses(self, source: int, flags: int | None = ...) -> dict[str, Any]: ...
    def maxMemory(self) -> int: ...
    def maxVcpus(self) -> int: ...
    def setMemoryFlags(self, memory: int, flags: int | None = ...) -> int: ...
    def setVcpusFlags(self, nvcpus: int, flags: int | None = ...) -> int: ...
    def attachDeviceFlags(self, xml: str, flags: int | None = ...) -> int: ...
    def detachDeviceFlags(self, xml: str, flags: int | None = ...) -> int: ...
    def updateDeviceFlags(self, xml: str, flags: int | None = ...) -> int: ...
    def getCPUStats(self, total: bool, flags: int | None = ...) -> list[dict[str, Any]]: ...
    def screenshot(self, stream: virStream, screen: int, flags: int | None = ...) -> str: ...
    def rename(self, new_name: str, flags: int | None = ...) -> int: ...
    def OSType(self) -> str: ...
    def blockPeek(self, disk: str, offset: int, size: int, flags: int | None = ...) -> bytes: ...
    def injectNMI(self, flags: int | None = ...) -> int: ...

class virDomainSnapshot:
    def getName(self) -> str: ...
    def getXMLDesc(self, flags: int | None = ...) -> str: ...
    def delete(self, flags: int | None = ...) -> int: ...
    def isCurrent(self, flags: int | None = ...) -> int: ...
    def getParent(self, flags: int | None = ...) -> virDomainSnapshot: ...
    def listAllChildren(self, flags: int | None = ...) -> list[virDomainSnapshot]: ...
    def numChildren(self, flags: int | None = ...) -> int: ...
    def hasMetadata(self, flags: int | None = ...) -> int: ...

class virStream:
    def recv(self, nbytes: int) -> bytes | int: ...
    def send(self, data: bytes) -> int: ...
    def sendHole(self, length: int, flags: int | None = ...) -> int: ...
    def finish(self) -> int: ...
    def abort(self) -> int: ...
    def eventAddCallback(self, events: int, cb: Callable[[virStream, int, _T], None], opaque: _T) -> None: ...
    def eventUpdateCallback(self, events: int) -> int: ...
    def eventRemoveCallback(self) -> int: ...
    def sendAll(self, handler: Callable[[virStream, int, _T], bytes], opaque: _T) -> None: ...
    def recvAll(self, handler: Callable[[virStream, bytes, _T], int], opaque: _T) -> None: ...

class virStoragePool:
    def name(self) -> str: ...
    def UUIDString(self) -> str: ...
    def XMLDesc(self, flags: int | None = ...) -> str: ...
    def info(self) -> list[int]: ...
    def isActive(self) -> int: ...
    def isPersistent(self) -> int: ...
    def create(self, flags: int | None = ...) -> int: ...
    def build(self, flags: int | None = ...) -> int: ...
    def undefine(self) -> int: ...
    def destroy(self) -> int: ...
    def delete(self, flags: int | None = ...) -> int: ...
    def refresh(self, flags: int | None = ...) -> int: ...
    def createXML(self, xmlDesc: str, flags: int | None = ...) -> virStorageVol: ...
    def createXMLFrom(self, xmlDesc: str, clonevol: virStorageVol, flags: int | None = ...) -> virStorageVol: ...
    def storageVolLookupByName(self, name: str) -> virStorageVol: ...
    def listAllVolumes(self, flags: int | None = ...) -> list[virStorageVol]: ...
    def listVolumes(self) -> list[str]: ...
    def setAutostart(self, autostart: int) -> int: ...
    def autostart(self) -> int: ...

class virStorageVol:
    def name(self) -> str: ...
    def key(self) -> str: ...
    def path(self) -> str: ...
    def XMLDesc(self, flags: int | None = ...) -> str: ...
    def info(self) -> list[int]: ...
    def infoFlags(self, flags: int | None = ...) -> list[int]: ...
    def delete(self, flags: int | None = ...) -> int: ...
    def storagePoolLookupByVolume(self) -> virStoragePool: ...
    def wipe(self, flags: int | None = ...) -> int: ...
    def resize(self, capacity: int, flags: int | None = ...) -> int: ...
    def upload(self, stream: virStream, offset: int, length: int, flags: int | None = ...) -> int: ...
    def download(self, stream: virStream, offset: int, length: int, flags: int | None = ...) -> int: ...

class virNetwork:
    def name(self) -> str: ...
    def UUIDString(self) -> str: ...
    def XMLDesc(self, flags: int | None = ...) -> str: ...
    def isActive(self) -> int: ...
    def isPersistent(self) -> int: ...
    def create(self) -> int: ...
    def destroy(self) -> int: ...
    def undefine(self) -> int: ...
    def setAutostart(self, autostart: int) -> int: ...
    def bridgeName(self) -> str: ...

class virNodeDevice:
    def name(self) -> str: ...
    def XMLDesc(self, flags: int | None = ...) -> str: ...

VIR_CONNECT_BASELINE_CPU_EXPAND_FEATURES: int
VIR_CONNECT_BASELINE_CPU_MIGRATABLE: int
VIR_CONNECT_CLOSE_REASON_ERROR: int
VIR_CONNECT_CLOSE_REASON_EOF: int
VIR_CONNECT_CLOSE_REASON_KEEPALIVE: int
VIR_CONNECT_CLOSE_REASON_CLIENT: int
VIR_CRED_USERNAME: int
VIR_CRED_AUTHNAME: int
VIR_CRED_LANGUAGE: int
VIR_CRED_CNONCE: int
VIR_CRED_PASSPHRASE: int
VIR_CRED_ECHOPROMPT: int
VIR_CRED_NOECHOPROMPT: int
VIR_CRED_REALM: int
VIR_CRED_EXTERNAL: int
VIR_DOMAIN_BLOCK_JOB_COMPLETED: int
VIR_DOMAIN_BLOCK_JOB_FAILED: int
VIR_DOMAIN_BLOCK_JOB_CANCELED: int
VIR_DOMAIN_BLOCK_JOB_READY: int
VIR_DOMAIN_EVENT_DISK_CHANGE_MISSING_ON_START: int
VIR_DOMAIN_EVENT_DISK_DROP_MISSING_ON_START: int
VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE: int
VIR_CONNECT_GET_ALL_DOMAINS_STATS_INACTIVE: int
VIR_CONNECT_GET_ALL_DOMAINS_STATS_PERSISTENT: int
VIR_CONNECT_GET_ALL_DOMAINS_STATS_TRANSIENT: int
VIR_CONNECT_GET_ALL_DOMAINS_STATS_RUNNING: int
VIR_CONNECT_GET_ALL_DOMAINS_STATS_PAUSED: int
VIR_CONNECT_GET_ALL_DOMAINS_STATS_SHUTOFF: int
VIR_CONNECT_GET_ALL_DOMAINS_STATS_OTHER: int
VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT: int
VIR_CONNECT_GET_ALL_DOMAINS_STATS_BACKING: int
VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS: int
VIR_CONNECT_LIST_DOMAINS_ACTIVE: int
VIR_CONNECT_LIST_DOMAINS_INACTIVE: int
VIR_CONNECT_LIST_DOMAINS_PERSISTENT: int
VIR_CONNECT_LIST_DOMAINS_TRANSIENT: int
VIR_CONNECT_LIST_DOMAINS_RUNNING: int
VIR_CONNECT_LIST_DOMAINS_PAUSED: int
VIR_CONNECT_LIST_DOMAINS_SHUTOFF: int
VIR_CONNECT_LIST_DOMAINS_OTHER: int
VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE: int
VIR_CONNECT_LIST_DOMAINS_NO_MANAGEDSAVE: int
VIR_CONNECT_LIST_DOMAINS_AUTOSTART: int
VIR_CONNECT_LIST_DOMAINS_NO_AUTOSTART: int
VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT: int
VIR_CONNECT_LIST_DOMAINS_NO_SNAPSHOT: int
VIR_CONNECT_LIST_DOMAINS_HAS_CHECKPOINT: int
VIR_CONNECT_LIST_DOMAINS_NO_CHECKPOINT: int
VIR_CONNECT_LIST_NETWORKS_INACTIVE: int
VIR_CONNECT_LIST_NETWORKS_ACTIVE: int
VIR_CONNECT_LIST_NETWORKS_PERSISTENT: int
VIR_CONNECT_LIST_NETWORKS_TRANSIENT: int
VIR_CONNECT_LIST_NETWORKS_AUTOSTART: int
VIR_CONNECT_LIST_NETWORKS_NO_AUTOSTART: int
VIR_CONNECT_LIST_STORAGE_POOLS_INACTIVE: int
VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE: int
VIR_CONNECT_LIST_STORAGE_POOLS_PERSISTENT: int
VIR_CONNECT_LIST_STORAGE_POOLS_TRANSIENT: int
VIR_CONNECT_LIST_STORAGE_POOLS_AUTOSTART: int
VIR_CONNECT_LIST_STORAGE_POOLS_NO_AUTOSTART: int
VIR_CONNECT_LIST_STORAGE_POOLS_DIR: int
VIR_CONNECT_LIST_STORAGE_POOLS_FS: int
VIR_CONNECT_LIST_STORAGE_POOLS_NETFS: int
VIR_CONNECT_LIST_STORAGE_POOLS_LOGICAL: int
VIR_CONNECT_LIST_STORAGE_POOLS_DISK: int
VIR_CONNECT_LIST_STORAGE_POOLS_ISCSI: int
VIR_CONNECT_LIST_STORAGE_POOLS_SCSI: int
VIR_CONNECT_LIST_STORAGE_POOLS_MPATH: int
VIR_CONNECT_LIST_STORAGE_POOLS_RBD: int
VIR_CONNECT_LIST_STORAGE_POOLS_SHEEPDOG: int
VIR_CONNECT_LIST_STORAGE_POOLS_GLUSTER: int
VIR_CONNECT_LIST_STORAGE_POOLS_ZFS: int
VIR_CONNECT_LIST_STORAGE_POOLS_VSTORAGE: int
VIR_CONNECT_LIST_STORAGE_POOLS_ISCSI_DIRECT: int
VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_BLOCK: int
VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_DEFAULT: int
VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_NOWAIT: int
VIR_DOMAIN_BLOCK_COMMIT_SHALLOW: int
VIR_DOMAIN_BLOCK_COMMIT_DELETE: int
VIR_DOMAIN_BLOCK_COMMIT_ACTIVE: int
VIR_DOMAIN_BLOCK_COMMIT_RELATIVE: int
VIR_DOMAIN_BLOCK_COMMIT_BANDWIDTH_BYTES: int
VIR_DOMAIN_BLOCK_COPY_SHALLOW: int
VIR_DOMAIN_BLOCK_COPY_REUSE_EXT: int
VIR_DOMAIN_BLOCK_COPY_TRANSIENT_JOB: int
VIR_DOMAIN_BLOCK_COPY_SYNCHRONOUS_WRITES: int
VIR_DOMAIN_BLOCK_JOB_ABORT_ASYNC: int
VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT: int
VIR_DOMAIN_BLOCK_JOB_INFO_BANDWIDTH_BYTES: int
VIR_DOMAIN_BLOCK_JOB_SPEED_BANDWIDTH_BYTES: int
VIR_DOMAIN_BLOCK_JOB_TYPE_UNKNOWN: int
VIR_DOMAIN_BLOCK_JOB_TYPE_PULL: int
VIR_DOMAIN_BLOCK_JOB_TYPE_COPY: int
VIR_DOMAIN_BLOCK_JOB_TYPE_COMMIT: int
VIR_DOMAIN_BLOCK_JOB_TYPE_ACTIVE_COMMIT: int
VIR_DOMAIN_BLOCK_JOB_TYPE_BACKUP: int
VIR_DOMAIN_BLOCK_PULL_BANDWIDTH_BYTES: int
VIR_DOMAIN_BLOCK_REBASE_SHALLOW: int
VIR_DOMAIN_BLOCK_REBASE_REUSE_EXT: int
VIR_DOMAIN_BLOCK_REBASE_COPY_RAW: int
VIR_DOMAIN_BLOCK_REBASE_COPY: int
VIR_DOMAIN_BLOCK_REBASE_RELATIVE: int
VIR_DOMAIN_BLOCK_REBASE_COPY_DEV: int
VIR_DOMAIN_BLOCK_REBASE_BANDWIDTH_BYTES: int
VIR_DOMAIN_BLOCK_RESIZE_BYTES: int
VIR_DOMAIN_BLOCKED_UNKNOWN: int
VIR_DOMAIN_CONSOLE_FORCE: int
VIR_DOMAIN_CONSOLE_SAFE: int
VIR_DUMP_CRASH: int
VIR_DUMP_LIVE: int
VIR_DUMP_BYPASS_CACHE: int
VIR_DUMP_RESET: int
VIR_DUMP_MEMORY_ONLY: int
VIR_DOMAIN_CORE_DUMP_FORMAT_RAW: int
VIR_DOMAIN_CORE_DUMP_FORMAT_KDUMP_ZLIB: int
VIR_DOMAIN_CORE_DUMP_FORMAT_KDUMP_LZO: int
VIR_DOMAIN_CORE_DUMP_FORMAT_KDUMP_SNAPPY: int
VIR_DOMAIN_CORE_DUMP_FORMAT_WIN_DMP: int
VIR_DOMAIN_CRASHED_UNKNOWN: int
VIR_DOMAIN_CRASHED_PANICKED: int
VIR_DOMAIN_START_PAUSED: int
VIR_DOMAIN_START_AUTODESTROY: int
VIR_DOMAIN_START_BYPASS_CACHE: int
VIR_DOMAIN_START_FORCE_BOOT: int
VIR_DOMAIN_START_VALIDATE: int
VIR_DOMAIN_START_RESET_NVRAM: int
VIR_DOMAIN_DEFINE_VALIDATE: int
VIR_DOMAIN_DESTROY_DEFAULT: int
VIR_DOMAIN_DESTROY_GRACEFUL: int
VIR_DOMAIN_DESTROY_REMOVE_LOGS: int
VIR_DOMAIN_EVENT_CRASHED_PANICKED: int
VIR_DOMAIN_EVENT_CRASHED_CRASHLOADED: int
VIR_DOMAIN_EVENT_DEFINED_ADDED: int
VIR_DOMAIN_EVENT_DEFINED_UPDATED: int
VIR_DOMAIN_EVENT_DEFINED_RENAMED: int
VIR_DOMAIN_EVENT_DEFINED_FROM_SNAPSHOT: int
VIR_DOMAIN_EVENT_GRAPHICS_ADDRESS_IPV4: int
VIR_DOMAIN_EVENT_GRAPHICS_ADDRESS_IPV6: int
VIR_DOMAIN_EVENT_GRAPHICS_ADDRESS_UNIX: int
VIR_DOMAIN_EVENT_GRAPHICS_CONNECT: int
VIR_DOMAIN_EVENT_GRAPHICS_INITIALIZE: int
VIR_DOMAIN_EVENT_GRAPHICS_DISCONNECT: int
VIR_DOMAIN_EVENT_ID_LIFECYCLE: int
VIR_DOMAIN_EVENT_ID_REBOOT: int
VIR_DOMAIN_EVENT_ID_RTC_CHANGE: int
VIR_DOMAIN_EVENT_ID_WATCHDOG: int
VIR_DOMAIN_EVENT_ID_IO_ERROR: int
VIR_DOMAIN_EVENT_ID_GRAPHICS: int
VIR_DOMAIN_EVENT_ID_IO_ERROR_REASON: int
VIR_DOMAIN_EVENT_ID_CONTROL_ERROR: int
VIR_DOMAIN_EVENT_ID_BLOCK_JOB: int
VIR_DOMAIN_EVENT_ID_DISK_CHANGE: int
VIR_DOMAIN_EVENT_ID_TRAY_CHANGE: int
VIR_DOMAIN_EVENT_ID_PMWAKEUP: int
VIR_DOMAIN_EVENT_ID_PMSUSPEND: int
VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE: int
VIR_DOMAIN_EVENT_ID_PMSUSPEND_DISK: int
VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED: int
VIR_DOMAIN_EVENT_ID_BLOCK_JOB_2: int
VIR_DOMAIN_EVENT_ID_TUNABLE: int
VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE: int
VIR_DOMAIN_EVENT_ID_DEVICE_ADDED: int
VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION: int
VIR_DOMAIN_EVENT_ID_JOB_COMPLETED: int
VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED: int
VIR_DOMAIN_EVENT_ID_METADATA_CHANGE: int
VIR_DOMAIN_EVENT_ID_BLOCK_THRESHOLD: int
VIR_DOMAIN_EVENT_ID_MEMORY_FAILURE: int
VIR_DOMAIN_EVENT_ID_MEMORY_DEVICE_SIZE_CHANGE: int
VIR_DOMAIN_EVENT_IO_ERROR_NONE: int
VIR_DOMAIN_EVENT_IO_ERROR_PAUSE: int
VIR_DOMAIN_EVENT_IO_ERROR_REPORT: int
VIR_DOMAIN_EVENT_PMSUSPENDED_MEMORY: int
VIR_DOMAIN_EVENT_PMSUSPENDED_DISK: int
VIR_DOMAIN_EVENT_RESUMED_UNPAUSED: int
VIR_DOMAIN_EVENT_RESUMED_MIGRATED: int
VIR_DOMAIN_EVENT_RESUMED_FROM_SNAPSHOT: int
VIR_DOMAIN_EVENT_RESUMED_POSTCOPY: int
VIR_DOMAIN_EVENT_RESUMED_POSTCOPY_FAILED: int
VIR_DOMAIN_EVENT_SHUTDOWN_FINISHED: int
VIR_DOMAIN_EVENT_SHUTDOWN_GUEST: int
VIR_DOMAIN_EVENT_SHUTDOWN_HOST: int
VIR_DOMAIN_EVENT_STARTED_BOOTED: int
VIR_DOMAIN_EVENT_STARTED_MIGRATED: int
VIR_DOMAIN_EVENT_STARTED_RESTORED: int
VIR_DOMAIN_EVENT_STARTED_FROM_SNAPSHOT: int
VIR_DOMAIN_EVENT_STARTED_WAKEUP: int
VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN: int
VIR_DOMAIN_EVENT_STOPPED_DESTROYED: int
VIR_DOMAIN_EVENT_STOPPED_CRASHED: int
VIR_DOMAIN_EVENT_STOPPED_MIGRATED: int
VIR_DOMAIN_EVENT_STOPPED_SAVED: int
VIR_DOMAIN_EVENT_STOPPED_FAILED: int
VIR_DOMAIN_EVENT_STOPPED_FROM_SNAPSHOT: int
VIR_DOMAIN_EVENT_SUSPENDED_PAUSED: int
VIR_DOMAIN_EVENT_SUSPENDED_MIGRATED: int
VIR_DOMAIN_EVENT_SUSPENDED_IOERROR: int
VIR_DOMAIN_EVENT_SUSPENDED_WATCHDOG: int
VIR_DOMAIN_EVENT_SUSPENDED_RESTORED: int
VIR_DOMAIN_EVENT_SUSPENDED_FROM_SNAPSHOT: int
VIR_DOMAIN_EVENT_SUSPENDED_API_ERROR: int
VIR_DOMAIN_EVENT_SUSPENDED_POSTCOPY: int
VIR_DOMAIN_EVENT_SUSPENDED_POSTCOPY_FAILED: int
VIR_DOMAIN_EVENT_TRAY_CHANGE_OPEN: int
VIR_DOMAIN_EVENT_TRAY_CHANGE_CLOSE: int
VIR_DOMAIN_EVENT_DEFINED: int
VIR_DOMAIN_EVENT_UNDEFINED: int
VIR_DOMAIN_EVENT_STARTED: int
VIR_DOMAIN_EVENT_SUSPENDED: int
VIR_DOMAIN_EVENT_RESUMED: int
VIR_DOMAIN_EVENT_STOPPED: int
VIR_DOMAIN_EVENT_SHUTDOWN: int
VIR_DOMAIN_EVENT_PMSUSPENDED: int
VIR_DOMAIN_EVENT_CRASHED: int
VIR_DOMAIN_EVENT_UNDEFINED_REMOVED: int
VIR_DOMAIN_EVENT_UNDEFINED_RENAMED: int
VIR_DOMAIN_EVENT_WATCHDOG_NONE: int
VIR_DOMAIN_EVENT_WATCHDOG_PAUSE: int
VIR_DOMAIN_EVENT_WATCHDOG_RESET: int
VIR_DOMAIN_EVENT_WATCHDOG_POWEROFF: int
VIR_DOMAIN_EVENT_WATCHDOG_SHUTDOWN: int
VIR_DOMAIN_EVENT_WATCHDOG_DEBUG: int
VIR_DOMAIN_EVENT_WATCHDOG_INJECTNMI: int
VIR_DOMAIN_JOB_STATS_COMPLETED: int
VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED: int
VIR_DOMAIN_GUEST_INFO_USERS: int
VIR_DOMAIN_GUEST_INFO_OS: int
VIR_DOMAIN_GUEST_INFO_TIMEZONE: int
VIR_DOMAIN_GUEST_INFO_HOSTNAME: int
VIR_DOMAIN_GUEST_INFO_FILESYSTEM: int
VIR_DOMAIN_GUEST_INFO_DISKS: int
VIR_DOMAIN_GUEST_INFO_INTERFACES: int
VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE: int
VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT: int
VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP: int
VIR_DOMAIN_JOB_OPERATION_UNKNOWN: int
VIR_DOMAIN_JOB_OPERATION_START: int
VIR_DOMAIN_JOB_OPERATION_SAVE: int
VIR_DOMAIN_JOB_OPERATION_RESTORE: int
VIR_DOMAIN_JOB_OPERATION_MIGRATION_IN: int
VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT: int
VIR_DOMAIN_JOB_OPERATION_SNAPSHOT: int
VIR_DOMAIN_JOB_OPERATION_SNAPSHOT_REVERT: int
VIR_DOMAIN_JOB_OPERATION_DUMP: int
VIR_DOMAIN_JOB_OPERATION_BACKUP: int
VIR_DOMAIN_JOB_OPERATION_SNAPSHOT_DELETE: int
VIR_DOMAIN_JOB_NONE: int
VIR_DOMAIN_JOB_BOUNDED: int
VIR_DOMAIN_JOB_UNBOUNDED: int
VIR_DOMAIN_JOB_COMPLETED: int
VIR_DOMAIN_JOB_FAILED: int
VIR_DOMAIN_JOB_CANCELLED: int
VIR_DOMAIN_EVENT_MEMORY_FAILURE_ACTION_IGNORE: int
VIR_DOMAIN_EVENT_MEMORY_FAILURE_ACTION_INJECT: int
VIR_DOMAIN_EVENT_MEMORY_FAILURE_ACTION_FATAL: int
VIR_DOMAIN_EVENT_MEMORY_FAILURE_ACTION_RESET: int
VIR_DOMAIN_EVENT_MEMORY_FAILURE_RECIPIENT_HYPERVISOR: int
VIR_DOMAIN_EVENT_MEMORY_FAILURE_RECIPIENT_GUEST: int
VIR_MEMORY_VIRTUAL: int
VIR_MEMORY_PHYSICAL: int
VIR_DOMAIN_MEMORY_STAT_SWAP_IN: int
VIR_DOMAIN_MEMORY_STAT_SWAP_OUT: int
VIR_DOMAIN_MEMORY_STAT_MAJOR_FAULT: int
VIR_DOMAIN_MEMORY_STAT_MINOR_FAULT: int
VIR_DOMAIN_MEMORY_STAT_UNUSED: int
VIR_DOMAIN_MEMORY_STAT_AVAILABLE: int
VIR_DOMAIN_MEMORY_STAT_ACTUAL_BALLOON: int
VIR_DOMAIN_MEMORY_STAT_RSS: int
VIR_DOMAIN_MEMORY_STAT_USABLE: int
VIR_DOMAIN_MEMORY_STAT_LAST_UPDATE: int
VIR_DOMAIN_MEMORY_STAT_DISK_CACHES: int
VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGALLOC: int
VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGFAIL: int
VIR_DOMAIN_MEMORY_STAT_LAST: int
VIR_DOMAIN_MEMORY_STAT_NR: int
VIR_DOMAIN_METADATA_DESCRIPTION: int
VIR_DOMAIN_METADATA_TITLE: int
VIR_DOMAIN_METADATA_ELEMENT: int
VIR_MIGRATE_LIVE: int
VIR_MIGRATE_PEER2PEER: int
VIR_MIGRATE_TUNNELLED: int
VIR_MIGRATE_PERSIST_DEST: int
VIR_MIGRATE_UNDEFINE_SOURCE: int
VIR_MIGRATE_PAUSED: int
VIR_MIGRATE_NON_SHARED_DISK: int
VIR_MIGRATE_NON_SHARED_INC: int
VIR_MIGRATE_CHANGE_PROTECTION: int
VIR_MIGRATE_UNSAFE: int
VIR_MIGRATE_OFFLINE: int
VIR_MIGRATE_COMPRESSED: int
VIR_MIGRATE_ABORT_ON_ERROR: int
VIR_MIGRATE_AUTO_CONVERGE: int
VIR_MIGRATE_RDMA_PIN_ALL: int
VIR_MIGRATE_POSTCOPY: int
VIR_MIGRATE_TLS: int
VIR_MIGRATE_PARALLEL: int
VIR_MIGRATE_NON_SHARED_SYNCHRONOUS_WRITES: int
VIR_MIGRATE_POSTCOPY_RESUME: int
VIR_MIGRATE_ZEROCOPY: int
VIR_DOMAIN_AFFECT_CURRENT: int
VIR_DOMAIN_AFFECT_LIVE: int
VIR_DOMAIN_AFFECT_CONFIG: int
VIR_DOMAIN_NOSTATE_UNKNOWN: int
VIR_DOMAIN_PMSUSPENDED_DISK_UNKNOWN: int
VIR_DOMAIN_PMSUSPENDED_UNKNOWN: int
VIR_DOMAIN_PAUSED_UNKNOWN: int
VIR_DOMAIN_PAUSED_USER: int
VIR_DOMAIN_PAUSED_MIGRATION: int
VIR_DOMAIN_PAUSED_SAVE: int
VIR_DOMAIN_PAUSED_DUMP: int
VIR_DOMAIN_PAUSED_IOERROR: int
VIR_DOMAIN_PAUSED_WATCHDOG: int
VIR_DOMAIN_PAUSED_FROM_SNAPSHOT: int
VIR_DOMAIN_PAUSED_SHUTTING_DOWN: int
VIR_DOMAIN_PAUSED_SNAPSHOT: int
VIR_DOMAIN_PAUSED_CRASHED: int
VIR_DOMAIN_PAUSED_STARTING_UP: int
VIR_DOMAIN_PAUSED_POSTCOPY: int
VIR_DOMAIN_PAUSED_POSTCOPY_FAILED: int
VIR_DOMAIN_REBOOT_DEFAULT: int
VIR_DOMAIN_REBOOT_ACPI_POWER_BTN: int
VIR_DOMAIN_REBOOT_GUEST_AGENT: int
VIR_DOMAIN_REBOOT_INITCTL: int
VIR_DOMAIN_REBOOT_SIGNAL: int
VIR_DOMAIN_REBOOT_PARAVIRT: int
VIR_DOMAIN_RUNNING_UNKNOWN: int
VIR_DOMAIN_RUNNING_BOOTED: int
VIR_DOMAIN_RUNNING_MIGRATED: int
VIR_DOMAIN_RUNNING_RESTORED: int
VIR_DOMAIN_RUNNING_FROM_SNAPSHOT: int
VIR_DOMAIN_RUNNING_UNPAUSED: int
VIR_DOMAIN_RUNNING_MIGRATION_CANCELED: int
VIR_DOMAIN_RUNNING_SAVE_CANCELED: int
VIR_DOMAIN_RUNNING_WAKEUP: int
VIR_DOMAIN_RUNNING_CRASHED: int
VIR_DOMAIN_RUNNING_POSTCOPY: int
VIR_DOMAIN_RUNNING_POSTCOPY_FAILED: int
VIR_DOMAIN_PASSWORD_ENCRYPTED: int
VIR_DOMAIN_SHUTDOWN_DEFAULT: int
VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN: int
VIR_DOMAIN_SHUTDOWN_GUEST_AGENT: int
VIR_DOMAIN_SHUTDOWN_INITCTL: int
VIR_DOMAIN_SHUTDOWN_SIGNAL: int
VIR_DOMAIN_SHUTDOWN_PARAVIRT: int
VIR_DOMAIN_SHUTDOWN_UNKNOWN: int
VIR_DOMAIN_SHUTDOWN_USER: int
VIR_DOMAIN_SHUTOFF_UNKNOWN: int
VIR_DOMAIN_SHUTOFF_SHUTDOWN: int
VIR_DOMAIN_SHUTOFF_DESTROYED: int
VIR_DOMAIN_SHUTOFF_CRASHED: int
VIR_DOMAIN_SHUTOFF_MIGRATED: int
VIR_DOMAIN_SHUTOFF_SAVED: int
VIR_DOMAIN_SHUTOFF_FAILED: int
VIR_DOMAIN_SHUTOFF_FROM_SNAPSHOT: int
VIR_DOMAIN_SHUTOFF_DAEMON: int
VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE: int
VIR_DOMAIN_SNAPSHOT_CREATE_CURRENT: int
VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA: int
VIR_DOMAIN_SNAPSHOT_CREATE_HALT: int
VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY: int
VIR_DOMAIN_SNAPSHOT_CREATE_REUSE_EXT: int
VIR_DOMAIN_SNAPSHOT_CREATE_QUIESCE: int
VIR_DOMAIN_SNAPSHOT_CREATE_ATOMIC: int
VIR_DOMAIN_SNAPSHOT_CREATE_LIVE: int
VIR_DOMAIN_SNAPSHOT_CREATE_VALIDATE: int
VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN: int
VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY: int
VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN_ONLY: int
VIR_DOMAIN_SNAPSHOT_LIST_DESCENDANTS: int
VIR_DOMAIN_SNAPSHOT_LIST_ROOTS: int
VIR_DOMAIN_SNAPSHOT_LIST_METADATA: int
VIR_DOMAIN_SNAPSHOT_LIST_LEAVES: int
VIR_DOMAIN_SNAPSHOT_LIST_NO_LEAVES: int
VIR_DOMAIN_SNAPSHOT_LIST_NO_METADATA: int
VIR_DOMAIN_SNAPSHOT_LIST_INACTIVE: int
VIR_DOMAIN_SNAPSHOT_LIST_ACTIVE: int
VIR_DOMAIN_SNAPSHOT_LIST_DISK_ONLY: int
VIR_DOMAIN_SNAPSHOT_LIST_INTERNAL: int
VIR_DOMAIN_SNAPSHOT_LIST_EXTERNAL: int
VIR_DOMAIN_SNAPSHOT_LIST_TOPOLOGICAL: int
VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING: int
VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED: int
VIR_DOMAIN_SNAPSHOT_REVERT_FORCE: int
VIR_DOMAIN_SNAPSHOT_REVERT_RESET_NVRAM: int
VIR_DOMAIN_SNAPSHOT_XML_SECURE: int
VIR_DOMAIN_NOSTATE: int
VIR_DOMAIN_RUNNING: int
VIR_DOMAIN_BLOCKED: int
VIR_DOMAIN_PAUSED: int
VIR_DOMAIN_SHUTDOWN: int
VIR_DOMAIN_SHUTOFF: int
VIR_DOMAIN_CRASHED: int
VIR_DOMAIN_PMSUSPENDED: int
VIR_DOMAIN_STATS_STATE: int
VIR_DOMAIN_STATS_CPU_TOTAL: int
VIR_DOMAIN_STATS_BALLOON: int
VIR_DOMAIN_STATS_VCPU: int
VIR_DOMAIN_STATS_INTERFACE: int
VIR_DOMAIN_STATS_BLOCK: int
VIR_DOMAIN_STATS_PERF: int
VIR_DOMAIN_STATS_IOTHREAD: int
VIR_DOMAIN_STATS_MEMORY: int
VIR_DOMAIN_STATS_DIRTYRATE: int
VIR_DOMAIN_STATS_VM: int
VIR_DOMAIN_UNDEFINE_MANAGED_SAVE: int
VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA: int
VIR_DOMAIN_UNDEFINE_NVRAM: int
VIR_DOMAIN_UNDEFINE_KEEP_NVRAM: int
VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA: int
VIR_DOMAIN_UNDEFINE_TPM: int
VIR_DOMAIN_UNDEFINE_KEEP_TPM: int
VIR_DOMAIN_XML_SECURE: int
VIR_DOMAIN_XML_INACTIVE: int
VIR_DOMAIN_XML_UPDATE_CPU: int
VIR_DOMAIN_XML_MIGRATABLE: int
VIR_FROM_NONE: int
VIR_FROM_XEN: int
VIR_FROM_XEND: int
VIR_FROM_XENSTORE: int
VIR_FROM_SEXPR: int
VIR_FROM_XML: int
VIR_FROM_DOM: int
VIR_FROM_RPC: int
VIR_FROM_PROXY: int
VIR_FROM_CONF: int
VIR_FROM_QEMU: int
VIR_FROM_NET: int
VIR_FROM_TEST: int
VIR_FROM_REMOTE: int
VIR_FROM_OPENVZ: int
VIR_FROM_XENXM: int
VIR_FROM_STATS_LINUX: int
VIR_FROM_LXC: int
VIR_FROM_STORAGE: int
VIR_FROM_NETWORK: int
VIR_FROM_DOMAIN: int
VIR_FROM_UML: int
VIR_FROM_NODEDEV: int
VIR_FROM_XEN_INOTIFY: int
VIR_FROM_SECURITY: int
VIR_FROM_VBOX: int
VIR_FROM_INTERFACE: int
VIR_FROM_ONE: int
VIR_FROM_ESX: int
VIR_FROM_PHYP: int
VIR_FROM_SECRET: int
VIR_FROM_CPU: int
VIR_FROM_XENAPI: int
VIR_FROM_NWFILTER: int
VIR_FROM_HOOK: int
VIR_FROM_DOMAIN_SNAPSHOT: int
VIR_FROM_AUDIT: int
VIR_FROM_SYSINFO: int
VIR_FROM_STREAMS: int
VIR_FROM_VMWARE: int
VIR_FROM_EVENT: int
VIR_FROM_LIBXL: int
VIR_FROM_LOCKING: int
VIR_FROM_HYPERV: int
VIR_FROM_CAPABILITIES: int
VIR_FROM_URI: int
VIR_FROM_AUTH: int
VIR_FROM_DBUS: int
VIR_FROM_PARALLELS: int
VIR_FROM_DEVICE: int
VIR_FROM_SSH: int
VIR_FROM_LOCKSPACE: int
VIR_FROM_INITCTL: int
VIR_FROM_IDENTITY: int
VIR_FROM_CGROUP: int
VIR_FROM_ACCESS: int
VIR_FROM_SYSTEMD: int
VIR_FROM_BHYVE: int
VIR_FROM_CRYPTO: int
VIR_FROM_FIREWALL: int
VIR_FROM_POLKIT: int
VIR_FROM_THREAD: int
VIR_FROM_ADMIN: int
VIR_FROM_LOGGING: int
VIR_FROM_XENXL: int
VIR_FROM_PERF: int
VIR_FROM_LIBSSH: int
VIR_FROM_RESCTRL: int
VIR_FROM_FIREWALLD: int
VIR_FROM_DOMAIN_CHECKPOINT: int
VIR_FROM_TPM: int
VIR_FROM_BPF: int
VIR_FROM_CH: int
VIR_ERR_NONE: int
VIR_ERR_WARNING: int
VIR_ERR_ERROR: int
VIR_ERR_OK: int
VIR_ERR_INTERNAL_ERROR: int
VIR_ERR_NO_MEMORY: int
VIR_ERR_NO_SUPPORT: int
VIR_ERR_UNKNOWN_HOST: int
VIR_ERR_NO_CONNECT: int
VIR_ERR_INVALID_CONN: int
VIR_ERR_INVALID_DOMAIN: int
VIR_ERR_INVALID_ARG: int
VIR_ERR_OPERATION_FAILED: int
VIR_ERR_GET_FAILED: int
VIR_ERR_POST_FAILED: int
VIR_ERR_HTTP_ERROR: int
VIR_ERR_SEXPR_SERIAL: int
VIR_ERR_NO_XEN: int
VIR_ERR_XEN_CALL: int
VIR_ERR_OS_TYPE: int
VIR_ERR_NO_KERNEL: int
VIR_ERR_NO_ROOT: int
VIR_ERR_NO_SOURCE: int
VIR_ERR_NO_TARGET: int
VIR_ERR_NO_NAME: int
VIR_ERR_NO_OS: int
VIR_ERR_NO_DEVICE: int
VIR_ERR_NO_XENSTORE: int
VIR_ERR_DRIVER_FULL: int
VIR_ERR_CALL_FAILED: int
VIR_ERR_XML_ERROR: int
VIR_ERR_DOM_EXIST: int
VIR_ERR_OPERATION_DENIED: int
VIR_ERR_OPEN_FAILED: int
VIR_ERR_READ_FAILED: int
VIR_ERR_PARSE_FAILED: int
VIR_ERR_CONF_SYNTAX: int
VIR_ERR_WRITE_FAILED: int
VIR_ERR_XML_DETAIL: int
VIR_ERR_INVALID_NETWORK: int
VIR_ERR_NETWORK_EXIST: int
VIR_ERR_SYSTEM_ERROR: int
VIR_ERR_RPC: int
VIR_ERR_GNUTLS_ERROR: int
VIR_ERR_NO_DOMAIN: int
VIR_ERR_NO_NETWORK: int
VIR_ERR_INVALID_MAC: int
VIR_ERR_AUTH_FAILED: int
VIR_ERR_INVALID_STORAGE_POOL: int
VIR_ERR_INVALID_STORAGE_VOL: int
VIR_ERR_NO_STORAGE_POOL: int
VIR_ERR_NO_STORAGE_VOL: int
VIR_ERR_INVALID_NODE_DEVICE: int
VIR_ERR_NO_NODE_DEVICE: int
VIR_ERR_NO_SECURITY_MODEL: int
VIR_ERR_OPERATION_INVALID: int
VIR_ERR_NO_INTERFACE: int
VIR_ERR_INVALID_INTERFACE: int
VIR_ERR_MULTIPLE_INTERFACES: int
VIR_ERR_INVALID_NWFILTER: int
VIR_ERR_NO_NWFILTER: int
VIR_ERR_BUILD_FIREWALL: int
VIR_ERR_INVALID_SECRET: int
VIR_ERR_NO_SECRET: int
VIR_ERR_CONFIG_UNSUPPORTED: int
VIR_ERR_OPERATION_TIMEOUT: int
VIR_ERR_MIGRATE_PERSIST_FAILED: int
VIR_ERR_HOOK_SCRIPT_FAILED: int
VIR_ERR_INVALID_DOMAIN_SNAPSHOT: int
VIR_ERR_NO_DOMAIN_SNAPSHOT: int
VIR_ERR_INVALID_STREAM: int
VIR_ERR_ARGUMENT_UNSUPPORTED: int
VIR_ERR_STORAGE_PROBE_FAILED: int
VIR_ERR_STORAGE_POOL_BUILT: int
VIR_ERR_SNAPSHOT_REVERT_RISKY: int
VIR_ERR_OPERATION_ABORTED: int
VIR_ERR_AUTH_CANCELLED: int
VIR_ERR_NO_DOMAIN_METADATA: int
VIR_ERR_MIGRATE_UNSAFE: int
VIR_ERR_OVERFLOW: int
VIR_ERR_BLOCK_COPY_ACTIVE: int
VIR_ERR_OPERATION_UNSUPPORTED: int
VIR_ERR_SSH: int
VIR_ERR_AGENT_UNRESPONSIVE: int
VIR_ERR_RESOURCE_BUSY: int
VIR_ERR_ACCESS_DENIED: int
VIR_ERR_DBUS_SERVICE: int
VIR_ERR_STORAGE_VOL_EXIST: int
VIR_ERR_CPU_INCOMPATIBLE: int
VIR_ERR_XML_INVALID_SCHEMA: int
VIR_ERR_MIGRATE_FINISH_OK: int
VIR_ERR_AUTH_UNAVAILABLE: int
VIR_ERR_NO_SERVER: int
VIR_ERR_NO_CLIENT: int
VIR_ERR_AGENT_UNSYNCED: int
VIR_ERR_LIBSSH: int
VIR_ERR_DEVICE_MISSING: int
VIR_ERR_INVALID_NWFILTER_BINDING: int
VIR_ERR_NO_NWFILTER_BINDING: int
VIR_ERR_INVALID_DOMAIN_CHECKPOINT: int
VIR_ERR_NO_DOMAIN_CHECKPOINT: int
VIR_ERR_NO_DOMAIN_BACKUP: int
VIR_ERR_INVALID_NETWORK_PORT: int
VIR_ERR_NETWORK_PORT_EXIST: int
VIR_ERR_NO_NETWORK_PORT: int
VIR_ERR_NO_HOSTNAME: int
VIR_ERR_CHECKPOINT_INCONSISTENT: int
VIR_ERR_MULTIPLE_DOMAINS: int
VIR_EVENT_HANDLE_READABLE: int
VIR_EVENT_HANDLE_WRITABLE: int
VIR_EVENT_HANDLE_ERROR: int
VIR_EVENT_HANDLE_HANGUP: int
VIR_NETWORK_XML_INACTIVE: int
VIR_NODE_MEMORY_STATS_ALL_CELLS: int
VIR_STORAGE_POOL_BUILD_NEW: int
VIR_STORAGE_POOL_BUILD_REPAIR: int
VIR_STORAGE_POOL_BUILD_RESIZE: int
VIR_STORAGE_POOL_BUILD_NO_OVERWRITE: int
VIR_STORAGE_POOL_BUILD_OVERWRITE: int
VIR_STORAGE_POOL_CREATE_NORMAL: int
VIR_STORAGE_POOL_CREATE_WITH_BUILD: int
VIR_STORAGE_POOL_CREATE_WITH_BUILD_OVERWRITE: int
VIR_STORAGE_POOL_CREATE_WITH_BUILD_NO_OVERWRITE: int
VIR_STORAGE_POOL_DEFINE_VALIDATE: int
VIR_STORAGE_POOL_DELETE_NORMAL: int
VIR_STORAGE_POOL_DELETE_ZEROED: int
VIR_STORAGE_POOL_EVENT_ID_LIFECYCLE: int
VIR_STORAGE_POOL_EVENT_ID_REFRESH: int
VIR_STORAGE_POOL_EVENT_DEFINED: int
VIR_STORAGE_POOL_EVENT_UNDEFINED: int
VIR_STORAGE_POOL_EVENT_STARTED: int
VIR_STORAGE_POOL_EVENT_STOPPED: int
VIR_STORAGE_POOL_EVENT_CREATED: int
VIR_STORAGE_POOL_EVENT_DELETED: int
VIR_STORAGE_POOL_INACTIVE: int
VIR_STORAGE_POOL_BUILDING: int
VIR_STORAGE_POOL_RUNNING: int
VIR_STORAGE_POOL_DEGRADED: int
VIR_STORAGE_POOL_INACCESSIBLE: int
VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA: int
VIR_STORAGE_VOL_CREATE_REFLINK: int
VIR_STORAGE_VOL_CREATE_VALIDATE: int
VIR_STORAGE_VOL_DELETE_NORMAL: int
VIR_STORAGE_VOL_DELETE_ZEROED: int
VIR_STORAGE_VOL_DELETE_WITH_SNAPSHOTS: int
VIR_STORAGE_VOL_DOWNLOAD_SPARSE_STREAM: int
VIR_STORAGE_VOL_USE_ALLOCATION: int
VIR_STORAGE_VOL_GET_PHYSICAL: int
VIR_STORAGE_VOL_RESIZE_ALLOCATE: int
VIR_STORAGE_VOL_RESIZE_DELTA: int
VIR_STORAGE_VOL_RESIZE_SHRINK: int
VIR_STORAGE_VOL_FILE: int
VIR_STORAGE_VOL_BLOCK: int
VIR_STORAGE_VOL_DIR: int
VIR_STORAGE_VOL_NETWORK: int
VIR_STORAGE_VOL_NETDIR: int
VIR_STORAGE_VOL_PLOOP: int
VIR_STORAGE_VOL_UPLOAD_SPARSE_STREAM: int
VIR_STORAGE_VOL_WIPE_ALG_ZERO: int
VIR_STORAGE_VOL_WIPE_ALG_NNSA: int
VIR_STORAGE_VOL_WIPE_ALG_DOD: int
VIR_STORAGE_VOL_WIPE_ALG_BSI: int
VIR_STORAGE_VOL_WIPE_ALG_GUTMANN: int
VIR_STORAGE_VOL_WIPE_ALG_SCHNEIER: int
VIR_STORAGE_VOL_WIPE_ALG_PFITZNER7: int
VIR_STORAGE_VOL_WIPE_ALG_PFITZNER33: int
VIR_STORAGE_VOL_WIPE_ALG_RANDOM: int
VIR_STORAGE_VOL_WIPE_ALG_TRIM: int
VIR_STORAGE_XML_INACTIVE: int
VIR_STREAM_EVENT_READABLE: int
VIR_STREAM_EVENT_WRITABLE: int
VIR_STREAM_EVENT_ERROR: int
VIR_STREAM_EVENT_HANGUP: int
VIR_STREAM_NONBLOCK: int
VIR_STREAM_RECV_STOP_AT_HOLE: int
VIR_DOMAIN_BLOCK_COPY_BANDWIDTH: str
VIR_DOMAIN_BLOCK_COPY_BUF_SIZE: str
VIR_DOMAIN_BLOCK_COPY_GRANULARITY: str
VIR_DOMAIN_BLOCK_IOTUNE_GROUP_NAME: str
VIR_DOMAIN_BLOCK_IOTUNE_READ_BYTES_SEC: str
VIR_DOMAIN_BLOCK_IOTUNE_READ_BYTES_SEC_MAX: str
VIR_DOMAIN_BLOCK_IOTUNE_READ_BYTES_SEC_MAX_LENGTH: str
VIR_DOMAIN_BLOCK_IOTUNE_READ_IOPS_SEC: str
VIR_DOMAIN_BLOCK_IOTUNE_READ_IOPS_SEC_MAX: str
VIR_DOMAIN_BLOCK_IOTUNE_READ_IOPS_SEC_MAX_LENGTH: str
VIR_DOMAIN_BLOCK_IOTUNE_SIZE_IOPS_SEC: str
VIR_DOMAIN_BLOCK_IOTUNE_TOTAL_BYTES_SEC: str
VIR_DOMAIN_BLOCK_IOTUNE_TOTAL_BYTES_SEC_MAX: str
VIR_DOMAIN_BLOCK_IOTUNE_TOTAL_BYTES_SEC_MAX_LENGTH: str
VIR_DOMAIN_BLOCK_IOTUNE_TOTAL_IOPS_SEC: str
VIR_DOMAIN_BLOCK_IOTUNE_TOTAL_IOPS_SEC_MAX: str
VIR_DOMAIN_BLOCK_IOTUNE_TOTAL_IOPS_SEC_MAX_LENGTH: str
VIR_DOMAIN_BLOCK_IOTUNE_WRITE_BYTES_SEC: str
VIR_DOMAIN_BLOCK_IOTUNE_WRITE_BYTES_SEC_MAX: str
VIR_DOMAIN_BLOCK_IOTUNE_WRITE_BYTES_SEC_MAX_LENGTH: str
VIR_DOMAIN_BLOCK_IOTUNE_WRITE_IOPS_SEC: str
VIR_DOMAIN_BLOCK_IOTUNE_WRITE_IOPS_SEC_MAX: str
VIR_DOMAIN_BLOCK_IOTUNE_WRITE_IOPS_SEC_MAX_LENGTH: str
VIR_DOMAIN_BLOCK_STATS_ERRS: str
VIR_DOMAIN_BLOCK_STATS_FLUSH_REQ: str
VIR_DOMAIN_BLOCK_STATS_FLUSH_TOTAL_TIMES: str
VIR_DOMAIN_BLOCK_STATS_READ_BYTES: str
VIR_DOMAIN_BLOCK_STATS_READ_REQ: str
VIR_DOMAIN_BLOCK_STATS_READ_TOTAL_TIMES: str
VIR_DOMAIN_BLOCK_STATS_WRITE_BYTES: str
VIR_DOMAIN_BLOCK_STATS_WRITE_REQ: str
VIR_DOMAIN_BLOCK_STATS_WRITE_TOTAL_TIMES: str
VIR_DOMAIN_JOB_AUTO_CONVERGE_THROTTLE: str
VIR_DOMAIN_JOB_COMPRESSION_BYTES: str
VIR_DOMAIN_JOB_COMPRESSION_CACHE: str
VIR_DOMAIN_JOB_COMPRESSION_CACHE_MISSES: str
VIR_DOMAIN_JOB_COMPRESSION_OVERFLOW: str
VIR_DOMAIN_JOB_COMPRESSION_PAGES: str
VIR_DOMAIN_JOB_DATA_PROCESSED: str
VIR_DOMAIN_JOB_DATA_REMAINING: str
VIR_DOMAIN_JOB_DATA_TOTAL: str
VIR_DOMAIN_JOB_DISK_BPS: str
VIR_DOMAIN_JOB_DISK_PROCESSED: str
VIR_DOMAIN_JOB_DISK_REMAINING: str
VIR_DOMAIN_JOB_DISK_TEMP_TOTAL: str
VIR_DOMAIN_JOB_DISK_TEMP_USED: str
VIR_DOMAIN_JOB_DISK_TOTAL: str
VIR_DOMAIN_JOB_DOWNTIME: str
VIR_DOMAIN_JOB_DOWNTIME_NET: str
VIR_DOMAIN_JOB_ERRMSG: str
VIR_DOMAIN_JOB_MEMORY_BPS: str
VIR_DOMAIN_JOB_MEMORY_CONSTANT: str
VIR_DOMAIN_JOB_MEMORY_DIRTY_RATE: str
VIR_DOMAIN_JOB_MEMORY_ITERATION: str
VIR_DOMAIN_JOB_MEMORY_NORMAL: str
VIR_DOMAIN_JOB_MEMORY_NORMAL_BYTES: str
VIR_DOMAIN_JOB_MEMORY_PAGE_SIZE: str
VIR_DOMAIN_JOB_MEMORY_POSTCOPY_REQS: str
VIR_DOMAIN_JOB_MEMORY_PROCESSED: str
VIR_DOMAIN_JOB_MEMORY_REMAINING: str
VIR_DOMAIN_JOB_MEMORY_TOTAL: str
VIR_DOMAIN_JOB_OPERATION: str
VIR_DOMAIN_JOB_SETUP_TIME: str
VIR_DOMAIN_JOB_SUCCESS: str
VIR_DOMAIN_JOB_TIME_ELAPSED: str
VIR_DOMAIN_JOB_TIME_ELAPSED_NET: str
VIR_DOMAIN_JOB_TIME_REMAINING: str
VIR_DOMAIN_LAUNCH_SECURITY_SEV_API_MAJOR: str
VIR_DOMAIN_LAUNCH_SECURITY_SEV_API_MINOR: str
VIR_DOMAIN_LAUNCH_SECURITY_SEV_BUILD_ID: str
VIR_DOMAIN_LAUNCH_SECURITY_SEV_MEASUREMENT: str
VIR_DOMAIN_LAUNCH_SECURITY_SEV_POLICY: str
VIR_DOMAIN_LAUNCH_SECURITY_SEV_SECRET: str
VIR_DOMAIN_LAUNCH_SECURITY_SEV_SECRET_HEADER: str
VIR_DOMAIN_LAUNCH_SECURITY_SEV_SECRET_SET_ADDRESS: str
VIR_MIGRATE_PARAM_AUTO_CONVERGE_INCREMENT: str
VIR_MIGRATE_PARAM_AUTO_CONVERGE_INITIAL: str
VIR_MIGRATE_PARAM_BANDWIDTH: str
VIR_MIGRATE_PARAM_BANDWIDTH_POSTCOPY: str
VIR_MIGRATE_PARAM_COMPRESSION: str
VIR_MIGRATE_PARAM_COMPRESSION_MT_DTHREADS: str
VIR_MIGRATE_PARAM_COMPRESSION_MT_LEVEL: str
VIR_MIGRATE_PARAM_COMPRESSION_MT_THREADS: str
VIR_MIGRATE_PARAM_COMPRESSION_XBZRLE_CACHE: str
VIR_MIGRATE_PARAM_DEST_NAME: str
VIR_MIGRATE_PARAM_DEST_XML: str
VIR_MIGRATE_PARAM_DISKS_PORT: str
VIR_MIGRATE_PARAM_DISKS_URI: str
VIR_MIGRATE_PARAM_GRAPHICS_URI: str
VIR_MIGRATE_PARAM_LISTEN_ADDRESS: str
VIR_MIGRATE_PARAM_MIGRATE_DISKS: str
VIR_MIGRATE_PARAM_PARALLEL_CONNECTIONS: str
VIR_MIGRATE_PARAM_PERSIST_XML: str
VIR_MIGRATE_PARAM_TLS_DESTINATION: str
VIR_MIGRATE_PARAM_URI: str
VIR_NODE_MEMORY_SHARED_FULL_SCANS: str
VIR_NODE_MEMORY_SHARED_MERGE_ACROSS_NODES: str
VIR_NODE_MEMORY_SHARED_PAGES_SHARED: str
VIR_NODE_MEMORY_SHARED_PAGES_SHARING: str
VIR_NODE_MEMORY_SHARED_PAGES_TO_SCAN: str
VIR_NODE_MEMORY_SHARED_PAGES_UNSHARED: str
VIR_NODE_MEMORY_SHARED_PAGES_VOLATILE: str
VIR_NODE_MEMORY_SHARED_SLEEP_MILLISECS: str
VIR_NODE_MEMORY_STATS_BUFFERS: str
VIR_NODE_MEMORY_STATS_CACHED: str
VIR_NODE_MEMORY_STATS_FREE: str
VIR_NODE_MEMORY_STATS_TOTAL: str
VIR_NODE_SEV_CBITPOS: str
VIR_NODE_SEV_CERT_CHAIN: str
VIR_NODE_SEV_CPU0_ID: str
VIR_NODE_SEV_MAX_ES_GUESTS: str
VIR_NODE_SEV_MAX_GUESTS: str
VIR_NODE_SEV_PDH: str
VIR_NODE_SEV_REDUCED_PHYS_BITS: str
