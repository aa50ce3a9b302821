; Inno Setup script of the Windows installer. NOT RUN where this project is checked: it was written against Inno Setup
; 6.3's documentation, and wants a first run on Windows before a release. Called by build.ps1, which defines
; AppVersion, Bundle, Icon and Out.

#ifndef AppVersion
  #error build.ps1 defines AppVersion, Bundle, Icon and Out
#endif

[Setup]
AppId={{6C0B4A55-9E0E-4C57-9E5E-3F1D2C7A9B41}
AppName=ConfVM Console
AppVersion={#AppVersion}
AppVerName=ConfVM Console {#AppVersion}
AppPublisher=The ConfVM Console authors
DefaultDirName={autopf}\ConfVM Console
DefaultGroupName=ConfVM Console
DisableProgramGroupPage=yes
LicenseFile={#Bundle}\licences\LICENSE
InfoBeforeFile={#Bundle}\NOTICE
SetupIconFile={#Icon}
UninstallDisplayIcon={app}\confvm-gui.exe
OutputDir={#Out}
OutputBaseFilename=confvm-console-{#AppVersion}-windows-x86_64-setup
Compression=lzma2
SolidCompression=yes
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
MinVersion=10.0.17763
; Every user may install it for themselves; administrators choose for all.
PrivilegesRequired=lowest
PrivilegesRequiredOverridesAllowed=dialog
ChangesEnvironment=yes
CloseApplications=yes
; One time for all files, for two builds to be the same; build.ps1 gives it in UTC.
TimeStampsInUTC=yes
TouchDate={#TouchDate}
TouchTime={#TouchTime}
#ifdef SignTool
SignTool={#SignTool}
SignedUninstaller=yes
#endif

[Languages]
Name: "en"; MessagesFile: "compiler:Default.isl"
Name: "fr"; MessagesFile: "compiler:Languages\French.isl"

[CustomMessages]
en.AddToPath=Make the command confvm available in terminals
fr.AddToPath=Rendre la commande confvm disponible dans les terminaux

[Tasks]
Name: "desktopicon"; Description: "{cm:CreateDesktopIcon}"; GroupDescription: "{cm:AdditionalIcons}"; Flags: unchecked
Name: "path"; Description: "{cm:AddToPath}"

[Files]
Source: "{#Bundle}\*"; DestDir: "{app}"; Flags: ignoreversion recursesubdirs createallsubdirs touch

[InstallDelete]
; What an older version had in it must not be found by a newer one.
Type: filesandordirs; Name: "{app}\_internal"

[Icons]
Name: "{group}\ConfVM Console"; Filename: "{app}\confvm-gui.exe"
Name: "{autodesktop}\ConfVM Console"; Filename: "{app}\confvm-gui.exe"; Tasks: desktopicon

[Registry]
Root: HKA; Subkey: "{code:EnvironmentKey}"; ValueType: expandsz; ValueName: "Path"; ValueData: "{olddata};{app}"; \
    Tasks: path; Check: NotInPath

[Run]
Filename: "{app}\confvm-gui.exe"; Description: "{cm:LaunchProgram,ConfVM Console}"; Flags: nowait postinstall skipifsilent

[Code]
function EnvironmentKey(Param: String): String;
begin
  if IsAdminInstallMode then
    Result := 'SYSTEM\CurrentControlSet\Control\Session Manager\Environment'
  else
    Result := 'Environment';
end;

function CurrentPath: String;
begin
  if not RegQueryStringValue(HKA, EnvironmentKey(''), 'Path', Result) then
    Result := '';
end;

function NotInPath: Boolean;
begin
  Result := Pos(';' + Lowercase(ExpandConstant('{app}')) + ';', ';' + Lowercase(CurrentPath) + ';') = 0;
end;

procedure CurUninstallStepChanged(Step: TUninstallStep);
var
  Path, Ours: String;
  At: Integer;
begin
  if Step <> usUninstall then
    exit;
  Path := ';' + CurrentPath + ';';
  Ours := ';' + ExpandConstant('{app}') + ';';
  At := Pos(Lowercase(Ours), Lowercase(Path));
  if At > 0 then
  begin
    Delete(Path, At, Length(Ours) - 1);
    RegWriteExpandStringValue(HKA, EnvironmentKey(''), 'Path', Copy(Path, 2, Length(Path) - 2));
  end;
end;
