<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en" sourcelanguage="en">
<context>
    <name>AccountsPage</name>
    <message numerus="yes">
        <source>%n instance(s)</source>
        <translation>
            <numerusform>%n instance</numerusform>
            <numerusform>%n instances</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>BaselineView</name>
    <message numerus="yes">
        <source>%n claim(s) changed since.</source>
        <translation>
            <numerusform>%n claim changed since.</numerusform>
            <numerusform>%n claims changed since.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>CacheView</name>
    <message numerus="yes">
        <source>%n endorsement(s), {size}</source>
        <translation>
            <numerusform>%n endorsement, {size}</numerusform>
            <numerusform>%n endorsements, {size}</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n address(es) to wait for</source>
        <translation>
            <numerusform>%n address to wait for</numerusform>
            <numerusform>%n addresses to wait for</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Forget %n endorsement(s)? What is still needed is fetched again, where there is a network.</source>
        <translation>
            <numerusform>Forget %n endorsement? What is still needed is fetched again, where there is a network.</numerusform>
            <numerusform>Forget %n endorsements? What is still needed is fetched again, where there is a network.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n endorsement(s) forgotten.</source>
        <translation>
            <numerusform>%n endorsement forgotten.</numerusform>
            <numerusform>%n endorsements forgotten.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n endorsement(s) written to {file}.</source>
        <translation>
            <numerusform>%n endorsement written to {file}.</numerusform>
            <numerusform>%n endorsements written to {file}.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n endorsement(s) added.</source>
        <translation>
            <numerusform>%n endorsement added.</numerusform>
            <numerusform>%n endorsements added.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ClaimsView</name>
    <message numerus="yes">
        <source>%n claim(s)</source>
        <translation>
            <numerusform>%n claim</numerusform>
            <numerusform>%n claims</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ComplianceCard</name>
    <message numerus="yes">
        <source>%n rule(s) look at it</source>
        <translation>
            <numerusform>%n rule looks at it</numerusform>
            <numerusform>%n rules look at it</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ConsolePanel</name>
    <message numerus="yes">
        <source>%n line(s) scrolled back</source>
        <translation>
            <numerusform>%n line scrolled back</numerusform>
            <numerusform>%n lines scrolled back</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>CountedWords</name>
    <message numerus="yes">
        <source>%n error(s)</source>
        <translation>
            <numerusform>%n error</numerusform>
            <numerusform>%n errors</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n warning(s)</source>
        <translation>
            <numerusform>%n warning</numerusform>
            <numerusform>%n warnings</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n second(s) ago</source>
        <translation>
            <numerusform>%n second ago</numerusform>
            <numerusform>%n seconds ago</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n minute(s) ago</source>
        <translation>
            <numerusform>%n minute ago</numerusform>
            <numerusform>%n minutes ago</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n hour(s) ago</source>
        <translation>
            <numerusform>%n hour ago</numerusform>
            <numerusform>%n hours ago</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n day(s) ago</source>
        <translation>
            <numerusform>%n day ago</numerusform>
            <numerusform>%n days ago</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n byte(s) of {size} differ</source>
        <translation>
            <numerusform>%n byte of {size} differs</numerusform>
            <numerusform>%n bytes of {size} differ</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>CrashNotice</name>
    <message numerus="yes">
        <source>%n instances crashed. The last one, {name}: {reason}</source>
        <translation>
            <numerusform>%n instance crashed. The last one, {name}: {reason}</numerusform>
            <numerusform>%n instances crashed. The last one, {name}: {reason}</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>EventsPanel</name>
    <message numerus="yes">
        <source>%n event(s)</source>
        <translation>
            <numerusform>%n event</numerusform>
            <numerusform>%n events</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The log is intact: all %n record(s) hold, up to hash {head}.</source>
        <translation>
            <numerusform>The log is intact: its %n record holds, up to hash {head}.</numerusform>
            <numerusform>The log is intact: all %n records hold, up to hash {head}.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>FailureNotices</name>
    <message numerus="yes">
        <source>%n jobs failed. The last one: </source>
        <translation>
            <numerusform>%n job failed. The last one: </numerusform>
            <numerusform>%n jobs failed. The last one: </numerusform>
        </translation>
    </message>
</context>
<context>
    <name>FindingsList</name>
    <message numerus="yes">
        <source>Show %n more finding(s)</source>
        <translation>
            <numerusform>Show %n more finding</numerusform>
            <numerusform>Show %n more findings</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>FleetPage</name>
    <message numerus="yes">
        <source>{shown} of %n instance(s)</source>
        <translation>
            <numerusform>{shown} of %n instance</numerusform>
            <numerusform>{shown} of %n instances</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n instance(s)</source>
        <translation>
            <numerusform>%n instance</numerusform>
            <numerusform>%n instances</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n marked</source>
        <translation>
            <numerusform>%n marked</numerusform>
            <numerusform>%n marked</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>(%n hidden by the filter)</source>
        <translation>
            <numerusform>(%n hidden by the filter)</numerusform>
            <numerusform>(%n hidden by the filter)</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ForwardForm</name>
    <message numerus="yes">
        <source>%n record(s) wait on disk</source>
        <translation>
            <numerusform>%n record waits on disk</numerusform>
            <numerusform>%n records wait on disk</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>GroupBar</name>
    <message numerus="yes">
        <source>%n more</source>
        <translation>
            <numerusform>%n more</numerusform>
            <numerusform>%n more</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>GuardCard</name>
    <message numerus="yes">
        <source>Allowed: %n rule(s) hold</source>
        <translation>
            <numerusform>Allowed: %n rule holds</numerusform>
            <numerusform>Allowed: %n rules hold</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>GuardrailsPage</name>
    <message numerus="yes">
        <source>%n pack(s) enforced</source>
        <translation>
            <numerusform>%n pack enforced</numerusform>
            <numerusform>%n packs enforced</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n only warn(s)</source>
        <translation>
            <numerusform>%n only warns</numerusform>
            <numerusform>%n only warn</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n exception(s) running</source>
        <translation>
            <numerusform>%n exception running</numerusform>
            <numerusform>%n exceptions running</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>HostsPage</name>
    <message numerus="yes">
        <source>%n machine(s)</source>
        <translation>
            <numerusform>%n machine</numerusform>
            <numerusform>%n machines</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>InstanceRequests</name>
    <message numerus="yes">
        <source>%n instances</source>
        <translation>
            <numerusform>%n instance</numerusform>
            <numerusform>%n instances</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Delete %n instances? Their disks and keys are destroyed; nothing brings them back.</source>
        <translation>
            <numerusform>Delete %n instance? Its disk and keys are destroyed; nothing brings them back.</numerusform>
            <numerusform>Delete %n instances? Their disks and keys are destroyed; nothing brings them back.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Reset %n instances? What they hold in memory is lost.</source>
        <translation>
            <numerusform>Reset %n instance? What it holds in memory is lost.</numerusform>
            <numerusform>Reset %n instances? What they hold in memory is lost.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Stop %n instances? What they hold in memory is lost.</source>
        <translation>
            <numerusform>Stop %n instance? What it holds in memory is lost.</numerusform>
            <numerusform>Stop %n instances? What they hold in memory is lost.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n requests were stored: each is carried out once another administrator approves it</source>
        <translation>
            <numerusform>%n request was stored: it is carried out once another administrator approves it</numerusform>
            <numerusform>%n requests were stored: each is carried out once another administrator approves it</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>KeyDetail</name>
    <message numerus="yes">
        <source>and %n more</source>
        <translation>
            <numerusform>and %n more</numerusform>
            <numerusform>and %n more</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>KeyEnding</name>
    <message numerus="yes">
        <source>Nobody can use it from now on. It can be restored until it is destroyed in %n day(s).</source>
        <translation>
            <numerusform>Nobody can use it from now on. It can be restored until it is destroyed in %n day.</numerusform>
            <numerusform>Nobody can use it from now on. It can be restored until it is destroyed in %n days.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>KeysPage</name>
    <message numerus="yes">
        <source>%n key(s) wrapped anew</source>
        <translation>
            <numerusform>%n key wrapped anew</numerusform>
            <numerusform>%n keys wrapped anew</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>NavigationRail</name>
    <message numerus="yes">
        <source>%n wait(s)</source>
        <translation>
            <numerusform>%n waits</numerusform>
            <numerusform>%n wait</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>PacksTab</name>
    <message numerus="yes">
        <source>{0} {1} · %n rule(s) · {2}</source>
        <translation>
            <numerusform>{0} {1} · %n rule · {2}</numerusform>
            <numerusform>{0} {1} · %n rules · {2}</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>QueryBox</name>
    <message numerus="yes">
        <source>%n match(es)</source>
        <translation>
            <numerusform>%n match</numerusform>
            <numerusform>%n matches</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ReportExport</name>
    <message numerus="yes">
        <source>The report was written to {0}, %n page(s)</source>
        <translation>
            <numerusform>The report was written to {0}, %n page</numerusform>
            <numerusform>The report was written to {0}, %n pages</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ReviewPage</name>
    <message numerus="yes">
        <source>%n SSH key(s)</source>
        <translation>
            <numerusform>%n SSH key</numerusform>
            <numerusform>%n SSH keys</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>SecretsView</name>
    <message numerus="yes">
        <source>given %n time(s)</source>
        <translation>
            <numerusform>given %n time</numerusform>
            <numerusform>given %n times</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ShellWindow</name>
    <message numerus="yes">
        <source>%n instance(s) run inside this console and are powered off when it closes. What they hold in memory is lost.</source>
        <translation>
            <numerusform>%n instance runs inside this console and is powered off when it closes. What it holds in memory is lost.</numerusform>
            <numerusform>%n instances run inside this console and are powered off when it closes. What they hold in memory is lost.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>StatusLine</name>
    <message numerus="yes">
        <source>%n job(s) under way</source>
        <translation>
            <numerusform>%n job under way</numerusform>
            <numerusform>%n jobs under way</numerusform>
        </translation>
    </message>
</context>
</TS>
