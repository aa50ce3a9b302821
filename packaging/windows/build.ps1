<#
.SYNOPSIS
Builds the Windows bundle and its installer. NOT RUN where this project is checked.

.DESCRIPTION
Needs Python 3.11 or newer and Inno Setup 6.3 or newer (ISCC.exe in PATH or in its usual folder). The bundle has no
libvirt: its Python binding is not made for Windows. Nor does the embedded engine run there yet: it hands its workers
file descriptors, and the self-test below says so.

With CONFVM_SIGN set (a command line with $f for the file, as Inno Setup's SignTool wants it), programs and installer
are signed.
#>
[CmdletBinding()]
param(
    [string] $Out = "$PSScriptRoot\..\..\dist",
    [string] $Work = "$PSScriptRoot\..\..\build"
)
Set-StrictMode -Version Latest
$ErrorActionPreference = "Stop"

function Invoke-Checked([string] $Program, [string[]] $Arguments) {
    & $Program @Arguments
    if ($LASTEXITCODE -ne 0) { throw "$Program ended with $LASTEXITCODE" }
}

$root = (Resolve-Path "$PSScriptRoot\..\..").Path
New-Item -ItemType Directory -Force $Work, $Out | Out-Null
$Work = (Resolve-Path $Work).Path
$Out = (Resolve-Path $Out).Path

$python = "$Work\environment\Scripts\python.exe"
if (-not (Test-Path $python)) {
    Invoke-Checked "py" @("-3", "-m", "venv", "$Work\environment")
    Invoke-Checked $python @("-m", "pip", "install", "--quiet", "--constraint",
        "$root\packaging\installers\versions.txt", "$root[build,hsm,aws,gce,azure]")
}

$env:PYTHONPATH = "$root\packaging"
$env:PYTHONHASHSEED = "0"
$env:PYTHONDONTWRITEBYTECODE = "1"
Invoke-Checked $python @("-m", "installers", "--work", $Work, "--out", $Out, "--only", "bundle")

$bundle = "$Work\bundle\dist\confvm-console"
Invoke-Checked "$bundle\confvm.exe" @("--version")
# A program without a terminal is not waited for by itself.
$test = Start-Process "$bundle\confvm-gui.exe" -ArgumentList "--self-test" -Wait -PassThru
if ($test.ExitCode -ne 0) { throw "the self-test of the bundle failed" }

if ($env:CONFVM_SIGN) {
    foreach ($program in "confvm.exe", "confvm-gui.exe") {
        $words = -split $env:CONFVM_SIGN.Replace('$f', "$bundle\$program")
        Invoke-Checked $words[0] $words[1..($words.Length - 1)]
    }
}

$version = & $python -c "import confvm_gui; print(confvm_gui.__version__)"
$made = (Get-Item "$bundle\NOTICE").LastWriteTimeUtc
$arguments = @("/Qp", "/DAppVersion=$version", "/DBundle=$bundle", "/DIcon=$Work\confvm.ico", "/DOut=$Out",
    "/DTouchDate=$($made.ToString('yyyy-MM-dd'))", "/DTouchTime=$($made.ToString('HH:mm'))")
if ($env:CONFVM_SIGN) { $arguments += "/DSignTool=confvm", "/Sconfvm=$env:CONFVM_SIGN" }
$compiler = Get-Command ISCC.exe -ErrorAction SilentlyContinue
$iscc = if ($compiler) { $compiler.Source } else { "${env:ProgramFiles(x86)}\Inno Setup 6\ISCC.exe" }
Invoke-Checked $iscc ($arguments + "$PSScriptRoot\confvm.iss")
