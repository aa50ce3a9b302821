<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="fr" sourcelanguage="en">
<context>
    <name>AboutPanel</name>
    <message>
        <source>Version {version}, Apache License 2.0</source>
        <translation>Version {version}, licence Apache 2.0</translation>
    </message>
    <message>
        <source>Launch, watch, prove and govern confidential virtual machines.</source>
        <translation>Lancer, observer, prouver et gouverner des machines virtuelles confidentielles.</translation>
    </message>
    <message>
        <source>The embedded engine emulates AMD&apos;s secure processor and memory encryption in software. It shows how they work and rehearses real launches; it does not protect this computer, and its constants are not AMD&apos;s. Wherever something is emulated, the window says so.</source>
        <translation>Le moteur intégré émule par logiciel le processeur sécurisé et le chiffrement mémoire d’AMD. Il montre comment ils fonctionnent et répète de vrais lancements&#xa0;; il ne protège pas cet ordinateur, et ses constantes ne sont pas celles d’AMD. Partout où quelque chose est émulé, la fenêtre le dit.</translation>
    </message>
    <message>
        <source>Stands on</source>
        <translation>Repose sur</translation>
    </message>
</context>
<context>
    <name>AccessPage</name>
    <message>
        <source>Approvals</source>
        <translation>Approbations</translation>
    </message>
    <message>
        <source>Roles</source>
        <translation>Rôles</translation>
    </message>
    <message>
        <source>Access</source>
        <translation>Accès</translation>
    </message>
</context>
<context>
    <name>AccountsPage</name>
    <message>
        <source>Cloud accounts</source>
        <translation>Comptes cloud</translation>
    </message>
    <message>
        <source>Projects in clouds whose instances stand in the fleet, with those that were made elsewhere. Keys of accounts are kept in the system keyring and nowhere else.</source>
        <translation>Projets cloud dont les instances figurent dans le parc, y compris celles créées ailleurs. Les clés des comptes sont gardées dans le trousseau du système et nulle part ailleurs.</translation>
    </message>
    <message>
        <source>No account yet</source>
        <translation>Aucun compte</translation>
    </message>
    <message>
        <source>Name a project above. Test says which permissions are missing before you add it.</source>
        <translation>Nommez un projet ci-dessus. Tester dit quelles autorisations manquent avant de l’ajouter.</translation>
    </message>
    <message>
        <source>&amp;Connect now</source>
        <translation>Se &amp;connecter maintenant</translation>
    </message>
    <message>
        <source>T&amp;est</source>
        <translation>T&amp;ester</translation>
    </message>
    <message>
        <source>&amp;Remove from the list</source>
        <translation>&amp;Retirer de la liste</translation>
    </message>
    <message>
        <source>reading only</source>
        <translation>lecture seule</translation>
    </message>
    <message numerus="yes">
        <source>%n instance(s)</source>
        <translation>
            <numerusform>%n instance</numerusform>
            <numerusform>%n instances</numerusform>
        </translation>
    </message>
    <message>
        <source>connected</source>
        <translation>connecté</translation>
    </message>
    <message>
        <source>connecting</source>
        <translation>connexion</translation>
    </message>
    <message>
        <source>not connected</source>
        <translation>non connecté</translation>
    </message>
    <message>
        <source>Connected</source>
        <translation>Connecté</translation>
    </message>
    <message>
        <source>Connecting …</source>
        <translation>Connexion …</translation>
    </message>
    <message>
        <source>Not connected: {0}</source>
        <translation>Non connecté&#xa0;: {0}</translation>
    </message>
    <message>
        <source>Allow &amp;changes</source>
        <translation>Autoriser les mo&amp;difications</translation>
    </message>
    <message>
        <source>Make reading &amp;only</source>
        <translation>Passer en &amp;lecture seule</translation>
    </message>
    <message>
        <source>What runs there runs on, but is not shown any more</source>
        <translation>Ce qui y tourne continue de tourner, mais n’est plus affiché</translation>
    </message>
    <message>
        <source>Logging in …</source>
        <translation>Ouverture de session …</translation>
    </message>
    <message>
        <source>No permission is missing.</source>
        <translation>Il ne manque aucune autorisation.</translation>
    </message>
    <message>
        <source>{0}: {1}</source>
        <translation>{0}&#xa0;: {1}</translation>
    </message>
    <message>
        <source>These permissions are missing:</source>
        <translation>Ces autorisations manquent&#xa0;:</translation>
    </message>
</context>
<context>
    <name>AddAccountForm</name>
    <message>
        <source>as it follows from the project</source>
        <translation>d’après le projet</translation>
    </message>
    <message>
        <source>Path of the JSON file; it is kept in the system keyring</source>
        <translation>Chemin du fichier JSON&#xa0;; il est gardé dans le trousseau du système</translation>
    </message>
    <message>
        <source>&amp;Browse …</source>
        <translation>&amp;Parcourir …</translation>
    </message>
    <message>
        <source>For &amp;reading only: nothing can be made or changed through it</source>
        <translation>En lecture &amp;seule&#xa0;: rien ne peut être créé ni modifié par ce compte</translation>
    </message>
    <message>
        <source>&amp;Test</source>
        <translation>&amp;Tester</translation>
    </message>
    <message>
        <source>Log in once and say what the account may do; nothing is kept</source>
        <translation>Ouvrir une session une fois et dire ce que le compte peut faire&#xa0;; rien n’est conservé</translation>
    </message>
    <message>
        <source>&amp;Add account</source>
        <translation>&amp;Ajouter le compte</translation>
    </message>
    <message>
        <source>&amp;Cloud</source>
        <translation>&amp;Nuage</translation>
    </message>
    <message>
        <source>&amp;Name in the fleet</source>
        <translation>No&amp;m dans le parc</translation>
    </message>
    <message>
        <source>Choose a key file</source>
        <translation>Choisir un fichier de clé</translation>
    </message>
    <message>
        <source>JSON (*.json)</source>
        <translation>JSON (*.json)</translation>
    </message>
    <message>
        <source>All files (*)</source>
        <translation>Tous les fichiers (*)</translation>
    </message>
    <message>
        <source>Logging in …</source>
        <translation>Ouverture de session …</translation>
    </message>
    <message>
        <source>{0}. These permissions are missing: {1}</source>
        <translation>{0}. Ces autorisations manquent&#xa0;: {1}</translation>
    </message>
    <message>
        <source>{0}. No permission is missing.</source>
        <translation>{0}. Il ne manque aucune autorisation.</translation>
    </message>
</context>
<context>
    <name>AddHostForm</name>
    <message>
        <source>&amp;Test</source>
        <translation>&amp;Tester</translation>
    </message>
    <message>
        <source>Connect once and say what the host can do; nothing is kept</source>
        <translation>Se connecter une fois et dire ce que l’hôte sait faire ; rien n’est conservé</translation>
    </message>
    <message>
        <source>&amp;Add host</source>
        <translation>&amp;Ajouter l’hôte</translation>
    </message>
    <message>
        <source>This computer:</source>
        <translation>Cet ordinateur :</translation>
    </message>
    <message>
        <source>Address of a &amp;host with libvirt</source>
        <translation>Adresse d’un &amp;hôte avec libvirt</translation>
    </message>
    <message>
        <source>Connecting to {0} …</source>
        <translation>Connexion à {0} …</translation>
    </message>
    <message>
        <source>The host answers. It offers: {0}.</source>
        <translation>L’hôte répond. Il propose : {0}.</translation>
    </message>
    <message>
        <source>The host answers. It runs plain VMs only: {0}</source>
        <translation>L’hôte répond. Il n’exécute que des VM ordinaires : {0}</translation>
    </message>
    <message>
        <source>The host answers.</source>
        <translation>L’hôte répond.</translation>
    </message>
</context>
<context>
    <name>AgreementView</name>
    <message>
        <source>Data of several owners</source>
        <translation>Données de plusieurs propriétaires</translation>
    </message>
    <message>
        <source>&amp;Open an agreement …</source>
        <translation>&amp;Ouvrir un accord…</translation>
    </message>
    <message>
        <source>Owners seal their data so that only a guest which all of them approved opens it: no owner alone, no other guest, not the host. What they exchange are files, none of them secret.</source>
        <translation>Des propriétaires scellent leurs données pour que seul un invité que tous ont approuvé les ouvre&#xa0;: aucun propriétaire seul, aucun autre invité, ni l’hôte. Ils échangent des fichiers, dont aucun n’est secret.</translation>
    </message>
    <message>
        <source>Cards, sealed data and agreements are made with `confvm share`; Help tells how, step by step.</source>
        <translation>Cartes, données scellées et accords se font avec `confvm share`&#xa0;; l’Aide dit comment, pas à pas.</translation>
    </message>
    <message>
        <source>No agreement is open</source>
        <translation>Aucun accord n’est ouvert</translation>
    </message>
    <message>
        <source>&amp;Approve and save …</source>
        <translation>&amp;Approuver et enregistrer…</translation>
    </message>
    <message>
        <source>Give a &amp;nonce</source>
        <translation>Donner un &amp;nonce</translation>
    </message>
    <message>
        <source>&amp;Release to a guest …</source>
        <translation>&amp;Remettre à un invité…</translation>
    </message>
    <message>
        <source>&amp;Save the release …</source>
        <translation>&amp;Enregistrer la remise…</translation>
    </message>
    <message>
        <source>Open an agreement</source>
        <translation>Ouvrir un accord</translation>
    </message>
    <message>
        <source>Save the approved agreement</source>
        <translation>Enregistrer l’accord approuvé</translation>
    </message>
    <message>
        <source>Choose the request and the data sets of all owners</source>
        <translation>Choisir la demande et les jeux de données de tous les propriétaires</translation>
    </message>
    <message>
        <source>Save the release</source>
        <translation>Enregistrer la remise</translation>
    </message>
    <message>
        <source>Written to {file}.</source>
        <translation>Écrit dans {file}.</translation>
    </message>
    <message>
        <source>has approved</source>
        <translation>a approuvé</translation>
    </message>
    <message>
        <source>has not approved</source>
        <translation>n’a pas approuvé</translation>
    </message>
    <message>
        <source>Owner</source>
        <translation>Propriétaire</translation>
    </message>
    <message>
        <source>May ask the guest</source>
        <translation>Peut interroger l’invité</translation>
    </message>
    <message>
        <source>Launch digest</source>
        <translation>Empreinte de lancement</translation>
    </message>
    <message>
        <source>Policy</source>
        <translation>Politique</translation>
    </message>
    <message>
        <source>any without debugging</source>
        <translation>toute politique sans débogage</translation>
    </message>
    <message>
        <source>At least</source>
        <translation>Au moins</translation>
    </message>
    <message>
        <source>no floor</source>
        <translation>aucun minimum</translation>
    </message>
    <message>
        <source>{root} (emulated)</source>
        <translation>{root} (émulée)</translation>
    </message>
    <message>
        <source>Signed below</source>
        <translation>Signé sous</translation>
    </message>
    <message>
        <source>AMD&apos;s own roots</source>
        <translation>les racines d’AMD</translation>
    </message>
    <message>
        <source>Agreement</source>
        <translation>Accord</translation>
    </message>
    <message>
        <source>Choose one request, and the data sets of all owners</source>
        <translation>Choisissez une demande, et les jeux de données de tous les propriétaires</translation>
    </message>
    <message>
        <source>The guest meets what you approved. Your share is sealed to it.</source>
        <translation>L’invité répond à ce que vous avez approuvé. Votre part est scellée pour lui.</translation>
    </message>
    <message>
        <source>Not all owners have approved yet</source>
        <translation>Tous les propriétaires n’ont pas encore approuvé</translation>
    </message>
    <message>
        <source>All owners have approved</source>
        <translation>Tous les propriétaires ont approuvé</translation>
    </message>
    <message>
        <source>Shared data</source>
        <translation>Données partagées</translation>
    </message>
</context>
<context>
    <name>ApprovalIntent</name>
    <message>
        <source>Destroyed</source>
        <translation>Détruite</translation>
    </message>
    <message>
        <source>Data that are lost</source>
        <translation>Données perdues</translation>
    </message>
    <message>
        <source>Pack</source>
        <translation>Lot</translation>
    </message>
    <message>
        <source>Rule</source>
        <translation>Règle</translation>
    </message>
    <message>
        <source>For</source>
        <translation>Pour</translation>
    </message>
    <message>
        <source>Why</source>
        <translation>Pourquoi</translation>
    </message>
    <message>
        <source>Lasts</source>
        <translation>Durée</translation>
    </message>
    <message>
        <source>at once</source>
        <translation>immédiatement</translation>
    </message>
</context>
<context>
    <name>ApprovalKind</name>
    <message>
        <source>Deleting an instance</source>
        <translation>Suppression d’une instance</translation>
    </message>
    <message>
        <source>Destroying a key</source>
        <translation>Destruction d’une clé</translation>
    </message>
    <message>
        <source>An exception from a guardrail</source>
        <translation>Exception à un garde-fou</translation>
    </message>
    <message>
        <source>now</source>
        <translation>maintenant</translation>
    </message>
    <message>
        <source>in {time}</source>
        <translation>dans {time}</translation>
    </message>
</context>
<context>
    <name>ApprovalStatus</name>
    <message>
        <source>waiting</source>
        <translation>en attente</translation>
    </message>
    <message>
        <source>approved</source>
        <translation>approuvée</translation>
    </message>
    <message>
        <source>refused</source>
        <translation>refusée</translation>
    </message>
    <message>
        <source>expired</source>
        <translation>expirée</translation>
    </message>
    <message>
        <source>done</source>
        <translation>exécutée</translation>
    </message>
    <message>
        <source>failed</source>
        <translation>échouée</translation>
    </message>
</context>
<context>
    <name>ApprovalsView</name>
    <message>
        <source>Nothing waits for a second person</source>
        <translation>Rien n’attend une seconde personne</translation>
    </message>
    <message>
        <source>What needs two people is chosen below Roles. Requests stand here until somebody else decides.</source>
        <translation>Ce qui demande deux personnes se choisit sous Rôles. Les demandes restent ici jusqu’à ce que quelqu’un d’autre décide.</translation>
    </message>
    <message>
        <source>Requests</source>
        <translation>Demandes</translation>
    </message>
    <message>
        <source>&amp;Reason</source>
        <translation>&amp;Motif</translation>
    </message>
    <message>
        <source>&amp;Approve and carry out</source>
        <translation>&amp;Approuver et exécuter</translation>
    </message>
    <message>
        <source>Re&amp;fuse</source>
        <translation>Re&amp;fuser</translation>
    </message>
    <message>
        <source>asked by {user}, {at}</source>
        <translation>demandé par {user}, {at}</translation>
    </message>
    <message>
        <source>Take &amp;back</source>
        <translation>&amp;Retirer</translation>
    </message>
    <message>
        <source>What</source>
        <translation>Quoi</translation>
    </message>
    <message>
        <source>About</source>
        <translation>Objet</translation>
    </message>
    <message>
        <source>Asked by</source>
        <translation>Demandé par</translation>
    </message>
    <message>
        <source>Expires</source>
        <translation>Expire</translation>
    </message>
    <message>
        <source>State</source>
        <translation>État</translation>
    </message>
    <message>
        <source>Decided by</source>
        <translation>Décidé par</translation>
    </message>
    <message>
        <source>Reason</source>
        <translation>Motif</translation>
    </message>
    <message>
        <source>Say why: whoever asked for it will read it</source>
        <translation>Dites pourquoi&#xa0;: l’auteur de la demande le lira</translation>
    </message>
    <message>
        <source>Your decision is left for the console that has the data directory open.</source>
        <translation>Votre décision est laissée à la console qui a ouvert le répertoire de données.</translation>
    </message>
    <message>
        <source>Approved, but not carried out: {reason}</source>
        <translation>Approuvée, mais pas exécutée&#xa0;: {reason}</translation>
    </message>
    <message>
        <source>Approved; it is carried out as soon as what does it is connected.</source>
        <translation>Approuvée&#xa0;; elle sera exécutée dès que ce qui s’en charge sera connecté.</translation>
    </message>
    <message>
        <source>Approved and carried out.</source>
        <translation>Approuvée et exécutée.</translation>
    </message>
    <message>
        <source>Refused; nothing was done.</source>
        <translation>Refusée&#xa0;; rien n’a été fait.</translation>
    </message>
</context>
<context>
    <name>AttestationPanel</name>
    <message>
        <source>Ask for fresh evidence</source>
        <translation>Demander une preuve fraîche</translation>
    </message>
    <message>
        <source>Which evidence</source>
        <translation>Quelle preuve</translation>
    </message>
    <message>
        <source>Export the evidence bundle as one zip</source>
        <translation>Exporter le paquet de preuve en un seul zip</translation>
    </message>
    <message>
        <source>Export the evidence bundle</source>
        <translation>Exporter le paquet de preuve</translation>
    </message>
    <message>
        <source>History</source>
        <translation>Historique</translation>
    </message>
    <message>
        <source>Baseline</source>
        <translation>Référence</translation>
    </message>
    <message>
        <source>TCB</source>
        <translation>TCB</translation>
    </message>
    <message>
        <source>Select a verdict to see it; it stays until fresh evidence comes.</source>
        <translation>Choisissez un verdict pour le voir&#xa0;; il reste jusqu’à ce qu’une preuve fraîche arrive.</translation>
    </message>
    <message>
        <source>Asking …</source>
        <translation>Demande en cours …</translation>
    </message>
    <message>
        <source>With a new nonce, so that an old answer cannot be given again</source>
        <translation>Avec un nonce neuf, pour qu’une ancienne réponse ne puisse pas être redonnée</translation>
    </message>
    <message>
        <source>Not confidential</source>
        <translation>Non confidentielle</translation>
    </message>
    <message>
        <source>There is nothing to attest. Make it a confidential VM.</source>
        <translation>Il n’y a rien à attester. Faites-en une VM confidentielle.</translation>
    </message>
    <message>
        <source>Whoever controls the host reads its memory, whatever its vTPM says of what was booted.</source>
        <translation>Qui contrôle l’hôte lit sa mémoire, quoi que dise son vTPM de ce qui a démarré.</translation>
    </message>
    <message>
        <source>Its vTPM can be asked for a quote: it tells what was booted, and protects nothing.</source>
        <translation>On peut demander une citation à son vTPM&#xa0;: elle dit ce qui a démarré, et ne protège rien.</translation>
    </message>
    <message>
        <source>Never asked</source>
        <translation>Jamais demandée</translation>
    </message>
    <message>
        <source>No evidence of this instance was verified yet.</source>
        <translation>Aucune preuve de cette instance n’a encore été vérifiée.</translation>
    </message>
    <message>
        <source>Its hardware is emulated: evidence of it proves nothing about hardware.</source>
        <translation>Son matériel est émulé&#xa0;: sa preuve ne prouve rien sur du matériel.</translation>
    </message>
    <message>
        <source>Evidence says what was launched, on which firmware, and who vouches for it.</source>
        <translation>Une preuve dit ce qui a été lancé, sur quel micrologiciel, et qui s’en porte garant.</translation>
    </message>
    <message>
        <source>History ({count})</source>
        <translation>Historique ({count})</translation>
    </message>
    <message>
        <source>Baseline ({count} changed)</source>
        <translation>Référence ({count} changé)</translation>
    </message>
</context>
<context>
    <name>AuditPage</name>
    <message>
        <source>Export</source>
        <translation>Exporter</translation>
    </message>
    <message>
        <source>Forwarding</source>
        <translation>Transfert</translation>
    </message>
    <message>
        <source>Write what is shown to a file</source>
        <translation>Écrire ce qui est affiché dans un fichier</translation>
    </message>
    <message>
        <source>JSON Lines …</source>
        <translation>JSON Lines …</translation>
    </message>
    <message>
        <source>CEF, for ArcSight and others …</source>
        <translation>CEF, pour ArcSight et d’autres …</translation>
    </message>
    <message>
        <source>OCSF …</source>
        <translation>OCSF …</translation>
    </message>
    <message>
        <source>Export the audit log</source>
        <translation>Exporter le journal d’audit</translation>
    </message>
    <message>
        <source>What is shown was written to {file}</source>
        <translation>Ce qui est affiché a été écrit dans {file}</translation>
    </message>
</context>
<context>
    <name>Banner</name>
    <message>
        <source>Dismiss</source>
        <translation>Fermer</translation>
    </message>
</context>
<context>
    <name>BaselineView</name>
    <message>
        <source>Accept as baseline</source>
        <translation>Accepter comme référence</translation>
    </message>
    <message>
        <source>From now on, what this record says is what is expected</source>
        <translation>Désormais, ce que dit cet enregistrement est ce qui est attendu</translation>
    </message>
    <message>
        <source>Forget</source>
        <translation>Oublier</translation>
    </message>
    <message>
        <source>Compare with nothing until a baseline is accepted or learned again</source>
        <translation>Ne comparer à rien jusqu’à ce qu’une référence soit de nouveau acceptée ou apprise</translation>
    </message>
    <message>
        <source>Baseline</source>
        <translation>Référence</translation>
    </message>
    <message>
        <source>No baseline</source>
        <translation>Pas de référence</translation>
    </message>
    <message>
        <source>No baseline yet</source>
        <translation>Pas encore de référence</translation>
    </message>
    <message>
        <source>A baseline remembers what trusted evidence said, so that later evidence can be compared with it. Accept this record, or switch on integrity monitoring, which learns it from the first boot.</source>
        <translation>Une référence retient ce que disait une preuve fiable, pour y comparer les suivantes. Acceptez cet enregistrement, ou activez la surveillance de l’intégrité, qui l’apprend du premier démarrage.</translation>
    </message>
    <message>
        <source>There is no evidence to compare.</source>
        <translation>Il n’y a pas de preuve à comparer.</translation>
    </message>
    <message>
        <source>learned from the first boot</source>
        <translation>apprise du premier démarrage</translation>
    </message>
    <message>
        <source>accepted by the administrator</source>
        <translation>acceptée par l’administrateur</translation>
    </message>
    <message>
        <source>Baseline of the {form}: {origin}, {moment}.</source>
        <translation>Référence de la preuve «&#xa0;{form}&#xa0;»&#xa0;: {origin}, {moment}.</translation>
    </message>
    <message>
        <source>Emulated.</source>
        <translation>Émulé.</translation>
    </message>
    <message numerus="yes">
        <source>%n claim(s) changed since.</source>
        <translation>
            <numerusform>%n déclaration a changé depuis.</numerusform>
            <numerusform>%n déclarations ont changé depuis.</numerusform>
        </translation>
    </message>
    <message>
        <source>Nothing changed since.</source>
        <translation>Rien n’a changé depuis.</translation>
    </message>
    <message>
        <source>changed</source>
        <translation>changé</translation>
    </message>
    <message>
        <source>absent</source>
        <translation>absent</translation>
    </message>
    <message>
        <source>same</source>
        <translation>identique</translation>
    </message>
    <message>
        <source>State</source>
        <translation>État</translation>
    </message>
    <message>
        <source>What it stands for</source>
        <translation>Ce que c’est</translation>
    </message>
    <message>
        <source>Claim</source>
        <translation>Déclaration</translation>
    </message>
    <message>
        <source>This record</source>
        <translation>Cet enregistrement</translation>
    </message>
    <message>
        <source>{what}: expected {expected}, found {actual}</source>
        <translation>{what}&#xa0;: attendu {expected}, trouvé {actual}</translation>
    </message>
</context>
<context>
    <name>BindForm</name>
    <message>
        <source>From a &amp;file …</source>
        <translation>D’un &amp;fichier…</translation>
    </message>
    <message>
        <source>96 hexadecimal digits</source>
        <translation>96 chiffres hexadécimaux</translation>
    </message>
    <message>
        <source>&amp;Only this instance, as long as it runs</source>
        <translation>&amp;Seulement cette instance, tant qu’elle s’exécute</translation>
    </message>
    <message>
        <source>&amp;Bind the secret</source>
        <translation>&amp;Lier le secret</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Annuler</translation>
    </message>
    <message>
        <source>&amp;Launch digest</source>
        <translation>&amp;Empreinte de lancement</translation>
    </message>
    <message>
        <source>&amp;Name</source>
        <translation>&amp;Nom</translation>
    </message>
    <message>
        <source>&amp;Secret</source>
        <translation>S&amp;ecret</translation>
    </message>
    <message>
        <source>&amp;Key that wraps it</source>
        <translation>&amp;Clé qui l’enveloppe</translation>
    </message>
    <message>
        <source>For a &amp;guest that shows what this shows</source>
        <translation>Pour un &amp;invité qui montre ce que celui-ci montre</translation>
    </message>
    <message>
        <source>Its launch measurement and policy now, and its TCB as the least. Debugging is never accepted.</source>
        <translation>Sa mesure de lancement et sa politique actuelles, et son TCB comme minimum. Le débogage n’est jamais accepté.</translation>
    </message>
    <message>
        <source>A secret for a guest</source>
        <translation>Un secret pour un invité</translation>
    </message>
    <message>
        <source>A launch digest that I type</source>
        <translation>Une empreinte de lancement que je saisis</translation>
    </message>
    <message>
        <source>Binding it …</source>
        <translation>Liaison en cours…</translation>
    </message>
    <message>
        <source>The secret</source>
        <translation>Le secret</translation>
    </message>
    <message>
        <source>A launch digest has 96 hexadecimal digits</source>
        <translation>Une empreinte de lancement a 96 chiffres hexadécimaux</translation>
    </message>
</context>
<context>
    <name>BookmarksModel</name>
    <message>
        <source>Address</source>
        <translation>Adresse</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>Nom</translation>
    </message>
</context>
<context>
    <name>BookmarksTab</name>
    <message>
        <source>Name of the bookmark</source>
        <translation>Nom du signet</translation>
    </message>
    <message>
        <source>Name for the address under the cursor</source>
        <translation>Nom de l’adresse sous le curseur</translation>
    </message>
    <message>
        <source>Add bookmark</source>
        <translation>Ajouter un signet</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>Retirer</translation>
    </message>
    <message>
        <source>Bookmarks</source>
        <translation>Signets</translation>
    </message>
    <message>
        <source>No bookmarks yet. Put the cursor on a byte, type a name and press Enter (Ctrl+D).</source>
        <translation>Aucun signet. Placez le curseur sur un octet, tapez un nom et appuyez sur Entrée (Ctrl+D).</translation>
    </message>
    <message>
        <source>Select the bookmark to remove</source>
        <translation>Choisissez le signet à retirer</translation>
    </message>
</context>
<context>
    <name>BundleExport</name>
    <message>
        <source>Export the evidence bundle</source>
        <translation>Exporter le paquet de preuve</translation>
    </message>
    <message>
        <source>The bundle was written to {file}; “confvm verify” takes it again, anywhere.</source>
        <translation>Le paquet a été écrit dans {file}&#xa0;; «&#xa0;confvm verify&#xa0;» le reprend, n’importe où.</translation>
    </message>
</context>
<context>
    <name>ByteClipboard</name>
    <message>
        <source>Copy as hex</source>
        <translation>Copier en hexadécimal</translation>
    </message>
    <message>
        <source>Copy as text</source>
        <translation>Copier comme texte</translation>
    </message>
    <message>
        <source>Copy address</source>
        <translation>Copier l’adresse</translation>
    </message>
    <message>
        <source>Search for the selection</source>
        <translation>Chercher la sélection</translation>
    </message>
    <message>
        <source>Bookmark this address …</source>
        <translation>Mettre un signet à cette adresse …</translation>
    </message>
    <message>
        <source>{size} copied</source>
        <translation>{size} copiés</translation>
    </message>
</context>
<context>
    <name>CacheView</name>
    <message>
        <source>Endorsements</source>
        <translation>Garanties</translation>
    </message>
    <message>
        <source>Clear</source>
        <translation>Effacer</translation>
    </message>
    <message>
        <source>Export …</source>
        <translation>Exporter …</translation>
    </message>
    <message>
        <source>Add …</source>
        <translation>Ajouter …</translation>
    </message>
    <message>
        <source>Forget the selected endorsements, or all if none is selected</source>
        <translation>Oublier les garanties choisies, ou toutes si aucune ne l’est</translation>
    </message>
    <message>
        <source>Write all of them as one zip, for a computer that has no network</source>
        <translation>Les écrire toutes en un zip, pour un ordinateur sans réseau</translation>
    </message>
    <message>
        <source>Take over a zip that another console has exported</source>
        <translation>Reprendre un zip exporté par une autre console</translation>
    </message>
    <message>
        <source>No endorsements yet</source>
        <translation>Pas encore de garanties</translation>
    </message>
    <message>
        <source>What AMD and Intel say of their chips is kept here once it was fetched, so that evidence can be verified again without a network.</source>
        <translation>Ce qu’AMD et Intel disent de leurs puces est gardé ici une fois chargé, pour revérifier des preuves sans réseau.</translation>
    </message>
    <message>
        <source>This session keeps no endorsements</source>
        <translation>Cette session ne garde pas de garanties</translation>
    </message>
    <message>
        <source>Give them as files beside the evidence.</source>
        <translation>Donnez-les en fichiers à côté de la preuve.</translation>
    </message>
    <message numerus="yes">
        <source>%n endorsement(s), {size}</source>
        <translation>
            <numerusform>%n garantie, {size}</numerusform>
            <numerusform>%n garanties, {size}</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n address(es) to wait for</source>
        <translation>
            <numerusform>%n adresse à attendre</numerusform>
            <numerusform>%n adresses à attendre</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Forget %n endorsement(s)? What is still needed is fetched again, where there is a network.</source>
        <translation>
            <numerusform>Oublier %n garantie&#xa0;? Ce qui sert encore est rechargé, s’il y a un réseau.</numerusform>
            <numerusform>Oublier %n garanties&#xa0;? Ce qui sert encore est rechargé, s’il y a un réseau.</numerusform>
        </translation>
    </message>
    <message>
        <source>Keep</source>
        <translation>Garder</translation>
    </message>
    <message numerus="yes">
        <source>%n endorsement(s) forgotten.</source>
        <translation>
            <numerusform>%n garantie oubliée.</numerusform>
            <numerusform>%n garanties oubliées.</numerusform>
        </translation>
    </message>
    <message>
        <source>Export the endorsements</source>
        <translation>Exporter les garanties</translation>
    </message>
    <message numerus="yes">
        <source>%n endorsement(s) written to {file}.</source>
        <translation>
            <numerusform>%n garantie écrite dans {file}.</numerusform>
            <numerusform>%n garanties écrites dans {file}.</numerusform>
        </translation>
    </message>
    <message>
        <source>Add endorsements</source>
        <translation>Ajouter des garanties</translation>
    </message>
    <message numerus="yes">
        <source>%n endorsement(s) added.</source>
        <translation>
            <numerusform>%n garantie ajoutée.</numerusform>
            <numerusform>%n garanties ajoutées.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ChainPicture</name>
    <message>
        <source>Root</source>
        <translation>Racine</translation>
    </message>
    <message>
        <source>Pinned root</source>
        <translation>Racine épinglée</translation>
    </message>
    <message>
        <source>Verified</source>
        <translation>Vérifié</translation>
    </message>
    <message>
        <source>Root not trusted</source>
        <translation>Racine non fiable</translation>
    </message>
    <message>
        <source>Fails</source>
        <translation>Échoue</translation>
    </message>
    <message>
        <source>Nobody vouches</source>
        <translation>Sans garant</translation>
    </message>
    <message>
        <source>{name}: {state}</source>
        <translation>{name}&#xa0;: {state}</translation>
    </message>
    <message>
        <source>{name}, vouched for by {issuer}: {state}</source>
        <translation>{name}, garanti par {issuer}&#xa0;: {state}</translation>
    </message>
    <message>
        <source>{name}, vouched for by nobody: {state}</source>
        <translation>{name}, sans garant&#xa0;: {state}</translation>
    </message>
    <message>
        <source>valid {dates}</source>
        <translation>valable {dates}</translation>
    </message>
    <message>
        <source>emulated: proves nothing about hardware</source>
        <translation>émulé&#xa0;: ne prouve rien sur du matériel</translation>
    </message>
    <message>
        <source>SHA-256 {fingerprint}</source>
        <translation>SHA-256 {fingerprint}</translation>
    </message>
    <message>
        <source>Evidence</source>
        <translation>Preuve</translation>
    </message>
    <message>
        <source>EMULATED</source>
        <translation>ÉMULÉ</translation>
    </message>
    <message>
        <source>Chain of trust: {count} links, {state}</source>
        <translation>Chaîne de confiance&#xa0;: {count} maillons, {state}</translation>
    </message>
    <message>
        <source>all verified</source>
        <translation>tout est vérifié</translation>
    </message>
    <message>
        <source>broken at {name}</source>
        <translation>rompue à {name}</translation>
    </message>
    <message>
        <source>Select a box to see its whole fingerprint.</source>
        <translation>Choisissez une case pour voir toute son empreinte.</translation>
    </message>
    <message>
        <source>This evidence has no chain: nobody vouches for it.</source>
        <translation>Cette preuve n’a pas de chaîne&#xa0;: personne ne s’en porte garant.</translation>
    </message>
    <message>
        <source>SHA-256 of the certificate: {fingerprint}</source>
        <translation>SHA-256 du certificat&#xa0;: {fingerprint}</translation>
    </message>
</context>
<context>
    <name>ClaimGroup</name>
    <message>
        <source>What it says of itself</source>
        <translation>Ce qu’elle dit d’elle-même</translation>
    </message>
    <message>
        <source>Policy</source>
        <translation>Politique</translation>
    </message>
    <message>
        <source>Platform</source>
        <translation>Plateforme</translation>
    </message>
    <message>
        <source>TCB: reported</source>
        <translation>TCB&#xa0;: déclaré</translation>
    </message>
    <message>
        <source>TCB: committed</source>
        <translation>TCB&#xa0;: engagé</translation>
    </message>
    <message>
        <source>TCB: current</source>
        <translation>TCB&#xa0;: actuel</translation>
    </message>
    <message>
        <source>TCB: at launch</source>
        <translation>TCB&#xa0;: au lancement</translation>
    </message>
    <message>
        <source>Certificate</source>
        <translation>Certificat</translation>
    </message>
    <message>
        <source>Secure Boot</source>
        <translation>Secure Boot</translation>
    </message>
    <message>
        <source>PCRs (SHA-1)</source>
        <translation>PCR (SHA-1)</translation>
    </message>
    <message>
        <source>PCRs (SHA-256)</source>
        <translation>PCR (SHA-256)</translation>
    </message>
    <message>
        <source>PCRs (SHA-384)</source>
        <translation>PCR (SHA-384)</translation>
    </message>
</context>
<context>
    <name>ClaimsModel</name>
    <message>
        <source>Claim</source>
        <translation>Déclaration</translation>
    </message>
    <message>
        <source>Value</source>
        <translation>Valeur</translation>
    </message>
    <message>
        <source>Where it stands</source>
        <translation>Où cela figure</translation>
    </message>
</context>
<context>
    <name>ClaimsView</name>
    <message>
        <source>Filter claims, such as tcb or policy debug</source>
        <translation>Filtrer les déclarations, par exemple tcb ou policy debug</translation>
    </message>
    <message>
        <source>Filter claims</source>
        <translation>Filtrer les déclarations</translation>
    </message>
    <message>
        <source>Claims</source>
        <translation>Déclarations</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>Copier</translation>
    </message>
    <message>
        <source>The verdict is not trusted: what stands here is only what was said.</source>
        <translation>Le verdict n’est pas fiable&#xa0;: ce qui figure ici n’est que ce qui a été dit.</translation>
    </message>
    <message>
        <source>Emulated: made by software, not by a chip.</source>
        <translation>Émulé&#xa0;: fait par un logiciel, non par une puce.</translation>
    </message>
    <message numerus="yes">
        <source>%n claim(s)</source>
        <translation>
            <numerusform>%n déclaration</numerusform>
            <numerusform>%n déclarations</numerusform>
        </translation>
    </message>
    <message>
        <source>{shown} of {total}</source>
        <translation>{shown} sur {total}</translation>
    </message>
    <message>
        <source>Copy the value</source>
        <translation>Copier la valeur</translation>
    </message>
    <message>
        <source>Copy name and value</source>
        <translation>Copier le nom et la valeur</translation>
    </message>
</context>
<context>
    <name>CommandPalette</name>
    <message>
        <source>Type a command, a page or an instance</source>
        <translation>Tapez une commande, une page ou une instance</translation>
    </message>
    <message>
        <source>Command</source>
        <translation>Commande</translation>
    </message>
    <message>
        <source>Commands</source>
        <translation>Commandes</translation>
    </message>
</context>
<context>
    <name>Compliance</name>
    <message>
        <source>Compliant</source>
        <translation>Conforme</translation>
    </message>
    <message>
        <source>Warning</source>
        <translation>Avertissement</translation>
    </message>
    <message>
        <source>Violating</source>
        <translation>En infraction</translation>
    </message>
    <message>
        <source>Unguarded</source>
        <translation>Sans garde-fou</translation>
    </message>
    <message>
        <source>Every rule that looks at it holds</source>
        <translation>Toutes les règles qui la concernent sont respectées</translation>
    </message>
    <message>
        <source>A rule that only warns does not hold</source>
        <translation>Une règle qui ne fait qu’avertir n’est pas respectée</translation>
    </message>
    <message>
        <source>A rule that is enforced does not hold</source>
        <translation>Une règle appliquée n’est pas respectée</translation>
    </message>
    <message>
        <source>No pack of rules that is on looks at it</source>
        <translation>Aucun lot de règles actif ne la concerne</translation>
    </message>
</context>
<context>
    <name>ComplianceCard</name>
    <message>
        <source>Compliance</source>
        <translation>Conformité</translation>
    </message>
    <message numerus="yes">
        <source>%n rule(s) look at it</source>
        <translation>
            <numerusform>%n règle la concerne</numerusform>
            <numerusform>%n règles la concernent</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ComplianceTab</name>
    <message>
        <source>No pack of rules is on</source>
        <translation>Aucun lot de règles n’est actif</translation>
    </message>
    <message>
        <source>Turn on a pack that came with the console, or one of your own: it judges every instance.</source>
        <translation>Activez un lot fourni avec la console, ou l’un des vôtres&#xa0;: il juge chaque instance.</translation>
    </message>
    <message>
        <source>Choose a pack</source>
        <translation>Choisir un lot</translation>
    </message>
    <message>
        <source>Seen by</source>
        <translation>Vu par</translation>
    </message>
    <message>
        <source>By rule</source>
        <translation>Par règle</translation>
    </message>
    <message>
        <source>By provider</source>
        <translation>Par fournisseur</translation>
    </message>
    <message>
        <source>By group (label)</source>
        <translation>Par groupe (étiquette)</translation>
    </message>
    <message>
        <source>&amp;Report …</source>
        <translation>&amp;Rapport …</translation>
    </message>
    <message>
        <source>The present standing for an auditor, as HTML or PDF, with evidence attached</source>
        <translation>La situation présente pour un auditeur, en HTML ou PDF, preuves jointes</translation>
    </message>
    <message>
        <source>How the fleet stands</source>
        <translation>Situation du parc</translation>
    </message>
    <message>
        <source>Instances</source>
        <translation>Instances</translation>
    </message>
    <message>
        <source>Enter or a double click opens the instance.</source>
        <translation>Entrée ou un double clic ouvre l’instance.</translation>
    </message>
    <message>
        <source>History of {0}</source>
        <translation>Historique de {0}</translation>
    </message>
    <message>
        <source>History of the fleet</source>
        <translation>Historique du parc</translation>
    </message>
    <message>
        <source>{0}: {1} instances</source>
        <translation>{0}&#xa0;: {1} instances</translation>
    </message>
    <message>
        <source>All {0} instances</source>
        <translation>Toutes les instances ({0})</translation>
    </message>
</context>
<context>
    <name>ConfidentialPage</name>
    <message>
        <source>Confidential</source>
        <translation>Confidentialité</translation>
    </message>
    <message>
        <source>Decide whether memory is encrypted while the instance runs, and how.</source>
        <translation>Décidez si la mémoire est chiffrée pendant que l’instance tourne, et comment.</translation>
    </message>
    <message>
        <source>Make this a &amp;confidential VM</source>
        <translation>En faire une VM &amp;confidentielle</translation>
    </message>
    <message>
        <source>&amp;Apply these changes</source>
        <translation>&amp;Appliquer ces changements</translation>
    </message>
    <message>
        <source>Technology</source>
        <translation>Technologie</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>Mémoire</translation>
    </message>
    <message>
        <source>Integrity</source>
        <translation>Intégrité</translation>
    </message>
    <message>
        <source>Registers</source>
        <translation>Registres</translation>
    </message>
    <message>
        <source>Attestation</source>
        <translation>Attestation</translation>
    </message>
    <message>
        <source>Limits</source>
        <translation>Limites</translation>
    </message>
    <message>
        <source>&amp;Release keys only to a launch that was verified</source>
        <translation>Ne &amp;libérer les clés qu’à un lancement vérifié</translation>
    </message>
    <message>
        <source>Shielded VM</source>
        <translation>VM protégée</translation>
    </message>
    <message>
        <source>&amp;Secure Boot</source>
        <translation>&amp;Démarrage sécurisé</translation>
    </message>
    <message>
        <source>Boots only what is signed by a trusted publisher</source>
        <translation>Ne démarre que ce qu’un éditeur de confiance a signé</translation>
    </message>
    <message>
        <source>&amp;vTPM</source>
        <translation>&amp;vTPM</translation>
    </message>
    <message>
        <source>A virtual trusted platform module that measures the boot</source>
        <translation>Un module de plateforme sécurisée virtuel qui mesure le démarrage</translation>
    </message>
    <message>
        <source>&amp;Integrity monitoring</source>
        <translation>Surveillance de l’&amp;intégrité</translation>
    </message>
    <message>
        <source>Compares each boot&apos;s measurements with a baseline; needs the vTPM</source>
        <translation>Compare les mesures de chaque démarrage à une référence&#xa0;; demande le vTPM</translation>
    </message>
    <message>
        <source>Not applied yet: see what has to change first.</source>
        <translation>Pas encore appliqué&#xa0;: voyez d’abord ce qui doit changer.</translation>
    </message>
    <message>
        <source>Memory is encrypted with a key that is made inside the processor and never leaves it. The hypervisor reads ciphertext.</source>
        <translation>La mémoire est chiffrée par une clé née dans le processeur, qui ne le quitte jamais. L’hyperviseur lit du texte chiffré.</translation>
    </message>
    <message>
        <source>Plain: whoever controls the host can read and change all of this instance&apos;s memory.</source>
        <translation>Ordinaire&#xa0;: qui commande l’hôte peut lire et changer toute la mémoire de cette instance.</translation>
    </message>
    <message>
        <source>The console computes what the launch must measure, and has the evidence verified to its root before the disk&apos;s key leaves. Anything else stops the launch and keeps the key.</source>
        <translation>La console calcule ce que le lancement doit mesurer, et fait vérifier la preuve jusqu’à sa racine avant que la clé du disque ne parte. Toute autre chose arrête le lancement et garde la clé.</translation>
    </message>
    <message>
        <source>The disk&apos;s key goes to whatever the host launched, without a look at it.</source>
        <translation>La clé du disque va à ce que l’hôte a lancé, quoi que ce soit, sans qu’on le regarde.</translation>
    </message>
    <message>
        <source>Emulated here: the engine measures the guest&apos;s image and settings into a vTPM in place of a firmware. Secure Boot is measured; there is no firmware that would enforce it.</source>
        <translation>Émulé ici&#xa0;: le moteur mesure l’image et les réglages de l’invité dans un vTPM, à la place d’un micrologiciel. Secure Boot est mesuré&#xa0;; aucun micrologiciel ne l’imposerait.</translation>
    </message>
    <message>
        <source>{0} changes {1} settings</source>
        <translation>{0} change {1} réglages</translation>
    </message>
    <message>
        <source>{0} changes one setting</source>
        <translation>{0} change un réglage</translation>
    </message>
    <message>
        <source>&amp;Keep plain</source>
        <translation>&amp;Garder ordinaire</translation>
    </message>
    <message>
        <source>&amp;Keep {0}</source>
        <translation>&amp;Garder {0}</translation>
    </message>
</context>
<context>
    <name>ConsolePanel</name>
    <message>
        <source>Serial console</source>
        <translation>Console série</translation>
    </message>
    <message>
        <source>Search the output</source>
        <translation>Chercher dans la sortie</translation>
    </message>
    <message>
        <source>Find previous (Shift+Enter)</source>
        <translation>Occurrence précédente (Maj+Entrée)</translation>
    </message>
    <message>
        <source>Find next (Enter)</source>
        <translation>Occurrence suivante (Entrée)</translation>
    </message>
    <message>
        <source>Follow</source>
        <translation>Suivre</translation>
    </message>
    <message>
        <source>Reconnecting …</source>
        <translation>Reconnexion …</translation>
    </message>
    <message>
        <source>Ended</source>
        <translation>Terminée</translation>
    </message>
    <message>
        <source>Read only</source>
        <translation>Lecture seule</translation>
    </message>
    <message numerus="yes">
        <source>%n line(s) scrolled back</source>
        <translation>
            <numerusform>%n ligne d’historique</numerusform>
            <numerusform>%n lignes d’historique</numerusform>
        </translation>
    </message>
    <message>
        <source>This console is read only: the machine takes no input</source>
        <translation>Cette console est en lecture seule : la machine n’accepte aucune saisie</translation>
    </message>
    <message>
        <source>The guest reads no input: what was typed last was dropped</source>
        <translation>L’invité ne lit pas ce qui est saisi : la dernière saisie a été abandonnée</translation>
    </message>
    <message>
        <source>{path} could not be written: {reason}</source>
        <translation>{path} n’a pas pu être écrit : {reason}</translation>
    </message>
    <message>
        <source>Copy all</source>
        <translation>Tout copier</translation>
    </message>
    <message>
        <source>Save as …</source>
        <translation>Enregistrer sous …</translation>
    </message>
    <message>
        <source>Save the serial output</source>
        <translation>Enregistrer la sortie série</translation>
    </message>
    <message>
        <source>Saved to {path}</source>
        <translation>Enregistré dans {path}</translation>
    </message>
    <message>
        <source>Search began again from the other end</source>
        <translation>La recherche a repris à l’autre bout</translation>
    </message>
    <message>
        <source>“{text}” is not in the output</source>
        <translation>«&#xa0;{text}&#xa0;» n’est pas dans la sortie</translation>
    </message>
</context>
<context>
    <name>CountedWords</name>
    <message numerus="yes">
        <source>%n error(s)</source>
        <translation>
            <numerusform>%n erreur</numerusform>
            <numerusform>%n erreurs</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n warning(s)</source>
        <translation>
            <numerusform>%n avertissement</numerusform>
            <numerusform>%n avertissements</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n second(s) ago</source>
        <translation>
            <numerusform>il y a %n seconde</numerusform>
            <numerusform>il y a %n secondes</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n minute(s) ago</source>
        <translation>
            <numerusform>il y a %n minute</numerusform>
            <numerusform>il y a %n minutes</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n hour(s) ago</source>
        <translation>
            <numerusform>il y a %n heure</numerusform>
            <numerusform>il y a %n heures</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n day(s) ago</source>
        <translation>
            <numerusform>il y a %n jour</numerusform>
            <numerusform>il y a %n jours</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n byte(s) of {size} differ</source>
        <translation>
            <numerusform>%n octet sur {size} diffère</numerusform>
            <numerusform>%n octets sur {size} diffèrent</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>CrashNotice</name>
    <message>
        <source>no reason was given</source>
        <translation>aucune raison donnée</translation>
    </message>
    <message>
        <source>{name} crashed: {reason}</source>
        <translation>{name} s’est arrêtée sur une erreur&#xa0;: {reason}</translation>
    </message>
    <message numerus="yes">
        <source>%n instances crashed. The last one, {name}: {reason}</source>
        <translation>
            <numerusform>%n instance s’est arrêtée sur une erreur. La dernière, {name}&#xa0;: {reason}</numerusform>
            <numerusform>%n instances se sont arrêtées sur une erreur. La dernière, {name}&#xa0;: {reason}</numerusform>
        </translation>
    </message>
    <message>
        <source>Show what crashed</source>
        <translation>Montrer les instances en erreur</translation>
    </message>
</context>
<context>
    <name>DataPage</name>
    <message>
        <source>A kernel of the library boots without a disk: it takes no records, and no key is released to it.</source>
        <translation>Un noyau de la bibliothèque démarre sans disque : il ne prend pas de données, et aucune clé ne lui est remise.</translation>
    </message>
    <message>
        <source>Data</source>
        <translation>Données</translation>
    </message>
    <message>
        <source>Say what the system is told when it boots for the first time.</source>
        <translation>Indiquez ce que le système apprend à son premier démarrage.</translation>
    </message>
    <message>
        <source>Say with which key the disk is encrypted.</source>
        <translation>Indiquez avec quelle clé le disque est chiffré.</translation>
    </message>
    <message>
        <source>Give the guest records to index, to query and to learn from.</source>
        <translation>Donnez à l’invité des enregistrements à indexer, à interroger et dont apprendre.</translation>
    </message>
    <message>
        <source>Records</source>
        <translation>Enregistrements</translation>
    </message>
    <message>
        <source>A &amp;CSV file of mine</source>
        <translation>Un fichier &amp;CSV à moi</translation>
    </message>
    <message>
        <source>The shipped &amp;sample</source>
        <translation>L’e&amp;xemple fourni</translation>
    </message>
    <message>
        <source>N&amp;o records</source>
        <translation>A&amp;ucun enregistrement</translation>
    </message>
    <message>
        <source>First rows of the records</source>
        <translation>Premières lignes des enregistrements</translation>
    </message>
    <message>
        <source>Path of the CSV file</source>
        <translation>Chemin du fichier CSV</translation>
    </message>
    <message>
        <source>Path of a CSV file, or drop one here</source>
        <translation>Chemin d’un fichier CSV, ou déposez-en un ici</translation>
    </message>
    <message>
        <source>&amp;Browse …</source>
        <translation>&amp;Parcourir …</translation>
    </message>
    <message>
        <source>The guest builds its index over this column.</source>
        <translation>L’invité construit son index sur cette colonne.</translation>
    </message>
    <message>
        <source>&amp;Index column</source>
        <translation>Colonne d’&amp;index</translation>
    </message>
    <message>
        <source>&amp;Label to learn</source>
        <translation>É&amp;tiquette à apprendre</translation>
    </message>
    <message>
        <source>gcpkms:projects/…/cryptoKeys/NAME for a key of yours in Cloud KMS.</source>
        <translation>gcpkms:projects/…/cryptoKeys/NOM pour une clé à vous dans Cloud KMS.</translation>
    </message>
    <message>
        <source>The cloud boots the image as it is: it takes no records from here. It encrypts the disk with a key of its own, or with yours if you name one.</source>
        <translation>Le nuage démarre l’image telle quelle&#xa0;: il ne prend pas de données d’ici. Il chiffre le disque avec une clé à lui, ou avec la vôtre si vous en nommez une.</translation>
    </message>
    <message>
        <source>How the records stay protected</source>
        <translation>Comment les enregistrements restent protégés</translation>
    </message>
    <message>
        <source>At rest</source>
        <translation>Au repos</translation>
    </message>
    <message>
        <source>In transit</source>
        <translation>En transit</translation>
    </message>
    <message>
        <source>In use</source>
        <translation>En usage</translation>
    </message>
    <message>
        <source>The guest starts without records and has nothing to index, query or learn from.</source>
        <translation>L’invité démarre sans enregistrements&#xa0;: il n’a rien à indexer, à interroger ni à apprendre.</translation>
    </message>
    <message>
        <source>{0}: {1} rows, {2} columns, {3}</source>
        <translation>{0}&#xa0;: {1} lignes, {2} colonnes, {3}</translation>
    </message>
    <message>
        <source>Automatic ({0})</source>
        <translation>Automatique ({0})</translation>
    </message>
    <message>
        <source>The guest builds its index over this column: {0}</source>
        <translation>L’invité construit son index sur cette colonne&#xa0;: {0}</translation>
    </message>
    <message>
        <source>The guest learns to predict: {0}</source>
        <translation>L’invité apprend à prédire&#xa0;: {0}</translation>
    </message>
    <message>
        <source>On an encrypted disk image (AES-256-XTS). Its key is stored only wrapped by {0}.</source>
        <translation>Sur une image de disque chiffrée (AES-256-XTS). Sa clé n’est gardée qu’enveloppée par {0}.</translation>
    </message>
    <message>
        <source>For each start its host is given the disk&apos;s key, which QEMU keeps in its memory.</source>
        <translation>À chaque démarrage son hôte reçoit la clé du disque, que QEMU garde en mémoire.</translation>
    </message>
    <message>
        <source>On a plain disk image, which its host reads. Name a key, and it is encrypted.</source>
        <translation>Sur une image disque en clair, que son hôte lit. Nommez une clé, et elle est chiffrée.</translation>
    </message>
    <message>
        <source>No key is sent.</source>
        <translation>Aucune clé n&apos;est envoyée.</translation>
    </message>
    <message>
        <source>The disk&apos;s key reaches the guest only as a secret, injected once its launch is measured and right.</source>
        <translation>La clé du disque ne parvient à l’invité que comme secret, injecté une fois son lancement mesuré et juste.</translation>
    </message>
    <message>
        <source>In memory encrypted by {0}, with a key that never leaves the secure processor. The hypervisor reads ciphertext.</source>
        <translation>En mémoire chiffrée par {0}, avec une clé qui ne quitte jamais le processeur sécurisé. L’hyperviseur lit du texte chiffré.</translation>
    </message>
    <message>
        <source>The hypervisor writes the disk&apos;s key into the guest&apos;s memory, and so knows it.</source>
        <translation>L’hyperviseur écrit la clé du disque dans la mémoire de l’invité, et la connaît donc.</translation>
    </message>
    <message>
        <source>In plain memory: the hypervisor can read every record. This is what the checkbox changes.</source>
        <translation>En mémoire ordinaire&#xa0;: l’hyperviseur peut lire chaque enregistrement. C’est ce que change la case.</translation>
    </message>
    <message>
        <source>Choose the records</source>
        <translation>Choisir les enregistrements</translation>
    </message>
    <message>
        <source>CSV files (*.csv)</source>
        <translation>Fichiers CSV (*.csv)</translation>
    </message>
    <message>
        <source>All files (*)</source>
        <translation>Tous les fichiers (*)</translation>
    </message>
    <message>
        <source>Drop one file: the guest works on one table of records</source>
        <translation>Déposez un seul fichier&#xa0;: l’invité travaille sur une seule table</translation>
    </message>
</context>
<context>
    <name>DigestCompare</name>
    <message>
        <source>Expected {expected}, found {actual}; {summary}</source>
        <translation>Attendu {expected}, trouvé {actual}&#xa0;; {summary}</translation>
    </message>
    <message>
        <source>expected</source>
        <translation>attendu</translation>
    </message>
    <message>
        <source>found</source>
        <translation>trouvé</translation>
    </message>
    <message>
        <source>Copy both</source>
        <translation>Copier les deux</translation>
    </message>
    <message>
        <source>Copy the expected value</source>
        <translation>Copier la valeur attendue</translation>
    </message>
    <message>
        <source>Copy the value found</source>
        <translation>Copier la valeur trouvée</translation>
    </message>
</context>
<context>
    <name>Draft</name>
    <message>
        <source>The image is not in the library yet: download it, or choose one that is</source>
        <translation>L’image n’est pas encore dans la bibliothèque : téléchargez-la, ou choisissez-en une qui y est</translation>
    </message>
    <message>
        <source>This provider is not connected</source>
        <translation>Ce fournisseur n’est pas connecté</translation>
    </message>
    <message>
        <source>Apply the listed changes, or keep the instance as it is</source>
        <translation>Appliquez les changements énumérés, ou gardez l’instance telle quelle</translation>
    </message>
    <message>
        <source>The console was opened for reading only</source>
        <translation>La console est ouverte en lecture seule</translation>
    </message>
    <message>
        <source>Choose a CSV file, or take the shipped sample</source>
        <translation>Choisissez un fichier CSV, ou prenez l’exemple fourni</translation>
    </message>
    <message>
        <source>The records are being checked …</source>
        <translation>Les enregistrements sont en cours de vérification …</translation>
    </message>
    <message>
        <source>The records have not been checked yet</source>
        <translation>Les enregistrements n’ont pas encore été vérifiés</translation>
    </message>
</context>
<context>
    <name>DropHint</name>
    <message>
        <source>Drop evidence to verify it</source>
        <translation>Déposez une preuve pour la vérifier</translation>
    </message>
    <message>
        <source>A report, quote, event log or bundle; certificates and a reference file may come along.</source>
        <translation>Un rapport, une citation, un journal d’événements ou un paquet&#xa0;; des certificats et un fichier de référence peuvent les accompagner.</translation>
    </message>
</context>
<context>
    <name>EndorsementKind</name>
    <message>
        <source>VCEK certificate</source>
        <translation>Certificat VCEK</translation>
    </message>
    <message>
        <source>VLEK certificate</source>
        <translation>Certificat VLEK</translation>
    </message>
    <message>
        <source>Certificate chain</source>
        <translation>Chaîne de certificats</translation>
    </message>
    <message>
        <source>Revocation list</source>
        <translation>Liste de révocation</translation>
    </message>
    <message>
        <source>TCB information</source>
        <translation>Informations TCB</translation>
    </message>
    <message>
        <source>Quoting enclave identity</source>
        <translation>Identité de l’enclave de citation</translation>
    </message>
</context>
<context>
    <name>EndorsementsModel</name>
    <message>
        <source>kept</source>
        <translation>gardé</translation>
    </message>
    <message>
        <source>waiting until {moment}</source>
        <translation>en attente jusqu’à {moment}</translation>
    </message>
    <message>
        <source>since {moment}</source>
        <translation>depuis {moment}</translation>
    </message>
    <message>
        <source>until {moment}</source>
        <translation>jusqu’à {moment}</translation>
    </message>
    <message>
        <source>State</source>
        <translation>État</translation>
    </message>
    <message>
        <source>What</source>
        <translation>Quoi</translation>
    </message>
    <message>
        <source>Until</source>
        <translation>Jusqu’à</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>Taille</translation>
    </message>
    <message>
        <source>Address</source>
        <translation>Adresse</translation>
    </message>
</context>
<context>
    <name>EntryState</name>
    <message>
        <source>Fresh</source>
        <translation>Fraîche</translation>
    </message>
    <message>
        <source>Stale</source>
        <translation>Périmée</translation>
    </message>
    <message>
        <source>Not published</source>
        <translation>Non publiée</translation>
    </message>
    <message>
        <source>Waiting</source>
        <translation>En attente</translation>
    </message>
</context>
<context>
    <name>EventOutcome</name>
    <message>
        <source>Success</source>
        <translation>Succès</translation>
    </message>
    <message>
        <source>Failure</source>
        <translation>Échec</translation>
    </message>
    <message>
        <source>Denied</source>
        <translation>Refus</translation>
    </message>
    <message>
        <source>Pending</source>
        <translation>En attente</translation>
    </message>
</context>
<context>
    <name>EventsModel</name>
    <message>
        <source>Time</source>
        <translation>Heure</translation>
    </message>
    <message>
        <source>Severity</source>
        <translation>Gravité</translation>
    </message>
    <message>
        <source>What happened</source>
        <translation>Ce qui est arrivé</translation>
    </message>
    <message>
        <source>Action</source>
        <translation>Action</translation>
    </message>
    <message>
        <source>Who</source>
        <translation>Qui</translation>
    </message>
    <message>
        <source>No.</source>
        <translation>N°</translation>
    </message>
</context>
<context>
    <name>EventsPanel</name>
    <message>
        <source>Events</source>
        <translation>Événements</translation>
    </message>
    <message>
        <source>Search messages and actions</source>
        <translation>Chercher dans les messages et les actions</translation>
    </message>
    <message>
        <source>Search events</source>
        <translation>Chercher des événements</translation>
    </message>
    <message>
        <source>Verify the chain</source>
        <translation>Vérifier la chaîne</translation>
    </message>
    <message>
        <source>Recompute the hash of every record of the whole log</source>
        <translation>Recalculer l’empreinte de chaque enregistrement de tout le journal</translation>
    </message>
    <message>
        <source>No events</source>
        <translation>Aucun événement</translation>
    </message>
    <message>
        <source>Everything that happens to instances is recorded here.</source>
        <translation>Tout ce qui arrive aux instances est noté ici.</translation>
    </message>
    <message>
        <source>The audit log is not for your role</source>
        <translation>Votre rôle ne donne pas accès au journal d’audit</translation>
    </message>
    <message numerus="yes">
        <source>%n event(s)</source>
        <translation>
            <numerusform>%n événement</numerusform>
            <numerusform>%n événements</numerusform>
        </translation>
    </message>
    <message>
        <source>loaded; scroll down for older ones</source>
        <translation>chargés&#xa0;; faites défiler pour les plus anciens</translation>
    </message>
    <message>
        <source>No event matches</source>
        <translation>Aucun événement ne correspond</translation>
    </message>
    <message>
        <source>Change or clear the search.</source>
        <translation>Changez ou effacez la recherche.</translation>
    </message>
    <message numerus="yes">
        <source>The log is intact: all %n record(s) hold, up to hash {head}.</source>
        <translation>
            <numerusform>Le journal est intact&#xa0;: son&#xa0;%n enregistrement tient, jusqu’à l’empreinte {head}.</numerusform>
            <numerusform>Le journal est intact&#xa0;: ses&#xa0;%n enregistrements tiennent, jusqu’à l’empreinte {head}.</numerusform>
        </translation>
    </message>
    <message>
        <source>Signatures hold up to record {record}; the key is {key}.</source>
        <translation>Les signatures tiennent jusqu’à l’enregistrement {record}&#xa0;; la clé est {key}.</translation>
    </message>
    <message>
        <source>The log does not hold from record {record} on: {reason}</source>
        <translation>Le journal ne tient plus à partir de l’enregistrement {record}&#xa0;: {reason}</translation>
    </message>
</context>
<context>
    <name>EvidenceFormat</name>
    <message>
        <source>SEV-SNP report</source>
        <translation>Rapport SEV-SNP</translation>
    </message>
    <message>
        <source>SEV launch measurement</source>
        <translation>Mesure de lancement SEV</translation>
    </message>
    <message>
        <source>SEV attestation report</source>
        <translation>Rapport d’attestation SEV</translation>
    </message>
    <message>
        <source>SEV platform certificates</source>
        <translation>Certificats de plateforme SEV</translation>
    </message>
    <message>
        <source>TDX quote</source>
        <translation>Citation TDX</translation>
    </message>
    <message>
        <source>SGX quote</source>
        <translation>Citation SGX</translation>
    </message>
    <message>
        <source>vTPM quote</source>
        <translation>Citation vTPM</translation>
    </message>
    <message>
        <source>Compute Engine vTPM attestation</source>
        <translation>Attestation vTPM de Compute Engine</translation>
    </message>
    <message>
        <source>Compute Engine integrity log</source>
        <translation>Journal d&apos;intégrité de Compute Engine</translation>
    </message>
    <message>
        <source>Azure confidential VM evidence</source>
        <translation>Preuve de VM confidentielle Azure</translation>
    </message>
    <message>
        <source>Azure HCL report</source>
        <translation>Rapport HCL d’Azure</translation>
    </message>
    <message>
        <source>Nitro attestation document</source>
        <translation>Document d’attestation Nitro</translation>
    </message>
    <message>
        <source>TCG event log</source>
        <translation>Journal d’événements TCG</translation>
    </message>
    <message>
        <source>Confidential computing event log</source>
        <translation>Journal d’événements d’informatique confidentielle</translation>
    </message>
    <message>
        <source>Canonical event log</source>
        <translation>Journal d’événements canonique</translation>
    </message>
</context>
<context>
    <name>EvidenceInputs</name>
    <message>
        <source>Evidence</source>
        <translation>Preuve</translation>
    </message>
    <message>
        <source>Drop a file anywhere</source>
        <translation>Déposez un fichier n’importe où</translation>
    </message>
    <message>
        <source>Endorsements</source>
        <translation>Garanties</translation>
    </message>
    <message>
        <source>None beside the cache</source>
        <translation>Aucune hors du cache</translation>
    </message>
    <message>
        <source>Reference values</source>
        <translation>Valeurs de référence</translation>
    </message>
    <message>
        <source>None</source>
        <translation>Aucune</translation>
    </message>
    <message>
        <source>Hexadecimal, such as the nonce</source>
        <translation>Hexadécimal, par exemple le nonce</translation>
    </message>
    <message>
        <source>Now; or 2026-11-23T12:00:00Z</source>
        <translation>Maintenant&#xa0;; ou 2026-11-23T12:00:00Z</translation>
    </message>
    <message>
        <source>Accept debugging</source>
        <translation>Accepter le débogage</translation>
    </message>
    <message>
        <source>Accept a policy that lets the host read the guest&apos;s memory</source>
        <translation>Accepter une politique qui laisse l’hôte lire la mémoire de l’invité</translation>
    </message>
    <message>
        <source>Verify</source>
        <translation>Vérifier</translation>
    </message>
    <message>
        <source>What is expected</source>
        <translation>Ce qui est attendu</translation>
    </message>
    <message>
        <source>Verify a file</source>
        <translation>Vérifier un fichier</translation>
    </message>
    <message>
        <source>Report data</source>
        <translation>Données du rapport</translation>
    </message>
    <message>
        <source>Time</source>
        <translation>Moment</translation>
    </message>
    <message>
        <source>Give the report data as hexadecimal digits, two for each byte</source>
        <translation>Donnez les données du rapport en chiffres hexadécimaux, deux par octet</translation>
    </message>
    <message>
        <source>{text} is not a time; give it as 2026-11-23T12:00:00Z</source>
        <translation>{text} n’est pas un moment&#xa0;; donnez-le comme 2026-11-23T12:00:00Z</translation>
    </message>
</context>
<context>
    <name>EvidencePage</name>
    <message>
        <source>Drop evidence anywhere on this window</source>
        <translation>Déposez une preuve n’importe où sur cette fenêtre</translation>
    </message>
    <message>
        <source>SEV-SNP reports, SEV launch measurements, TDX and SGX quotes, vTPM quotes, event logs, Azure and Nitro documents, and exported bundles. All is verified on this computer; nothing is sent anywhere.</source>
        <translation>Rapports SEV-SNP, mesures de lancement SEV, citations TDX, SGX et vTPM, journaux d’événements, documents Azure et Nitro, et paquets exportés. Tout est vérifié sur cet ordinateur&#xa0;; rien n’est envoyé.</translation>
    </message>
    <message>
        <source>Fetch what lacks</source>
        <translation>Charger ce qui manque</translation>
    </message>
    <message>
        <source>Ask AMD and Intel for certificates, revocation lists and TCB information</source>
        <translation>Demander à AMD et Intel certificats, listes de révocation et informations TCB</translation>
    </message>
    <message>
        <source>Export the evidence bundle as one zip</source>
        <translation>Exporter le paquet de preuve en un seul zip</translation>
    </message>
    <message>
        <source>Export the evidence bundle</source>
        <translation>Exporter le paquet de preuve</translation>
    </message>
    <message>
        <source>Earlier files</source>
        <translation>Fichiers précédents</translation>
    </message>
    <message>
        <source>Evidence</source>
        <translation>Preuve</translation>
    </message>
    <message>
        <source>Files</source>
        <translation>Fichiers</translation>
    </message>
    <message>
        <source>Endorsements</source>
        <translation>Garanties</translation>
    </message>
    <message>
        <source>Files stay on this computer. Only “Fetch what lacks” uses the network.</source>
        <translation>Les fichiers restent sur cet ordinateur. Seul «&#xa0;Charger ce qui manque&#xa0;» utilise le réseau.</translation>
    </message>
    <message>
        <source>Verify a file</source>
        <translation>Vérifier un fichier</translation>
    </message>
    <message>
        <source>Now choose the evidence that these files belong to.</source>
        <translation>Choisissez maintenant la preuve à laquelle ces fichiers appartiennent.</translation>
    </message>
    <message>
        <source>One file is verified at a time; left out: {names}</source>
        <translation>Un seul fichier est vérifié à la fois&#xa0;; laissés de côté&#xa0;: {names}</translation>
    </message>
    <message>
        <source>Fetching …</source>
        <translation>Chargement …</translation>
    </message>
    <message>
        <source>Verifying …</source>
        <translation>Vérification …</translation>
    </message>
    <message>
        <source>Verify</source>
        <translation>Vérifier</translation>
    </message>
    <message>
        <source>No file yet</source>
        <translation>Pas encore de fichier</translation>
    </message>
    <message>
        <source>Choose an evidence file, or drop it on the window.</source>
        <translation>Choisissez un fichier de preuve, ou déposez-le sur la fenêtre.</translation>
    </message>
    <message>
        <source>Earlier files ({count})</source>
        <translation>Fichiers précédents ({count})</translation>
    </message>
</context>
<context>
    <name>ExceptionsModel</name>
    <message>
        <source>{time} left</source>
        <translation>encore {time}</translation>
    </message>
    <message>
        <source>Ended</source>
        <translation>Terminée</translation>
    </message>
    <message>
        <source>all instances</source>
        <translation>toutes les instances</translation>
    </message>
    <message>
        <source>State</source>
        <translation>État</translation>
    </message>
    <message>
        <source>Rule</source>
        <translation>Règle</translation>
    </message>
    <message>
        <source>Instance</source>
        <translation>Instance</translation>
    </message>
    <message>
        <source>Reason</source>
        <translation>Motif</translation>
    </message>
    <message>
        <source>Granted by</source>
        <translation>Accordée par</translation>
    </message>
    <message>
        <source>Until</source>
        <translation>Jusqu’à</translation>
    </message>
</context>
<context>
    <name>ExceptionsTab</name>
    <message>
        <source>Do not enforce a rule for a while</source>
        <translation>Ne pas appliquer une règle pendant un temps</translation>
    </message>
    <message>
        <source>all instances</source>
        <translation>toutes les instances</translation>
    </message>
    <message>
        <source>1 hour</source>
        <translation>1 heure</translation>
    </message>
    <message>
        <source>4 hours</source>
        <translation>4 heures</translation>
    </message>
    <message>
        <source>1 day</source>
        <translation>1 jour</translation>
    </message>
    <message>
        <source>7 days</source>
        <translation>7 jours</translation>
    </message>
    <message>
        <source>30 days</source>
        <translation>30 jours</translation>
    </message>
    <message>
        <source>for whoever asks later</source>
        <translation>pour qui le demandera plus tard</translation>
    </message>
    <message>
        <source>&amp;Grant</source>
        <translation>&amp;Accorder</translation>
    </message>
    <message>
        <source>R&amp;ule</source>
        <translation>&amp;Règle</translation>
    </message>
    <message>
        <source>Na&amp;me of an instance</source>
        <translation>&amp;Nom d’une instance</translation>
    </message>
    <message>
        <source>&amp;For</source>
        <translation>&amp;Durée</translation>
    </message>
    <message>
        <source>Rea&amp;son</source>
        <translation>&amp;Motif</translation>
    </message>
    <message>
        <source>Exceptions</source>
        <translation>Exceptions</translation>
    </message>
    <message>
        <source>&amp;End it now</source>
        <translation>Y mettre &amp;fin maintenant</translation>
    </message>
    <message>
        <source>Granting one is recorded, shown in every report, and ends by itself.</source>
        <translation>Toute exception accordée est consignée, figure dans chaque rapport et prend fin d’elle-même.</translation>
    </message>
    <message>
        <source>Here it needs a second person.</source>
        <translation>Ici, il faut une seconde personne.</translation>
    </message>
    <message>
        <source>No pack is on, so there is nothing to except from.</source>
        <translation>Aucun lot n’est actif&#xa0;: il n’y a rien à quoi faire exception.</translation>
    </message>
    <message>
        <source>Say why; an auditor will ask</source>
        <translation>Dites pourquoi&#xa0;; un auditeur le demandera</translation>
    </message>
    <message>
        <source>{0}/{1} is not enforced any more.</source>
        <translation>{0}/{1} n’est plus appliquée.</translation>
    </message>
    <message>
        <source>{0}/{1} is enforced again.</source>
        <translation>{0}/{1} est de nouveau appliquée.</translation>
    </message>
</context>
<context>
    <name>Exporter</name>
    <message>
        <source>Selection ({size}) …</source>
        <translation>Sélection ({size}) …</translation>
    </message>
    <message>
        <source>Page at the cursor …</source>
        <translation>Page sous le curseur …</translation>
    </message>
    <message>
        <source>All touched RAM …</source>
        <translation>Toute la mémoire utilisée …</translation>
    </message>
    <message>
        <source>Cancel the running export</source>
        <translation>Annuler l’export en cours</translation>
    </message>
    <message>
        <source>Export cancelled; no file was written</source>
        <translation>Export annulé&#xa0;; aucun fichier n’a été écrit</translation>
    </message>
    <message>
        <source>Export memory</source>
        <translation>Exporter la mémoire</translation>
    </message>
    <message>
        <source>Exporting to {file}: {percent} %</source>
        <translation>Export vers {file}&#xa0;: {percent}&#xa0;%</translation>
    </message>
    <message>
        <source>all touched RAM</source>
        <translation>toute la mémoire utilisée</translation>
    </message>
    <message>
        <source>{size} written to {file}</source>
        <translation>{size} écrits dans {file}</translation>
    </message>
</context>
<context>
    <name>ExposurePanel</name>
    <message>
        <source>How it is written</source>
        <translation>Écriture</translation>
    </message>
    <message>
        <source>Text</source>
        <translation>Texte</translation>
    </message>
    <message>
        <source>Hex bytes</source>
        <translation>Octets hexadécimaux</translation>
    </message>
    <message>
        <source>Pattern</source>
        <translation>Motif</translation>
    </message>
    <message>
        <source>What the host must not read</source>
        <translation>Ce que l’hôte ne doit pas lire</translation>
    </message>
    <message>
        <source>A text from your records, a password, a key …</source>
        <translation>Un texte de vos enregistrements, un mot de passe, une clé…</translation>
    </message>
    <message>
        <source>Add</source>
        <translation>Ajouter</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>Retirer</translation>
    </message>
    <message>
        <source>New canary</source>
        <translation>Nouveau canari</translation>
    </message>
    <message>
        <source>Make a random token. Put it into the guest in place of a secret, then see whether the host finds it.</source>
        <translation>Crée un jeton aléatoire. Placez-le dans l’invité à la place d’un secret, puis voyez si l’hôte le trouve.</translation>
    </message>
    <message>
        <source>Texts and patterns to look for</source>
        <translation>Textes et motifs à chercher</translation>
    </message>
    <message>
        <source>Search all memory</source>
        <translation>Parcourir la mémoire</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Annuler</translation>
    </message>
    <message>
        <source>Show in memory</source>
        <translation>Voir en mémoire</translation>
    </message>
    <message>
        <source>Export …</source>
        <translation>Exporter…</translation>
    </message>
    <message>
        <source>Progress of the search</source>
        <translation>Avancement de la recherche</translation>
    </message>
    <message>
        <source>What was found</source>
        <translation>Ce qui a été trouvé</translation>
    </message>
    <message>
        <source>Nothing was searched yet</source>
        <translation>Rien n’a encore été cherché</translation>
    </message>
    <message>
        <source>Add texts that the host must not read, then search all memory as the host sees it.</source>
        <translation>Ajoutez des textes que l’hôte ne doit pas lire, puis cherchez dans toute la mémoire telle que l’hôte la voit.</translation>
    </message>
    <message>
        <source>The host can read what is marked as readable.</source>
        <translation>L’hôte peut lire ce qui est marqué comme lisible.</translation>
    </message>
    <message>
        <source>The host&apos;s view could not be searched: this says nothing of what the host reads.</source>
        <translation>La vue de l’hôte n’a pas pu être parcourue : cela ne dit rien de ce que l’hôte lit.</translation>
    </message>
    <message>
        <source>The host can read none of it.</source>
        <translation>L’hôte ne peut rien en lire.</translation>
    </message>
    <message>
        <source>Up to there, the host can read none of it.</source>
        <translation>Jusque-là, l’hôte ne peut rien en lire.</translation>
    </message>
    <message>
        <source>The search was not finished.</source>
        <translation>La recherche n’a pas été terminée.</translation>
    </message>
    <message>
        <source>{amount} searched.</source>
        <translation>{amount} parcourus.</translation>
    </message>
    <message>
        <source>{amount} could not be read.</source>
        <translation>{amount} n’ont pas pu être lus.</translation>
    </message>
    <message>
        <source>The instance does not run: there is no memory to search</source>
        <translation>L’instance n’est pas en marche : il n’y a pas de mémoire à parcourir</translation>
    </message>
    <message>
        <source>Put {token} into the guest, for example as a file in its memory, then search.</source>
        <translation>Placez {token} dans l’invité, par exemple comme fichier dans sa mémoire, puis cherchez.</translation>
    </message>
    <message>
        <source>{viewer}: {done} of {total}, {rate} a second</source>
        <translation>{viewer} : {done} sur {total}, {rate} par seconde</translation>
    </message>
    <message>
        <source>Export the result</source>
        <translation>Exporter le résultat</translation>
    </message>
    <message>
        <source>Written to {file}</source>
        <translation>Écrit dans {file}</translation>
    </message>
</context>
<context>
    <name>FactType</name>
    <message>
        <source>text</source>
        <translation>texte</translation>
    </message>
    <message>
        <source>true or false</source>
        <translation>vrai ou faux</translation>
    </message>
    <message>
        <source>whole number</source>
        <translation>nombre entier</translation>
    </message>
    <message>
        <source>texts by key</source>
        <translation>textes par clé</translation>
    </message>
</context>
<context>
    <name>Facts</name>
    <message>
        <source>the built-in {runs} guest, in place of {image}</source>
        <translation>l’invité intégré «&#xa0;{runs}&#xa0;», à la place de {image}</translation>
    </message>
    <message>
        <source>{provider} (emulated)</source>
        <translation>{provider} (émulé)</translation>
    </message>
    <message>
        <source>{trust}, verified {ago}</source>
        <translation>{trust}, vérifiée {ago}</translation>
    </message>
    <message>
        <source>{trust} (stale)</source>
        <translation>{trust} (périmée)</translation>
    </message>
    <message>
        <source>Runs</source>
        <translation>Exécute</translation>
    </message>
    <message>
        <source>Image</source>
        <translation>Image</translation>
    </message>
    <message>
        <source>Machine</source>
        <translation>Machine</translation>
    </message>
    <message>
        <source>{type}, {vcpus} vCPU, {memory}</source>
        <translation>{type}, {vcpus} vCPU, {memory}</translation>
    </message>
    <message>
        <source>Place</source>
        <translation>Lieu</translation>
    </message>
    <message>
        <source>Provider</source>
        <translation>Fournisseur</translation>
    </message>
    <message>
        <source>Host</source>
        <translation>Hôte</translation>
    </message>
    <message>
        <source>Technology</source>
        <translation>Technologie</translation>
    </message>
    <message>
        <source>Trust</source>
        <translation>Confiance</translation>
    </message>
    <message>
        <source>Created</source>
        <translation>Création</translation>
    </message>
    <message>
        <source>Labels</source>
        <translation>Étiquettes</translation>
    </message>
    <message>
        <source>Id</source>
        <translation>Identifiant</translation>
    </message>
</context>
<context>
    <name>FactsCard</name>
    <message>
        <source>Instance</source>
        <translation>Instance</translation>
    </message>
</context>
<context>
    <name>FailureNotices</name>
    <message>
        <source>What was found is the keyed measurement: which digest it is made of is not known.</source>
        <translation>Ce qui a été trouvé est la mesure à clé&#xa0;: on ne sait pas de quel condensé elle est faite.</translation>
    </message>
    <message>
        <source>{job} {name} failed: {reason}</source>
        <translation>{job} {name} a échoué&#xa0;: {reason}</translation>
    </message>
    <message>
        <source>no reason was given</source>
        <translation>aucune raison donnée</translation>
    </message>
    <message numerus="yes">
        <source>%n jobs failed. The last one: </source>
        <translation>
            <numerusform>%n tâche a échoué. La dernière&#xa0;: </numerusform>
            <numerusform>%n tâches ont échoué. La dernière&#xa0;: </numerusform>
        </translation>
    </message>
    <message>
        <source>Show the jobs</source>
        <translation>Montrer les tâches</translation>
    </message>
</context>
<context>
    <name>FieldNames</name>
    <message>
        <source>Name</source>
        <translation>Nom</translation>
    </message>
    <message>
        <source>Runs on</source>
        <translation>Tourne sur</translation>
    </message>
    <message>
        <source>Cloud</source>
        <translation>Nuage</translation>
    </message>
    <message>
        <source>Region</source>
        <translation>Région</translation>
    </message>
    <message>
        <source>Zone</source>
        <translation>Zone</translation>
    </message>
    <message>
        <source>Machine type</source>
        <translation>Type de machine</translation>
    </message>
    <message>
        <source>Image</source>
        <translation>Image</translation>
    </message>
    <message>
        <source>Technology</source>
        <translation>Technologie</translation>
    </message>
    <message>
        <source>Minimum CPU platform</source>
        <translation>Plateforme CPU minimale</translation>
    </message>
    <message>
        <source>On host maintenance</source>
        <translation>Maintenance de l’hôte</translation>
    </message>
    <message>
        <source>Network interface</source>
        <translation>Interface réseau</translation>
    </message>
    <message>
        <source>Records</source>
        <translation>Enregistrements</translation>
    </message>
    <message>
        <source>Disk key</source>
        <translation>Clé du disque</translation>
    </message>
    <message>
        <source>Labels</source>
        <translation>Étiquettes</translation>
    </message>
    <message>
        <source>Secure Boot</source>
        <translation>Démarrage sécurisé</translation>
    </message>
    <message>
        <source>vTPM</source>
        <translation>vTPM</translation>
    </message>
    <message>
        <source>Integrity monitoring</source>
        <translation>Surveillance de l’intégrité</translation>
    </message>
    <message>
        <source>Attested launch</source>
        <translation>Lancement attesté</translation>
    </message>
    <message>
        <source>Label {0}</source>
        <translation>Étiquette {0}</translation>
    </message>
    <message>
        <source>not set</source>
        <translation>non fixé</translation>
    </message>
    <message>
        <source>migrate live (MIGRATE)</source>
        <translation>migrer à chaud (MIGRATE)</translation>
    </message>
    <message>
        <source>stop (TERMINATE)</source>
        <translation>arrêter (TERMINATE)</translation>
    </message>
    <message>
        <source>on</source>
        <translation>activé</translation>
    </message>
    <message>
        <source>off</source>
        <translation>désactivé</translation>
    </message>
    <message>
        <source>gVNIC</source>
        <translation>gVNIC</translation>
    </message>
    <message>
        <source>VirtIO</source>
        <translation>VirtIO</translation>
    </message>
</context>
<context>
    <name>FilterBar</name>
    <message>
        <source>Who</source>
        <translation>Qui</translation>
    </message>
    <message>
        <source>Anybody</source>
        <translation>Tout le monde</translation>
    </message>
    <message>
        <source>Action</source>
        <translation>Action</translation>
    </message>
    <message>
        <source>Any action</source>
        <translation>Toutes les actions</translation>
    </message>
    <message>
        <source>Outcome</source>
        <translation>Résultat</translation>
    </message>
    <message>
        <source>Any outcome</source>
        <translation>Tous les résultats</translation>
    </message>
    <message>
        <source>Instance</source>
        <translation>Instance</translation>
    </message>
    <message>
        <source>Any instance</source>
        <translation>Toutes les instances</translation>
    </message>
    <message>
        <source>Time</source>
        <translation>Période</translation>
    </message>
    <message>
        <source>Any time</source>
        <translation>Toutes les dates</translation>
    </message>
    <message>
        <source>Last hour</source>
        <translation>Dernière heure</translation>
    </message>
    <message>
        <source>Last 24 hours</source>
        <translation>Dernières 24 heures</translation>
    </message>
    <message>
        <source>Last 7 days</source>
        <translation>7 derniers jours</translation>
    </message>
    <message>
        <source>Last 30 days</source>
        <translation>30 derniers jours</translation>
    </message>
    <message>
        <source>Between two days</source>
        <translation>Entre deux jours</translation>
    </message>
    <message>
        <source>First day</source>
        <translation>Premier jour</translation>
    </message>
    <message>
        <source>Last day</source>
        <translation>Dernier jour</translation>
    </message>
    <message>
        <source>Clear</source>
        <translation>Effacer</translation>
    </message>
    <message>
        <source>Show all events again</source>
        <translation>Afficher de nouveau tous les événements</translation>
    </message>
    <message>
        <source>Operations</source>
        <translation>Opérations</translation>
    </message>
    <message>
        <source>States of instances</source>
        <translation>États des instances</translation>
    </message>
    <message>
        <source>Memory looked at</source>
        <translation>Consultations de la mémoire</translation>
    </message>
    <message>
        <source>Guests asked</source>
        <translation>Interrogations des invités</translation>
    </message>
    <message>
        <source>Exposure scans</source>
        <translation>Analyses d’exposition</translation>
    </message>
    <message>
        <source>Attestation</source>
        <translation>Attestation</translation>
    </message>
    <message>
        <source>Integrity</source>
        <translation>Intégrité</translation>
    </message>
    <message>
        <source>Keys</source>
        <translation>Clés</translation>
    </message>
    <message>
        <source>Secrets released</source>
        <translation>Secrets remis</translation>
    </message>
    <message>
        <source>Guardrails</source>
        <translation>Garde-fous</translation>
    </message>
    <message>
        <source>Approvals</source>
        <translation>Approbations</translation>
    </message>
    <message>
        <source>Roles</source>
        <translation>Rôles</translation>
    </message>
    <message>
        <source>Access denied</source>
        <translation>Accès refusés</translation>
    </message>
    <message>
        <source>Hosts</source>
        <translation>Hôtes</translation>
    </message>
    <message>
        <source>Cloud accounts</source>
        <translation>Comptes cloud</translation>
    </message>
    <message>
        <source>Images</source>
        <translation>Images</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>Réglages</translation>
    </message>
    <message>
        <source>The log itself</source>
        <translation>Le journal lui-même</translation>
    </message>
</context>
<context>
    <name>FilterField</name>
    <message>
        <source>Filter: name, state:running, region:europe-west1, label:env=prod …</source>
        <translation>Filtre&#xa0;: nom, state:running, region:europe-west1, label:env=prod …</translation>
    </message>
    <message>
        <source>Filter instances</source>
        <translation>Filtrer les instances</translation>
    </message>
</context>
<context>
    <name>Finding</name>
    <message>
        <source>The signature does not hold: the bytes were changed, or another key signed them</source>
        <translation>La signature ne tient pas&#xa0;: les octets ont été changés, ou une autre clé les a signés</translation>
    </message>
    <message>
        <source>The signature uses an algorithm that this evidence must not use</source>
        <translation>La signature utilise un algorithme que cette preuve ne doit pas utiliser</translation>
    </message>
    <message>
        <source>The certificate of the key that signed is not there; fetch it or give it as an endorsement</source>
        <translation>Le certificat de la clé qui a signé manque&#xa0;; chargez-le ou donnez-le comme garantie</translation>
    </message>
    <message>
        <source>Nobody who is trusted vouches for the attestation key</source>
        <translation>Personne de fiable ne se porte garant de la clé d’attestation</translation>
    </message>
    <message>
        <source>The host runs this TPM and nobody vouches for its key: it speaks for what the guest booted, and not against the host</source>
        <translation>L&apos;hôte fait fonctionner ce TPM et personne ne répond de sa clé : il témoigne de ce que l&apos;invité a démarré, et non contre l&apos;hôte</translation>
    </message>
    <message>
        <source>The cloud itself says that its check of this launch or boot failed</source>
        <translation>Le cloud dit lui-même que son contrôle de ce lancement ou de ce démarrage a échoué</translation>
    </message>
    <message>
        <source>Nobody signed this: what it says can be looked at, but proves nothing</source>
        <translation>Personne n’a signé ceci&#xa0;: on peut regarder ce qu’il dit, mais il ne prouve rien</translation>
    </message>
    <message>
        <source>Two parts of the evidence that must belong together do not</source>
        <translation>Deux parties de la preuve qui doivent aller ensemble ne le font pas</translation>
    </message>
    <message>
        <source>The certificate&apos;s issuer is not there; fetch it or give it as an endorsement</source>
        <translation>L’émetteur du certificat manque&#xa0;; chargez-le ou donnez-le comme garantie</translation>
    </message>
    <message>
        <source>The certificate was not signed by the issuer that it names</source>
        <translation>Le certificat n’a pas été signé par l’émetteur qu’il nomme</translation>
    </message>
    <message>
        <source>The certificate is used for something that it was not issued for</source>
        <translation>Le certificat sert à une chose pour laquelle il n’a pas été émis</translation>
    </message>
    <message>
        <source>The certificate had expired at the time asked for</source>
        <translation>Le certificat avait expiré au moment demandé</translation>
    </message>
    <message>
        <source>The certificate was not valid yet at the time asked for</source>
        <translation>Le certificat n’était pas encore valable au moment demandé</translation>
    </message>
    <message>
        <source>The issuer has revoked the certificate</source>
        <translation>L’émetteur a révoqué le certificat</translation>
    </message>
    <message>
        <source>The issuer has revoked the certificate since the time asked for</source>
        <translation>L’émetteur a révoqué le certificat depuis le moment demandé</translation>
    </message>
    <message>
        <source>The certificate is not of the kind that this evidence needs</source>
        <translation>Le certificat n’est pas du genre qu’il faut à cette preuve</translation>
    </message>
    <message>
        <source>The certificate is damaged, and was not used</source>
        <translation>Le certificat est endommagé, et n’a pas servi</translation>
    </message>
    <message>
        <source>The chain ends in a root that is not trusted</source>
        <translation>La chaîne finit par une racine qui n’est pas fiable</translation>
    </message>
    <message>
        <source>The root is an emulator&apos;s: this proves nothing about hardware</source>
        <translation>La racine est celle d’un émulateur&#xa0;: cela ne prouve rien sur du matériel</translation>
    </message>
    <message>
        <source>Whether the certificate was revoked is not known: its issuer&apos;s list is not there</source>
        <translation>On ne sait pas si le certificat a été révoqué&#xa0;: la liste de son émetteur manque</translation>
    </message>
    <message>
        <source>The revocation list is damaged, was not signed by the issuer, or cannot be used</source>
        <translation>La liste de révocation est endommagée, n’a pas été signée par l’émetteur, ou ne peut servir</translation>
    </message>
    <message>
        <source>The revocation list is not of the time asked for</source>
        <translation>La liste de révocation n’est pas du moment demandé</translation>
    </message>
    <message>
        <source>The certificate belongs to another chip</source>
        <translation>Le certificat appartient à une autre puce</translation>
    </message>
    <message>
        <source>The chip id is masked, so the certificate cannot be compared with it</source>
        <translation>L’identifiant de la puce est masqué&#xa0;: le certificat ne peut y être comparé</translation>
    </message>
    <message>
        <source>The certificate belongs to another product</source>
        <translation>Le certificat appartient à un autre produit</translation>
    </message>
    <message>
        <source>The certificate belongs to another firmware version (TCB) than the one that is reported</source>
        <translation>Le certificat appartient à une autre version de micrologiciel (TCB) que celle qui est déclarée</translation>
    </message>
    <message>
        <source>The firmware versions contradict one another</source>
        <translation>Les versions de micrologiciel se contredisent</translation>
    </message>
    <message>
        <source>The firmware is not committed: its host can still go back to an older one</source>
        <translation>Le micrologiciel n’est pas engagé&#xa0;: son hôte peut encore revenir à un plus ancien</translation>
    </message>
    <message>
        <source>Bytes that must be zero are not</source>
        <translation>Des octets qui doivent être nuls ne le sont pas</translation>
    </message>
    <message>
        <source>A field has a value that its specification does not allow</source>
        <translation>Un champ a une valeur que sa spécification n’admet pas</translation>
    </message>
    <message>
        <source>This version of the format is newer than what is understood here</source>
        <translation>Cette version du format est plus récente que ce qui est compris ici</translation>
    </message>
    <message>
        <source>The host may read and change this guest&apos;s memory: debugging is allowed</source>
        <translation>L’hôte peut lire et changer la mémoire de cet invité&#xa0;: le débogage est permis</translation>
    </message>
    <message>
        <source>The guest may be moved by a migration agent, which then is trusted as well</source>
        <translation>L’invité peut être déplacé par un agent de migration, auquel on se fie alors aussi</translation>
    </message>
    <message>
        <source>The report was asked for by software at another privilege level than expected</source>
        <translation>Le rapport a été demandé par un logiciel d’un autre niveau de privilège que prévu</translation>
    </message>
    <message>
        <source>The evidence was made at another time than the one asked for</source>
        <translation>La preuve a été faite à un autre moment que celui demandé</translation>
    </message>
    <message>
        <source>The evidence does not carry the expected nonce: it may be old, or made for another</source>
        <translation>La preuve ne porte pas le nonce attendu&#xa0;: elle peut être ancienne, ou faite pour un autre</translation>
    </message>
    <message>
        <source>No nonce is expected, so this evidence may have been made at any time</source>
        <translation>Aucun nonce n’est attendu&#xa0;: cette preuve peut avoir été faite n’importe quand</translation>
    </message>
    <message>
        <source>What was launched is not what was expected</source>
        <translation>Ce qui a été lancé n’est pas ce qui était attendu</translation>
    </message>
    <message>
        <source>No measurement is expected, so what was launched was not compared with anything</source>
        <translation>Aucune mesure n’est attendue&#xa0;: ce qui a été lancé n’a été comparé à rien</translation>
    </message>
    <message>
        <source>A claim has another value than the expected one</source>
        <translation>Une déclaration a une autre valeur que celle attendue</translation>
    </message>
    <message>
        <source>A claim has a value that the administrator forbids</source>
        <translation>Une déclaration a une valeur que l’administrateur interdit</translation>
    </message>
    <message>
        <source>A version is below the floor</source>
        <translation>Une version est sous le plancher</translation>
    </message>
    <message>
        <source>The evidence does not make a claim that is expected</source>
        <translation>La preuve ne fait pas une déclaration attendue</translation>
    </message>
    <message>
        <source>The transport integrity key (TIK) is needed to verify a launch measurement</source>
        <translation>La clé d’intégrité du transport (TIK) est nécessaire pour vérifier une mesure de lancement</translation>
    </message>
    <message>
        <source>Intel&apos;s TCB information is not there; fetch it or give it as an endorsement</source>
        <translation>Les informations TCB d’Intel manquent&#xa0;; chargez-les ou donnez-les comme garantie</translation>
    </message>
    <message>
        <source>A document of Intel&apos;s is damaged, and was not used</source>
        <translation>Un document d’Intel est endommagé, et n’a pas servi</translation>
    </message>
    <message>
        <source>Intel&apos;s TCB information is not of the time asked for</source>
        <translation>Les informations TCB d’Intel ne sont pas du moment demandé</translation>
    </message>
    <message>
        <source>Intel&apos;s TCB information is for another processor or technology</source>
        <translation>Les informations TCB d’Intel sont pour un autre processeur ou une autre technologie</translation>
    </message>
    <message>
        <source>The quoting enclave is not the one that Intel published</source>
        <translation>L’enclave de citation n’est pas celle qu’Intel a publiée</translation>
    </message>
    <message>
        <source>The TDX module is not one that Intel published</source>
        <translation>Le module TDX n’est pas de ceux qu’Intel a publiés</translation>
    </message>
    <message>
        <source>No published TCB level matches this platform: it is older than all of them</source>
        <translation>Aucun niveau TCB publié ne convient à cette plateforme&#xa0;: elle est plus ancienne que tous</translation>
    </message>
    <message>
        <source>Intel has revoked this platform&apos;s TCB level</source>
        <translation>Intel a révoqué le niveau TCB de cette plateforme</translation>
    </message>
    <message>
        <source>The platform&apos;s TCB level is out of date</source>
        <translation>Le niveau TCB de la plateforme n’est pas à jour</translation>
    </message>
    <message>
        <source>The platform&apos;s TCB level is accepted only with hardening of configuration or software</source>
        <translation>Le niveau TCB de la plateforme n’est admis qu’avec un durcissement de la configuration ou du logiciel</translation>
    </message>
    <message>
        <source>Security advisories apply to this platform</source>
        <translation>Des avis de sécurité concernent cette plateforme</translation>
    </message>
    <message>
        <source>The PCR values are not those that were quoted</source>
        <translation>Les valeurs des PCR ne sont pas celles qui ont été citées</translation>
    </message>
    <message>
        <source>The PCR values that were quoted are not there, so nothing is known of what was booted</source>
        <translation>Les valeurs de PCR citées manquent&#xa0;: on ne sait rien de ce qui a démarré</translation>
    </message>
    <message>
        <source>Replaying the event log does not give the register&apos;s value: events were changed or lack</source>
        <translation>Rejouer le journal ne donne pas la valeur du registre&#xa0;: des événements ont été changés ou manquent</translation>
    </message>
    <message>
        <source>Without an event log it is not known what was booted</source>
        <translation>Sans journal d’événements, on ne sait pas ce qui a démarré</translation>
    </message>
    <message>
        <source>The event log lacks events that firmware is known to leave out; they were added</source>
        <translation>Au journal manquent des événements que le micrologiciel omet notoirement&#xa0;; ils ont été ajoutés</translation>
    </message>
    <message>
        <source>An event contradicts its digest or its place in the log</source>
        <translation>Un événement contredit son condensat ou sa place dans le journal</translation>
    </message>
    <message>
        <source>Whether Secure Boot was on cannot be told from the event log</source>
        <translation>Le journal ne permet pas de dire si Secure Boot était actif</translation>
    </message>
    <message>
        <source>Secure Boot was off</source>
        <translation>Secure Boot était désactivé</translation>
    </message>
    <message>
        <source>The evidence names another instance than its certificate</source>
        <translation>La preuve nomme une autre instance que son certificat</translation>
    </message>
    <message>
        <source>A part of the evidence was not verified</source>
        <translation>Une partie de la preuve n’a pas été vérifiée</translation>
    </message>
</context>
<context>
    <name>FindingCard</name>
    <message>
        <source>Copy this finding</source>
        <translation>Copier ce constat</translation>
    </message>
    <message>
        <source>or expected</source>
        <translation>ou attendu</translation>
    </message>
    <message>
        <source>expected</source>
        <translation>attendu</translation>
    </message>
    <message>
        <source>found</source>
        <translation>trouvé</translation>
    </message>
</context>
<context>
    <name>FindingsList</name>
    <message>
        <source>Nothing speaks against it.</source>
        <translation>Rien ne s’y oppose.</translation>
    </message>
    <message numerus="yes">
        <source>Show %n more finding(s)</source>
        <translation>
            <numerusform>Montrer %n autre constat</numerusform>
            <numerusform>Montrer %n autres constats</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>FindingsModel</name>
    <message>
        <source>Instance</source>
        <translation>Instance</translation>
    </message>
    <message>
        <source>Stands</source>
        <translation>État</translation>
    </message>
    <message>
        <source>What is wrong and what would pass</source>
        <translation>Ce qui ne va pas et ce qui passerait</translation>
    </message>
    <message>
        <source>Observed</source>
        <translation>Constaté</translation>
    </message>
</context>
<context>
    <name>FleetColumn</name>
    <message>
        <source>Name</source>
        <translation>Nom</translation>
    </message>
    <message>
        <source>State</source>
        <translation>État</translation>
    </message>
    <message>
        <source>Technology</source>
        <translation>Technologie</translation>
    </message>
    <message>
        <source>Trust</source>
        <translation>Confiance</translation>
    </message>
    <message>
        <source>Load</source>
        <translation>Charge</translation>
    </message>
    <message>
        <source>Provider</source>
        <translation>Fournisseur</translation>
    </message>
    <message>
        <source>Region</source>
        <translation>Région</translation>
    </message>
    <message>
        <source>Zone</source>
        <translation>Zone</translation>
    </message>
    <message>
        <source>Machine type</source>
        <translation>Type de machine</translation>
    </message>
    <message>
        <source>Image</source>
        <translation>Image</translation>
    </message>
    <message>
        <source>vCPUs</source>
        <translation>vCPU</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>Mémoire</translation>
    </message>
    <message>
        <source>Labels</source>
        <translation>Étiquettes</translation>
    </message>
    <message>
        <source>Compliance</source>
        <translation>Conformité</translation>
    </message>
    <message>
        <source>Cloud</source>
        <translation>Nuage</translation>
    </message>
    <message>
        <source>Created</source>
        <translation>Création</translation>
    </message>
    <message>
        <source>{provider} (emulated)</source>
        <translation>{provider} (émulé)</translation>
    </message>
</context>
<context>
    <name>FleetModel</name>
    <message>
        <source>The built-in {runs} guest runs in place of {image}</source>
        <translation>L’invité intégré «&#xa0;{runs}&#xa0;» tourne à la place de {image}</translation>
    </message>
    <message>
        <source>confidential</source>
        <translation>confidentielle</translation>
    </message>
    <message>
        <source>plain</source>
        <translation>ordinaire</translation>
    </message>
</context>
<context>
    <name>FleetPage</name>
    <message>
        <source>No instances yet</source>
        <translation>Aucune instance pour l’instant</translation>
    </message>
    <message>
        <source>Launch a confidential VM and watch its memory stay encrypted.</source>
        <translation>Lancez une VM confidentielle et regardez sa mémoire rester chiffrée.</translation>
    </message>
    <message>
        <source>New instance (Ctrl+N)</source>
        <translation>Nouvelle instance (Ctrl+N)</translation>
    </message>
    <message>
        <source>No instance matches this filter</source>
        <translation>Aucune instance ne correspond à ce filtre</translation>
    </message>
    <message>
        <source>Clear the filter (Esc)</source>
        <translation>Effacer le filtre (Échap)</translation>
    </message>
    <message>
        <source>Saved searches</source>
        <translation>Recherches enregistrées</translation>
    </message>
    <message>
        <source>Group counts</source>
        <translation>Compter par groupe</translation>
    </message>
    <message>
        <source>Columns</source>
        <translation>Colonnes</translation>
    </message>
    <message>
        <source>Start</source>
        <translation>Démarrer</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>Arrêter</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>Supprimer</translation>
    </message>
    <message>
        <source>Clear the marks (Esc)</source>
        <translation>Effacer les marques (Échap)</translation>
    </message>
    <message>
        <source>Clear the marks</source>
        <translation>Effacer les marques</translation>
    </message>
    <message>
        <source>Save this search</source>
        <translation>Enregistrer cette recherche</translation>
    </message>
    <message>
        <source>Forget this search</source>
        <translation>Oublier cette recherche</translation>
    </message>
    <message>
        <source>No saved searches yet</source>
        <translation>Aucune recherche enregistrée</translation>
    </message>
    <message>
        <source>No groups</source>
        <translation>Aucun groupe</translation>
    </message>
    <message>
        <source>Label: {key}</source>
        <translation>Étiquette&#xa0;: {key}</translation>
    </message>
    <message numerus="yes">
        <source>{shown} of %n instance(s)</source>
        <translation>
            <numerusform>{shown} sur&#xa0;%n instance</numerusform>
            <numerusform>{shown} sur&#xa0;%n instances</numerusform>
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
            <numerusform>%n marquée</numerusform>
            <numerusform>%n marquées</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>(%n hidden by the filter)</source>
        <translation>
            <numerusform>(%n cachée par le filtre)</numerusform>
            <numerusform>(%n cachées par le filtre)</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>FleetView</name>
    <message>
        <source>Instances</source>
        <translation>Instances</translation>
    </message>
</context>
<context>
    <name>ForcedList</name>
    <message>
        <source>Settings that change</source>
        <translation>Réglages qui changent</translation>
    </message>
    <message>
        <source>{0}: {1} becomes {2}. {3}.</source>
        <translation>{0}&#xa0;: {1} devient {2}. {3}.</translation>
    </message>
</context>
<context>
    <name>ForwardForm</name>
    <message>
        <source>those that this computer trusts</source>
        <translation>celles auxquelles cet ordinateur fait confiance</translation>
    </message>
    <message>
        <source>Browse …</source>
        <translation>Parcourir …</translation>
    </message>
    <message>
        <source>&amp;Test the connection</source>
        <translation>&amp;Tester la connexion</translation>
    </message>
    <message>
        <source>Connect, and have the server prove who it is; nothing is sent</source>
        <translation>Se connecter et demander au serveur de prouver son identité&#xa0;; rien n’est envoyé</translation>
    </message>
    <message>
        <source>&amp;Forward the log</source>
        <translation>Trans&amp;férer le journal</translation>
    </message>
    <message>
        <source>St&amp;op forwarding</source>
        <translation>&amp;Arrêter le transfert</translation>
    </message>
    <message>
        <source>Forward the log to a syslog server</source>
        <translation>Transférer le journal à un serveur syslog</translation>
    </message>
    <message>
        <source>Always over TLS, to a server that proves who it is (RFC 5425). What it has not confirmed stays in the log on disk, and is sent again.</source>
        <translation>Toujours par TLS, à un serveur qui prouve son identité (RFC 5425). Ce qu’il n’a pas confirmé reste dans le journal sur le disque et est renvoyé.</translation>
    </message>
    <message>
        <source>&amp;Host</source>
        <translation>&amp;Hôte</translation>
    </message>
    <message>
        <source>&amp;Port</source>
        <translation>&amp;Port</translation>
    </message>
    <message>
        <source>&amp;CA file</source>
        <translation>Fichier d’A&amp;C</translation>
    </message>
    <message>
        <source>The log is not forwarded.</source>
        <translation>Le journal n’est pas transféré.</translation>
    </message>
    <message numerus="yes">
        <source>%n record(s) wait on disk</source>
        <translation>
            <numerusform>%n enregistrement attend sur le disque</numerusform>
            <numerusform>%n enregistrements attendent sur le disque</numerusform>
        </translation>
    </message>
    <message>
        <source>{reason}. {waiting}; it is tried again by itself.</source>
        <translation>{reason}. {waiting}&#xa0;; un nouvel essai se fait tout seul.</translation>
    </message>
    <message>
        <source>{server} has the log up to record {record}; {waiting}.</source>
        <translation>{server} a le journal jusqu’à l’enregistrement {record}&#xa0;; {waiting}.</translation>
    </message>
    <message>
        <source>{server} has the whole log, up to record {record}.</source>
        <translation>{server} a tout le journal, jusqu’à l’enregistrement {record}.</translation>
    </message>
    <message>
        <source>Certificates of those that vouch for the server</source>
        <translation>Certificats de ceux qui se portent garants du serveur</translation>
    </message>
    <message>
        <source>Certificates (*.pem *.crt *.cer)</source>
        <translation>Certificats (*.pem *.crt *.cer)</translation>
    </message>
    <message>
        <source>All files (*)</source>
        <translation>Tous les fichiers (*)</translation>
    </message>
    <message>
        <source>Connecting …</source>
        <translation>Connexion …</translation>
    </message>
    <message>
        <source>{server} answers, and has proved who it is.</source>
        <translation>{server} répond et a prouvé son identité.</translation>
    </message>
    <message>
        <source>The log is forwarded to {server} from now on.</source>
        <translation>Le journal est désormais transféré à {server}.</translation>
    </message>
</context>
<context>
    <name>Freshness</name>
    <message>
        <source>just now</source>
        <translation>à l’instant</translation>
    </message>
    <message>
        <source>{count} s</source>
        <translation>{count} s</translation>
    </message>
    <message>
        <source>{count} min</source>
        <translation>{count} min</translation>
    </message>
    <message>
        <source>{count} h</source>
        <translation>{count} h</translation>
    </message>
    <message>
        <source>{count} d</source>
        <translation>{count} j</translation>
    </message>
    <message>
        <source>{word} · {age}, stale</source>
        <translation>{word} · {age}, périmée</translation>
    </message>
    <message>
        <source>By: {who}</source>
        <translation>Par&#xa0;: {who}</translation>
    </message>
    <message>
        <source>Verified {ago} ({moment})</source>
        <translation>Vérifiée {ago} ({moment})</translation>
    </message>
    <message>
        <source>Stale: ask for fresh evidence on its Attestation page</source>
        <translation>Périmée&#xa0;: demandez une preuve fraîche dans son onglet Attestation</translation>
    </message>
    <message>
        <source>No evidence was verified since it was powered on</source>
        <translation>Aucune preuve n’a été vérifiée depuis sa mise sous tension</translation>
    </message>
    <message>
        <source>Emulated: this proves nothing about hardware</source>
        <translation>Émulé&#xa0;: cela ne prouve rien sur du matériel</translation>
    </message>
</context>
<context>
    <name>GoToField</name>
    <message>
        <source>Go to address</source>
        <translation>Aller à l’adresse</translation>
    </message>
    <message>
        <source>0x… or +200</source>
        <translation>0x… ou +200</translation>
    </message>
    <message>
        <source>Guest physical address in hexadecimal; +200 or -200 moves from the cursor (Ctrl+G)</source>
        <translation>Adresse physique de l’invité en hexadécimal&#xa0;; +200 ou -200 se déplace depuis le curseur (Ctrl+G)</translation>
    </message>
</context>
<context>
    <name>GroupBar</name>
    <message>
        <source>Show only these</source>
        <translation>Ne montrer que celles-ci</translation>
    </message>
    <message numerus="yes">
        <source>%n more</source>
        <translation>
            <numerusform>%n de plus</numerusform>
            <numerusform>%n de plus</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>GuardCard</name>
    <message>
        <source>&amp;Apply the changes below</source>
        <translation>&amp;Appliquer les modifications ci-dessous</translation>
    </message>
    <message>
        <source>&amp;Look for one of my keys</source>
        <translation>C&amp;hercher une de mes clés</translation>
    </message>
    <message>
        <source>In the key stores of the page Keys; a token may ask for its PIN</source>
        <translation>Dans les magasins de clés de la page Clés&#xa0;; un jeton peut demander son PIN</translation>
    </message>
    <message>
        <source>Guardrails</source>
        <translation>Garde-fous</translation>
    </message>
    <message>
        <source>Asking …</source>
        <translation>Demande en cours …</translation>
    </message>
    <message>
        <source>Unguarded: no pack of rules that is on looks at it, so nothing is denied.</source>
        <translation>Sans garde-fou&#xa0;: aucun lot de règles actif ne la concerne, donc rien n’est refusé.</translation>
    </message>
    <message>
        <source>Denied: it is not created like this.</source>
        <translation>Refusée&#xa0;: elle ne sera pas créée ainsi.</translation>
    </message>
    <message>
        <source>Allowed, with warnings.</source>
        <translation>Permise, avec des avertissements.</translation>
    </message>
    <message numerus="yes">
        <source>Allowed: %n rule(s) hold</source>
        <translation>
            <numerusform>Permise&#xa0;: %n règle respectée</numerusform>
            <numerusform>Permise&#xa0;: %n règles respectées</numerusform>
        </translation>
    </message>
    <message>
        <source>Nearer; the rest is for a person to decide</source>
        <translation>Plus proche&#xa0;; le reste revient à une personne</translation>
    </message>
    <message>
        <source>The nearest request that passes</source>
        <translation>La demande la plus proche qui passe</translation>
    </message>
    <message>
        <source>With fewer warnings</source>
        <translation>Avec moins d’avertissements</translation>
    </message>
    <message>
        <source>Without warnings</source>
        <translation>Sans avertissement</translation>
    </message>
    <message>
        <source> (excepted)</source>
        <translation> (exception)</translation>
    </message>
    <message>
        <source>Change</source>
        <translation>Changer</translation>
    </message>
    <message>
        <source>Change {0}</source>
        <translation>Changer {0}</translation>
    </message>
</context>
<context>
    <name>Guarding</name>
    <message>
        <source>Denied by the guardrail {0}/{1}: {2}</source>
        <translation>Refusé par le garde-fou {0}/{1}&#xa0;: {2}</translation>
    </message>
    <message>
        <source>Asked for by {0}</source>
        <translation>Demandé par {0}</translation>
    </message>
    <message>
        <source>Goes with the other changes</source>
        <translation>Va de pair avec les autres modifications</translation>
    </message>
</context>
<context>
    <name>GuardrailsPage</name>
    <message>
        <source>Guardrails</source>
        <translation>Garde-fous</translation>
    </message>
    <message>
        <source>Compliance</source>
        <translation>Conformité</translation>
    </message>
    <message>
        <source>Packs of rules</source>
        <translation>Lots de règles</translation>
    </message>
    <message>
        <source>Exceptions</source>
        <translation>Exceptions</translation>
    </message>
    <message>
        <source>Unguarded: no pack of rules is on, so nothing is judged and nothing is denied.</source>
        <translation>Sans garde-fou&#xa0;: aucun lot de règles n’est actif, donc rien n’est jugé et rien n’est refusé.</translation>
    </message>
    <message numerus="yes">
        <source>%n pack(s) enforced</source>
        <translation>
            <numerusform>%n lot appliqué</numerusform>
            <numerusform>%n lots appliqués</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n only warn(s)</source>
        <translation>
            <numerusform>%n ne fait qu’avertir</numerusform>
            <numerusform>%n ne font qu’avertir</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n exception(s) running</source>
        <translation>
            <numerusform>%n exception en cours</numerusform>
            <numerusform>%n exceptions en cours</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>Headline</name>
    <message>
        <source>Trusted</source>
        <translation>De confiance</translation>
    </message>
    <message>
        <source>Not trusted</source>
        <translation>Non fiable</translation>
    </message>
    <message>
        <source>Not signed</source>
        <translation>Non signée</translation>
    </message>
    <message>
        <source>Earlier: {verdict}</source>
        <translation>Précédent&#xa0;: {verdict}</translation>
    </message>
    <message>
        <source>{form} from {who}</source>
        <translation>{form} de {who}</translation>
    </message>
    <message>
        <source>{given} · verified {ago} ({moment}) · {why}</source>
        <translation>{given} · vérifié {ago} ({moment}) · {why}</translation>
    </message>
    <message>
        <source>Nothing speaks against it</source>
        <translation>Rien ne s’y oppose</translation>
    </message>
    <message>
        <source>Its root is emulated: this is a rehearsal and proves nothing about hardware.</source>
        <translation>Sa racine est émulée&#xa0;: c’est une répétition, qui ne prouve rien sur du matériel.</translation>
    </message>
    <message>
        <source>Emulated</source>
        <translation>Émulé</translation>
    </message>
    <message>
        <source>Made by emulated hardware: a rehearsal, not a proof about hardware</source>
        <translation>Fait par du matériel émulé&#xa0;: une répétition, non une preuve sur du matériel</translation>
    </message>
    <message>
        <source>Stale</source>
        <translation>Périmée</translation>
    </message>
    <message>
        <source>Verified too long ago: ask for fresh evidence</source>
        <translation>Vérifiée il y a trop longtemps&#xa0;: demandez une preuve fraîche</translation>
    </message>
</context>
<context>
    <name>HelpPanel</name>
    <message>
        <source>Help pages</source>
        <translation>Pages d’aide</translation>
    </message>
    <message>
        <source>Help page</source>
        <translation>Page d’aide</translation>
    </message>
</context>
<context>
    <name>HistoryChart</name>
    <message>
        <source>nothing yet</source>
        <translation>rien pour l’instant</translation>
    </message>
    <message>
        <source>No history yet</source>
        <translation>Pas encore d’historique</translation>
    </message>
    <message>
        <source>now</source>
        <translation>maintenant</translation>
    </message>
</context>
<context>
    <name>HitsModel</name>
    <message>
        <source>Address</source>
        <translation>Adresse</translation>
    </message>
    <message>
        <source>Seen by</source>
        <translation>Vu par</translation>
    </message>
    <message>
        <source>Page</source>
        <translation>Page</translation>
    </message>
    <message>
        <source>As</source>
        <translation>Forme</translation>
    </message>
    <message>
        <source>Around it</source>
        <translation>Autour</translation>
    </message>
</context>
<context>
    <name>HostCard</name>
    <message>
        <source>What {0} offers</source>
        <translation>Ce que {0} propose</translation>
    </message>
    <message>
        <source>This host is not in the list any more.</source>
        <translation>Cet hôte n&apos;est plus dans la liste.</translation>
    </message>
    <message>
        <source>The host is being asked what it offers …</source>
        <translation>L&apos;hôte est interrogé sur ce qu&apos;il propose …</translation>
    </message>
    <message>
        <source>No {0}: {1}</source>
        <translation>Pas de {0} : {1}</translation>
    </message>
    <message>
        <source>Plain VMs</source>
        <translation>VM ordinaires</translation>
    </message>
</context>
<context>
    <name>HostDetail</name>
    <message>
        <source>Given on the command line: it is not kept for the next start.</source>
        <translation>Donné sur la ligne de commande : il n’est pas conservé pour le prochain démarrage.</translation>
    </message>
    <message>
        <source>&amp;Connect now</source>
        <translation>Se &amp;connecter maintenant</translation>
    </message>
    <message>
        <source>&amp;Remove from the list</source>
        <translation>&amp;Retirer de la liste</translation>
    </message>
    <message>
        <source>The host&apos;s machines run on; the console does not show them any more</source>
        <translation>Les machines de l’hôte continuent ; la console ne les montre plus</translation>
    </message>
    <message>
        <source>What it can do</source>
        <translation>Ce qu’il sait faire</translation>
    </message>
    <message>
        <source>Connected</source>
        <translation>Connecté</translation>
    </message>
    <message>
        <source>Connecting …</source>
        <translation>Connexion …</translation>
    </message>
    <message>
        <source>Not connected: {reason}. It is tried again by itself.</source>
        <translation>Non connecté : {reason}. Un nouvel essai se fait tout seul.</translation>
    </message>
    <message>
        <source>Not connected</source>
        <translation>Non connecté</translation>
    </message>
    <message>
        <source>{0}: {1}</source>
        <translation>{0} : {1}</translation>
    </message>
</context>
<context>
    <name>HostsPage</name>
    <message>
        <source>Hosts</source>
        <translation>Hôtes</translation>
    </message>
    <message>
        <source>Linux hosts with libvirt and QEMU, this computer or others, that run virtual machines. Their machines stand in the fleet as soon as they are connected.</source>
        <translation>Hôtes Linux avec libvirt et QEMU, cet ordinateur ou d’autres, qui exécutent des machines virtuelles. Leurs machines figurent dans le parc dès qu’ils sont connectés.</translation>
    </message>
    <message>
        <source>Hosts cannot be connected yet</source>
        <translation>Les hôtes ne peuvent pas encore être connectés</translation>
    </message>
    <message>
        <source>No host yet</source>
        <translation>Aucun hôte</translation>
    </message>
    <message>
        <source>Type an address above. Test says what the host can do before you add it.</source>
        <translation>Saisissez une adresse ci-dessus. Tester dit ce que l’hôte sait faire avant de l’ajouter.</translation>
    </message>
    <message>
        <source>connected</source>
        <translation>connecté</translation>
    </message>
    <message numerus="yes">
        <source>%n machine(s)</source>
        <translation>
            <numerusform>%n machine</numerusform>
            <numerusform>%n machines</numerusform>
        </translation>
    </message>
    <message>
        <source>connecting</source>
        <translation>connexion</translation>
    </message>
    <message>
        <source>not connected</source>
        <translation>non connecté</translation>
    </message>
    <message>
        <source>The host&apos;s machines run on, but are not shown any more</source>
        <translation>Les machines de l’hôte continuent de tourner, mais ne sont plus affichées</translation>
    </message>
    <message>
        <source>No hosts here</source>
        <translation>Pas d’hôtes ici</translation>
    </message>
    <message>
        <source>This session connects to no hosts.</source>
        <translation>Cette session ne se connecte à aucun hôte.</translation>
    </message>
</context>
<context>
    <name>ImagePage</name>
    <message>
        <source>Search images</source>
        <translation>Chercher des images</translation>
    </message>
    <message>
        <source>Images</source>
        <translation>Images</translation>
    </message>
    <message>
        <source>Image</source>
        <translation>Image</translation>
    </message>
    <message>
        <source>Choose the operating system. What can be confidential comes first.</source>
        <translation>Choisissez le système d’exploitation. Ce qui peut être confidentiel vient d’abord.</translation>
    </message>
    <message>
        <source>Plain only. {0}</source>
        <translation>Ordinaire seulement. {0}</translation>
    </message>
    <message>
        <source>In the embedded engine the built-in records guest runs in place of {0}.</source>
        <translation>Dans le moteur intégré, l’invité d’enregistrements tourne à la place de {0}.</translation>
    </message>
    <message>
        <source>mine</source>
        <translation>à moi</translation>
    </message>
    <message>
        <source>launch 2020</source>
        <translation>lancement 2020</translation>
    </message>
    <message>
        <source>downloaded</source>
        <translation>téléchargée</translation>
    </message>
    <message>
        <source>kernel {0}</source>
        <translation>noyau {0}</translation>
    </message>
    <message>
        <source>supported until {0}</source>
        <translation>maintenu jusqu’au {0}</translation>
    </message>
    <message>
        <source>Project {0}</source>
        <translation>Projet {0}</translation>
    </message>
    <message>
        <source>family {0}</source>
        <translation>famille {0}</translation>
    </message>
    <message>
        <source>needs kernel {0} or later</source>
        <translation>demande le noyau {0} ou plus récent</translation>
    </message>
    <message>
        <source>{0} of {1} images</source>
        <translation>{0} images sur {1}</translation>
    </message>
</context>
<context>
    <name>InstancePage</name>
    <message>
        <source>Emulated</source>
        <translation>Émulée</translation>
    </message>
    <message>
        <source>The hardware is emulated on this computer: a rehearsal, not a protection</source>
        <translation>Le matériel est émulé sur cet ordinateur&#xa0;: une répétition, pas une protection</translation>
    </message>
    <message>
        <source>Close this page (Ctrl+W)</source>
        <translation>Fermer cette page (Ctrl+W)</translation>
    </message>
    <message>
        <source>Close this page</source>
        <translation>Fermer cette page</translation>
    </message>
    <message>
        <source>Instance</source>
        <translation>Instance</translation>
    </message>
    <message>
        <source>Overview</source>
        <translation>Vue d’ensemble</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>Mémoire</translation>
    </message>
    <message>
        <source>Exposure</source>
        <translation>Exposition</translation>
    </message>
    <message>
        <source>Console</source>
        <translation>Console</translation>
    </message>
    <message>
        <source>Events</source>
        <translation>Événements</translation>
    </message>
    <message>
        <source>Metrics</source>
        <translation>Mesures</translation>
    </message>
    <message>
        <source>Attestation</source>
        <translation>Attestation</translation>
    </message>
    <message>
        <source>Show the fleet beside it (Ctrl+M)</source>
        <translation>Montrer le parc à côté (Ctrl+M)</translation>
    </message>
    <message>
        <source>Use the whole window (Ctrl+M)</source>
        <translation>Prendre toute la fenêtre (Ctrl+M)</translation>
    </message>
    <message>
        <source>Not confidential</source>
        <translation>Non confidentielle</translation>
    </message>
    <message>
        <source>Loading …</source>
        <translation>Chargement …</translation>
    </message>
</context>
<context>
    <name>InstanceRequests</name>
    <message>
        <source>{action} is not possible in the present state of what is chosen</source>
        <translation>{action}&#xa0;: impossible dans l’état présent de ce qui est choisi</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Annuler</translation>
    </message>
    <message>
        <source>There is no other host to migrate to</source>
        <translation>Il n’y a pas d’autre hôte vers lequel migrer</translation>
    </message>
    <message numerus="yes">
        <source>%n instances</source>
        <translation>
            <numerusform>%n instance</numerusform>
            <numerusform>%n instances</numerusform>
        </translation>
    </message>
    <message>
        <source>Move {name} to {host}? It goes on running, but for a moment at the end.</source>
        <translation>Déplacer {name} vers {host}&#xa0;? Elle continue de tourner, sauf un instant à la fin.</translation>
    </message>
    <message>
        <source>Migrate to</source>
        <translation>Migrer vers</translation>
    </message>
    <message>
        <source>Name of the copy</source>
        <translation>Nom de la copie</translation>
    </message>
    <message>
        <source>Copy {name} with its disks, as a machine of its own named:</source>
        <translation>Copier {name} avec ses disques, comme une machine à part nommée :</translation>
    </message>
    <message>
        <source>Delete {name}? Its disk and its keys are destroyed; nothing brings them back.</source>
        <translation>Supprimer {name}&#xa0;? Son disque et ses clés sont détruits&#xa0;; rien ne les ramène.</translation>
    </message>
    <message numerus="yes">
        <source>Delete %n instances? Their disks and keys are destroyed; nothing brings them back.</source>
        <translation>
            <numerusform>Supprimer&#xa0;%n instance&#xa0;? Son disque et ses clés sont détruits&#xa0;; rien ne les ramène.</numerusform>
            <numerusform>Supprimer&#xa0;%n instances&#xa0;? Leurs disques et leurs clés sont détruits&#xa0;; rien ne les ramène.</numerusform>
        </translation>
    </message>
    <message>
        <source>Reset {name}? What it holds in memory is lost.</source>
        <translation>Réinitialiser {name}&#xa0;? Ce qu’elle a en mémoire est perdu.</translation>
    </message>
    <message numerus="yes">
        <source>Reset %n instances? What they hold in memory is lost.</source>
        <translation>
            <numerusform>Réinitialiser&#xa0;%n instance&#xa0;? Ce qu’elle a en mémoire est perdu.</numerusform>
            <numerusform>Réinitialiser&#xa0;%n instances&#xa0;? Ce qu’elles ont en mémoire est perdu.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Stop %n instances? What they hold in memory is lost.</source>
        <translation>
            <numerusform>Arrêter&#xa0;%n instance&#xa0;? Ce qu’elle a en mémoire est perdu.</numerusform>
            <numerusform>Arrêter&#xa0;%n instances&#xa0;? Ce qu’elles ont en mémoire est perdu.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n requests were stored: each is carried out once another administrator approves it</source>
        <translation>
            <numerusform>%n demande a été enregistrée&#xa0;: elle sera exécutée dès qu’un autre administrateur l’aura approuvée</numerusform>
            <numerusform>%n demandes ont été enregistrées&#xa0;: chacune sera exécutée dès qu’un autre administrateur l’aura approuvée</numerusform>
        </translation>
    </message>
    <message>
        <source>Show requests</source>
        <translation>Afficher les demandes</translation>
    </message>
</context>
<context>
    <name>InstanceState</name>
    <message>
        <source>Creating</source>
        <translation>En création</translation>
    </message>
    <message>
        <source>Starting</source>
        <translation>Démarrage</translation>
    </message>
    <message>
        <source>Running</source>
        <translation>En marche</translation>
    </message>
    <message>
        <source>Paused</source>
        <translation>Suspendue</translation>
    </message>
    <message>
        <source>Stopping</source>
        <translation>Arrêt en cours</translation>
    </message>
    <message>
        <source>Stopped</source>
        <translation>Arrêtée</translation>
    </message>
    <message>
        <source>Crashed</source>
        <translation>Plantée</translation>
    </message>
    <message>
        <source>Deleting</source>
        <translation>Suppression</translation>
    </message>
</context>
<context>
    <name>JobsModel</name>
    <message>
        <source>Job</source>
        <translation>Tâche</translation>
    </message>
    <message>
        <source>Instance</source>
        <translation>Instance</translation>
    </message>
    <message>
        <source>Status</source>
        <translation>Statut</translation>
    </message>
    <message>
        <source>Progress</source>
        <translation>Avancement</translation>
    </message>
    <message>
        <source>Step</source>
        <translation>Étape</translation>
    </message>
    <message>
        <source>Accepted</source>
        <translation>Acceptée</translation>
    </message>
    <message>
        <source>Took</source>
        <translation>Durée</translation>
    </message>
</context>
<context>
    <name>JobsPanel</name>
    <message>
        <source>Jobs</source>
        <translation>Tâches</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Annuler</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>Réessayer</translation>
    </message>
    <message>
        <source>Hide the jobs</source>
        <translation>Cacher les tâches</translation>
    </message>
    <message>
        <source>No jobs yet</source>
        <translation>Aucune tâche pour l’instant</translation>
    </message>
    <message>
        <source>Whatever is done to instances appears here.</source>
        <translation>Tout ce qui est fait aux instances paraît ici.</translation>
    </message>
</context>
<context>
    <name>KeyChooser</name>
    <message>
        <source>Look in &amp;all stores</source>
        <translation>Chercher dans &amp;tous les magasins</translation>
    </message>
    <message>
        <source>HSMs and clouds too. A token may ask for its PIN</source>
        <translation>Les HSM et les nuages aussi. Un jeton peut demander son PIN</translation>
    </message>
    <message>
        <source>N&amp;ew key …</source>
        <translation>Nouv&amp;elle clé …</translation>
    </message>
    <message>
        <source>Disk key</source>
        <translation>Clé du disque</translation>
    </message>
    <message>
        <source>&amp;Key that wraps the disk&apos;s own key</source>
        <translation>&amp;Clé qui enveloppe la clé propre au disque</translation>
    </message>
    <message>
        <source>It cannot be used: {0}</source>
        <translation>Elle ne peut pas servir : {0}</translation>
    </message>
    <message>
        <source>{0}. {1}</source>
        <translation>{0}. {1}</translation>
    </message>
    <message>
        <source>local: keys stay on this computer, readable by you alone. The disk&apos;s own key is stored only wrapped.</source>
        <translation>Les clés local: restent sur cet ordinateur, lisibles par vous seul. La clé propre au disque n&apos;est conservée qu&apos;enveloppée.</translation>
    </message>
    <message>
        <source>It is looked for at the launch, and made if its store has none of this name.</source>
        <translation>Elle est cherchée au lancement, et créée si son magasin n&apos;en a pas de ce nom.</translation>
    </message>
</context>
<context>
    <name>KeyDetail</name>
    <message>
        <source>What it holds</source>
        <translation>Ce qu&apos;elle tient</translation>
    </message>
    <message>
        <source>Reference</source>
        <translation>Référence</translation>
    </message>
    <message>
        <source>Store</source>
        <translation>Magasin</translation>
    </message>
    <message>
        <source>Protection</source>
        <translation>Protection</translation>
    </message>
    <message>
        <source>Algorithm</source>
        <translation>Algorithme</translation>
    </message>
    <message>
        <source>Versions</source>
        <translation>Versions</translation>
    </message>
    <message>
        <source>Made</source>
        <translation>Créée</translation>
    </message>
    <message>
        <source>&amp;Wrap all of it anew</source>
        <translation>Tout &amp;envelopper de nouveau</translation>
    </message>
    <message>
        <source>Instances that run go on running; their disks are not encrypted anew</source>
        <translation>Les instances en marche continuent ; leurs disques ne sont pas chiffrés de nouveau</translation>
    </message>
    <message>
        <source>Wrap &amp;by</source>
        <translation>Envelopper &amp;par</translation>
    </message>
    <message>
        <source>&amp;Rotate</source>
        <translation>&amp;Renouveler</translation>
    </message>
    <message>
        <source>A new version wraps from now on; what older ones wrapped stays readable</source>
        <translation>Une nouvelle version enveloppe désormais ; ce que les anciennes ont enveloppé reste lisible</translation>
    </message>
    <message>
        <source>&amp;Disable</source>
        <translation>&amp;Désactiver</translation>
    </message>
    <message>
        <source>&amp;Enable</source>
        <translation>&amp;Activer</translation>
    </message>
    <message>
        <source>Re&amp;store</source>
        <translation>Re&amp;staurer</translation>
    </message>
    <message>
        <source>Call the destruction off; the key is disabled then</source>
        <translation>Annuler la destruction ; la clé est alors désactivée</translation>
    </message>
    <message>
        <source>Destro&amp;y …</source>
        <translation>Détrui&amp;re …</translation>
    </message>
    <message>
        <source>{0}, in hardware</source>
        <translation>{0}, dans un matériel</translation>
    </message>
    <message>
        <source>{0}, the newest is number {1}</source>
        <translation>{0}, la plus récente est la numéro {1}</translation>
    </message>
    <message>
        <source>{0} ({1})</source>
        <translation>{0} ({1})</translation>
    </message>
    <message numerus="yes">
        <source>and %n more</source>
        <translation>
            <numerusform>et %n autre</numerusform>
            <numerusform>et %n autres</numerusform>
        </translation>
    </message>
    <message>
        <source>Nothing that this console knows of.</source>
        <translation>Rien que cette console connaisse.</translation>
    </message>
    <message>
        <source>its newest version</source>
        <translation>sa version la plus récente</translation>
    </message>
</context>
<context>
    <name>KeyEnding</name>
    <message>
        <source>now</source>
        <translation>maintenant</translation>
    </message>
    <message>
        <source>I &amp;agree that these data are lost for good</source>
        <translation>J&apos;&amp;accepte que ces données soient perdues pour toujours</translation>
    </message>
    <message>
        <source>&amp;Keep the key</source>
        <translation>&amp;Garder la clé</translation>
    </message>
    <message>
        <source>Days &amp;until then</source>
        <translation>Jours &amp;jusque-là</translation>
    </message>
    <message>
        <source>Destroy {0}?</source>
        <translation>Détruire {0} ?</translation>
    </message>
    <message>
        <source>The data of these cannot be read by anybody any more: {0}</source>
        <translation>Les données de celles-ci ne peuvent plus être lues par personne : {0}</translation>
    </message>
    <message>
        <source>It holds nothing that this console knows of.</source>
        <translation>Elle ne tient rien que cette console connaisse.</translation>
    </message>
    <message numerus="yes">
        <source>Nobody can use it from now on. It can be restored until it is destroyed in %n day(s).</source>
        <translation>
            <numerusform>Personne ne peut plus s&apos;en servir. Elle peut être restaurée jusqu&apos;à sa destruction dans %n jour.</numerusform>
            <numerusform>Personne ne peut plus s&apos;en servir. Elle peut être restaurée jusqu&apos;à sa destruction dans %n jours.</numerusform>
        </translation>
    </message>
    <message>
        <source>It is destroyed at once, and cannot be restored.</source>
        <translation>Elle est détruite aussitôt et ne peut pas être restaurée.</translation>
    </message>
    <message>
        <source>&amp;Schedule its destruction</source>
        <translation>&amp;Planifier sa destruction</translation>
    </message>
    <message>
        <source>&amp;Destroy it now</source>
        <translation>La &amp;détruire maintenant</translation>
    </message>
</context>
<context>
    <name>KeyForm</name>
    <message>
        <source>&amp;Token</source>
        <translation>&amp;Jeton</translation>
    </message>
    <message>
        <source>&amp;Label of the key</source>
        <translation>&amp;Étiquette de la clé</translation>
    </message>
    <message>
        <source>Re&amp;gion</source>
        <translation>Ré&amp;gion</translation>
    </message>
    <message>
        <source>&amp;Alias of the key</source>
        <translation>&amp;Alias de la clé</translation>
    </message>
    <message>
        <source>Key rin&amp;g</source>
        <translation>Trou&amp;sseau</translation>
    </message>
    <message>
        <source>&amp;Name of the key</source>
        <translation>&amp;Nom de la clé</translation>
    </message>
    <message>
        <source>&amp;Vault</source>
        <translation>&amp;Coffre</translation>
    </message>
    <message>
        <source>&amp;Browse …</source>
        <translation>&amp;Parcourir …</translation>
    </message>
    <message>
        <source>&amp;Make the key</source>
        <translation>&amp;Créer la clé</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Annuler</translation>
    </message>
    <message>
        <source>Library of the &amp;HSM (PKCS#11 module)</source>
        <translation>Bibliothèque du &amp;HSM (module PKCS#11)</translation>
    </message>
    <message>
        <source>&amp;Store</source>
        <translation>&amp;Magasin</translation>
    </message>
    <message>
        <source>A new key</source>
        <translation>Une nouvelle clé</translation>
    </message>
    <message>
        <source>It is kept in this computer&apos;s keyring, or in a file that only you can read.</source>
        <translation>Elle est gardée dans le trousseau de cet ordinateur, ou dans un fichier que vous seul pouvez lire.</translation>
    </message>
    <message>
        <source>The token makes it and never gives it away. Its PIN is asked for when it is needed.</source>
        <translation>Le jeton la crée et ne la donne jamais. Son PIN est demandé quand il le faut.</translation>
    </message>
    <message>
        <source>The service makes it and never gives it away. You are signed in as the service&apos;s own tools are.</source>
        <translation>Le service la crée et ne la donne jamais. Vous êtes identifié comme le sont les outils du service.</translation>
    </message>
    <message>
        <source>Making it …</source>
        <translation>Création …</translation>
    </message>
    <message>
        <source>Library of the HSM</source>
        <translation>Bibliothèque du HSM</translation>
    </message>
</context>
<context>
    <name>KeyState</name>
    <message>
        <source>Enabled</source>
        <translation>Active</translation>
    </message>
    <message>
        <source>Disabled</source>
        <translation>Désactivée</translation>
    </message>
    <message>
        <source>To be destroyed</source>
        <translation>À détruire</translation>
    </message>
    <message>
        <source>Destroyed</source>
        <translation>Détruite</translation>
    </message>
    <message>
        <source>Not reachable</source>
        <translation>Inaccessible</translation>
    </message>
    <message>
        <source>{state} on {moment}</source>
        <translation>{state} le {moment}</translation>
    </message>
    <message>
        <source>{state}: {reason}</source>
        <translation>{state} : {reason}</translation>
    </message>
</context>
<context>
    <name>KeyStore</name>
    <message>
        <source>This computer</source>
        <translation>Cet ordinateur</translation>
    </message>
    <message>
        <source>HSM or token (PKCS#11)</source>
        <translation>HSM ou jeton (PKCS#11)</translation>
    </message>
    <message>
        <source>AWS KMS</source>
        <translation>AWS KMS</translation>
    </message>
    <message>
        <source>Google Cloud KMS</source>
        <translation>Google Cloud KMS</translation>
    </message>
    <message>
        <source>Azure Key Vault</source>
        <translation>Azure Key Vault</translation>
    </message>
</context>
<context>
    <name>KeysModel</name>
    <message>
        <source>Yes</source>
        <translation>Oui</translation>
    </message>
    <message>
        <source>No</source>
        <translation>Non</translation>
    </message>
    <message>
        <source>Key</source>
        <translation>Clé</translation>
    </message>
    <message>
        <source>Store</source>
        <translation>Magasin</translation>
    </message>
    <message>
        <source>State</source>
        <translation>État</translation>
    </message>
    <message>
        <source>Protection</source>
        <translation>Protection</translation>
    </message>
    <message>
        <source>Hardware</source>
        <translation>Matériel</translation>
    </message>
    <message>
        <source>Algorithm</source>
        <translation>Algorithme</translation>
    </message>
    <message>
        <source>Versions</source>
        <translation>Versions</translation>
    </message>
    <message>
        <source>Holds</source>
        <translation>Tient</translation>
    </message>
</context>
<context>
    <name>KeysPage</name>
    <message>
        <source>Each disk is encrypted under a key of its own, and that key is stored only wrapped by one of these. Whoever ends a key ends the data that it holds.</source>
        <translation>Chaque disque est chiffré sous une clé qui lui est propre, et qui n&apos;est conservée qu&apos;enveloppée par l&apos;une de celles-ci. Qui met fin à une clé met fin aux données qu&apos;elle tient.</translation>
    </message>
    <message>
        <source>Look &amp;again</source>
        <translation>Chercher de &amp;nouveau</translation>
    </message>
    <message>
        <source>&amp;Places …</source>
        <translation>&amp;Emplacements …</translation>
    </message>
    <message>
        <source>&amp;New key …</source>
        <translation>Nouvelle &amp;clé …</translation>
    </message>
    <message>
        <source>Keys</source>
        <translation>Clés</translation>
    </message>
    <message>
        <source>Looking for keys …</source>
        <translation>Recherche des clés …</translation>
    </message>
    <message>
        <source>The first instance with records makes one on this computer. New key makes one anywhere.</source>
        <translation>La première instance avec des données en crée une sur cet ordinateur. Nouvelle clé en crée une où vous voulez.</translation>
    </message>
    <message>
        <source>No key yet</source>
        <translation>Aucune clé encore</translation>
    </message>
    <message>
        <source>A new version wraps from now on. What it holds stays as it is until it is wrapped anew.</source>
        <translation>Une nouvelle version enveloppe désormais. Ce qu&apos;elle tient reste tel quel jusqu&apos;à être enveloppé de nouveau.</translation>
    </message>
    <message>
        <source>Nothing can be wrapped or unwrapped by it now.</source>
        <translation>Rien ne peut plus être enveloppé ni ouvert par elle.</translation>
    </message>
    <message>
        <source>It can be used again.</source>
        <translation>Elle peut de nouveau servir.</translation>
    </message>
    <message>
        <source>It is not destroyed. Enable it to use it again.</source>
        <translation>Elle n&apos;est pas détruite. Activez-la pour vous en servir de nouveau.</translation>
    </message>
    <message>
        <source>Some stay as they were:
{0}</source>
        <translation>Certaines restent comme elles étaient :
{0}</translation>
    </message>
    <message numerus="yes">
        <source>%n key(s) wrapped anew</source>
        <translation>
            <numerusform>%n clé enveloppée de nouveau</numerusform>
            <numerusform>%n clés enveloppées de nouveau</numerusform>
        </translation>
    </message>
    <message>
        <source>No keys here</source>
        <translation>Pas de clés ici</translation>
    </message>
    <message>
        <source>This session has no store of keys.</source>
        <translation>Cette session n&apos;a pas de magasin de clés.</translation>
    </message>
</context>
<context>
    <name>LaunchWizard</name>
    <message>
        <source>New instance</source>
        <translation>Nouvelle instance</translation>
    </message>
    <message>
        <source>Where</source>
        <translation>Où</translation>
    </message>
    <message>
        <source>Machine</source>
        <translation>Machine</translation>
    </message>
    <message>
        <source>Image</source>
        <translation>Image</translation>
    </message>
    <message>
        <source>Confidential</source>
        <translation>Confidentialité</translation>
    </message>
    <message>
        <source>Data</source>
        <translation>Données</translation>
    </message>
    <message>
        <source>Review</source>
        <translation>Vérification</translation>
    </message>
    <message>
        <source>Steps</source>
        <translation>Étapes</translation>
    </message>
    <message>
        <source>Discard what you have entered?</source>
        <translation>Abandonner ce que vous avez saisi&#xa0;?</translation>
    </message>
    <message>
        <source>&amp;Discard</source>
        <translation>A&amp;bandonner</translation>
    </message>
    <message>
        <source>&amp;Keep editing</source>
        <translation>&amp;Continuer la saisie</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Annuler</translation>
    </message>
    <message>
        <source>&lt; &amp;Back</source>
        <translation>&lt; &amp;Retour</translation>
    </message>
    <message>
        <source>&amp;Next &gt;</source>
        <translation>&amp;Suivant &gt;</translation>
    </message>
    <message>
        <source>C&amp;reate</source>
        <translation>C&amp;réer</translation>
    </message>
    <message>
        <source>Creating …</source>
        <translation>Création …</translation>
    </message>
    <message>
        <source>plain</source>
        <translation>ordinaire</translation>
    </message>
</context>
<context>
    <name>LegendTab</name>
    <message>
        <source>Legend</source>
        <translation>Légende</translation>
    </message>
    <message>
        <source>Changed</source>
        <translation>Changé</translation>
    </message>
    <message>
        <source>The byte has just changed; the glow fades within a second and a half.</source>
        <translation>L’octet vient de changer&#xa0;; la lueur s’éteint en une seconde et demie.</translation>
    </message>
    <message>
        <source>Differs</source>
        <translation>Différent</translation>
    </message>
    <message>
        <source>Not what it was when the snapshot was taken.</source>
        <translation>Plus ce qu’il était à l’instantané.</translation>
    </message>
    <message>
        <source>Found</source>
        <translation>Trouvé</translation>
    </message>
    <message>
        <source>A place that the last search found.</source>
        <translation>Un endroit trouvé par la dernière recherche.</translation>
    </message>
    <message>
        <source>Entropy</source>
        <translation>Entropie</translation>
    </message>
    <message>
        <source>On the map of entropy: from one value only to evenly spread.</source>
        <translation>Sur la carte d’entropie&#xa0;: d’une seule valeur à également réparti.</translation>
    </message>
    <message>
        <source>Change</source>
        <translation>Changement</translation>
    </message>
    <message>
        <source>On the map of changes: from at rest to changed since the last look.</source>
        <translation>Sur la carte des changements&#xa0;: de au repos à changé depuis le dernier regard.</translation>
    </message>
    <message>
        <source>Entropy counts how evenly byte values are spread: 0 bits per byte is one value only, text has 4 to 5, random bytes in a page of 4 KiB about 7.95. From {limit} on a page looks encrypted, but compressed data look the same: what a page is comes from the machine, never from this measure.</source>
        <translation>L’entropie mesure la répartition des valeurs d’octets&#xa0;: 0 bit par octet, une seule valeur&#xa0;; un texte, 4 à 5&#xa0;; des octets aléatoires dans une page de 4 Kio, environ 7,95. À partir de {limit}, une page paraît chiffrée, mais des données compressées aussi&#xa0;: ce qu’est une page vient de la machine, jamais de cette mesure.</translation>
    </message>
    <message>
        <source>Ciphertext shows where the guest writes: the same plaintext at the same address always gives the same ciphertext, so unchanged cells are unchanged data. That is a known weakness of memory encryption, and the map of changes shows it.</source>
        <translation>Le texte chiffré montre où l’invité écrit&#xa0;: le même texte clair à la même adresse donne toujours le même texte chiffré, donc une case inchangée est une donnée inchangée. C’est une faiblesse connue du chiffrement mémoire, et la carte des changements la montre.</translation>
    </message>
</context>
<context>
    <name>LibraryBar</name>
    <message>
        <source>Download</source>
        <translation>Téléchargement</translation>
    </message>
    <message>
        <source>&amp;Download</source>
        <translation>&amp;Télécharger</translation>
    </message>
    <message>
        <source>&amp;Stop</source>
        <translation>&amp;Arrêter</translation>
    </message>
    <message>
        <source>Add a &amp;disk image …</source>
        <translation>Ajouter une image de &amp;disque …</translation>
    </message>
    <message>
        <source>Add a &amp;kernel …</source>
        <translation>Ajouter un &amp;noyau …</translation>
    </message>
    <message>
        <source>&amp;Resume</source>
        <translation>&amp;Reprendre</translation>
    </message>
    <message>
        <source>Verified: {0}</source>
        <translation>Vérifiée : {0}</translation>
    </message>
    <message>
        <source>Not verified</source>
        <translation>Non vérifiée</translation>
    </message>
    <message>
        <source>In the library. {0}</source>
        <translation>Dans la bibliothèque. {0}</translation>
    </message>
    <message>
        <source>Downloading …</source>
        <translation>Téléchargement …</translation>
    </message>
    <message>
        <source>Not in the library yet: download it first.</source>
        <translation>Pas encore dans la bibliothèque : téléchargez-la d’abord.</translation>
    </message>
    <message>
        <source>Disk images (*.qcow2 *.img *.raw)</source>
        <translation>Images de disque (*.qcow2 *.img *.raw)</translation>
    </message>
    <message>
        <source>All files (*)</source>
        <translation>Tous les fichiers (*)</translation>
    </message>
    <message>
        <source>Choose a disk image</source>
        <translation>Choisir une image de disque</translation>
    </message>
    <message>
        <source>Choose a kernel, and its initrd with it</source>
        <translation>Choisir un noyau, et son initrd avec lui</translation>
    </message>
    <message>
        <source>Choose the kernel as well: an initrd alone boots nothing</source>
        <translation>Choisissez aussi le noyau : un initrd seul ne démarre rien</translation>
    </message>
</context>
<context>
    <name>MachinePage</name>
    <message>
        <source>Search: type, platform, 8vcpu, 32gib</source>
        <translation>Chercher&#xa0;: type, plateforme, 8vcpu, 32gib</translation>
    </message>
    <message>
        <source>Series</source>
        <translation>Série</translation>
    </message>
    <message>
        <source>Machine</source>
        <translation>Machine</translation>
    </message>
    <message>
        <source>Choose the series and size: vCPUs, memory, and the processor that it runs on.</source>
        <translation>Choisissez la série et la taille&#xa0;: vCPU, mémoire, et le processeur qui l’exécute.</translation>
    </message>
    <message>
        <source>Machine types</source>
        <translation>Types de machine</translation>
    </message>
    <message>
        <source>{0} · {1} vCPUs, {2}</source>
        <translation>{0} · {1} vCPU, {2}</translation>
    </message>
    <message>
        <source>Plain only. {0}</source>
        <translation>Ordinaire seulement. {0}</translation>
    </message>
    <message>
        <source>All series</source>
        <translation>Toutes les séries</translation>
    </message>
    <message>
        <source>{0} types</source>
        <translation>{0} types</translation>
    </message>
    <message>
        <source>Runs on {0}</source>
        <translation>Tourne sur {0}</translation>
    </message>
    <message>
        <source> or </source>
        <translation> ou </translation>
    </message>
    <message>
        <source>migrates live</source>
        <translation>migre à chaud</translation>
    </message>
    <message>
        <source>stops for host maintenance</source>
        <translation>s’arrête pour la maintenance de l’hôte</translation>
    </message>
</context>
<context>
    <name>MachineTable</name>
    <message>
        <source>Machine type</source>
        <translation>Type de machine</translation>
    </message>
    <message>
        <source>Series</source>
        <translation>Série</translation>
    </message>
    <message>
        <source>vCPUs</source>
        <translation>vCPU</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>Mémoire</translation>
    </message>
    <message>
        <source>CPU platform</source>
        <translation>Plateforme CPU</translation>
    </message>
    <message>
        <source>Confidential with</source>
        <translation>Confidentielle avec</translation>
    </message>
    <message>
        <source>Why it does not fit</source>
        <translation>Pourquoi il ne convient pas</translation>
    </message>
</context>
<context>
    <name>MapsTab</name>
    <message>
        <source>Which RAM the maps cover</source>
        <translation>Quelle mémoire couvrent les cartes</translation>
    </message>
    <message>
        <source>RAM in use</source>
        <translation>Mémoire utilisée</translation>
    </message>
    <message>
        <source>All RAM</source>
        <translation>Toute la mémoire</translation>
    </message>
    <message>
        <source>Which bytes the histogram counts</source>
        <translation>Quels octets compte l’histogramme</translation>
    </message>
    <message>
        <source>Page at the cursor</source>
        <translation>Page sous le curseur</translation>
    </message>
    <message>
        <source>Bytes in view</source>
        <translation>Octets en vue</translation>
    </message>
</context>
<context>
    <name>MemoryPane</name>
    <message>
        <source>page: {entropy} bits per byte</source>
        <translation>page&#xa0;: {entropy} bits par octet</translation>
    </message>
    <message>
        <source>{size} selected</source>
        <translation>{size} sélectionnés</translation>
    </message>
</context>
<context>
    <name>MemoryPanel</name>
    <message>
        <source>Maps of RAM</source>
        <translation>Cartes de la mémoire</translation>
    </message>
    <message>
        <source>Search</source>
        <translation>Chercher</translation>
    </message>
    <message>
        <source>Bookmarks</source>
        <translation>Signets</translation>
    </message>
    <message>
        <source>Snapshot</source>
        <translation>Instantané</translation>
    </message>
    <message>
        <source>Legend</source>
        <translation>Légende</translation>
    </message>
    <message>
        <source>No instance chosen</source>
        <translation>Aucune instance choisie</translation>
    </message>
    <message>
        <source>Choose an instance to look into its memory.</source>
        <translation>Choisissez une instance pour regarder dans sa mémoire.</translation>
    </message>
    <message>
        <source>No memory to look at</source>
        <translation>Aucune mémoire à regarder</translation>
    </message>
    <message>
        <source>Frozen: what is shown no longer follows the guest</source>
        <translation>Figé&#xa0;: ce qui est montré ne suit plus l’invité</translation>
    </message>
    <message>
        <source>Live</source>
        <translation>En direct</translation>
    </message>
    <message>
        <source>Live, slower while the window is in the background</source>
        <translation>En direct, plus lent tant que la fenêtre est à l’arrière-plan</translation>
    </message>
</context>
<context>
    <name>MemoryToolBar</name>
    <message>
        <source>Go to</source>
        <translation>Aller à</translation>
    </message>
    <message>
        <source>Search</source>
        <translation>Chercher</translation>
    </message>
    <message>
        <source>Search RAM for a text or bytes</source>
        <translation>Chercher un texte ou des octets en mémoire</translation>
    </message>
    <message>
        <source>Freeze</source>
        <translation>Figer</translation>
    </message>
    <message>
        <source>Keep what is shown; the guest runs on</source>
        <translation>Garder ce qui est montré&#xa0;; l’invité continue</translation>
    </message>
    <message>
        <source>Snapshot</source>
        <translation>Instantané</translation>
    </message>
    <message>
        <source>Keep RAM as it is now, to see what changes afterwards</source>
        <translation>Garder la mémoire telle qu’elle est, pour voir ce qui change ensuite</translation>
    </message>
    <message>
        <source>Bookmark</source>
        <translation>Signet</translation>
    </message>
    <message>
        <source>Give the address under the cursor a name</source>
        <translation>Donner un nom à l’adresse sous le curseur</translation>
    </message>
    <message>
        <source>Export</source>
        <translation>Exporter</translation>
    </message>
    <message>
        <source>Write memory to a file</source>
        <translation>Écrire la mémoire dans un fichier</translation>
    </message>
    <message>
        <source>View</source>
        <translation>Affichage</translation>
    </message>
    <message>
        <source>Columns and bytes in a row</source>
        <translation>Colonnes et octets par ligne</translation>
    </message>
    <message>
        <source>Columns</source>
        <translation>Colonnes</translation>
    </message>
    <message>
        <source>Both views</source>
        <translation>Les deux vues</translation>
    </message>
    <message>
        <source>{viewer} only</source>
        <translation>{viewer} seulement</translation>
    </message>
    <message>
        <source>Bytes in a row</source>
        <translation>Octets par ligne</translation>
    </message>
    <message>
        <source>As many as fit</source>
        <translation>Autant qu’il en tient</translation>
    </message>
</context>
<context>
    <name>MetricsPanel</name>
    <message>
        <source>Time span</source>
        <translation>Période</translation>
    </message>
    <message>
        <source>Last minute</source>
        <translation>Dernière minute</translation>
    </message>
    <message>
        <source>Last 5 minutes</source>
        <translation>5 dernières minutes</translation>
    </message>
    <message>
        <source>Last hour</source>
        <translation>Dernière heure</translation>
    </message>
    <message>
        <source>Last day</source>
        <translation>Dernier jour</translation>
    </message>
    <message>
        <source>Loading …</source>
        <translation>Chargement …</translation>
    </message>
    <message>
        <source>No metrics</source>
        <translation>Aucune mesure</translation>
    </message>
    <message>
        <source>read</source>
        <translation>lu</translation>
    </message>
    <message>
        <source>written</source>
        <translation>écrit</translation>
    </message>
    <message>
        <source>received</source>
        <translation>reçu</translation>
    </message>
    <message>
        <source>sent</source>
        <translation>envoyé</translation>
    </message>
    <message>
        <source>CPU</source>
        <translation>CPU</translation>
    </message>
    <message>
        <source>Memory touched</source>
        <translation>Mémoire utilisée</translation>
    </message>
    <message>
        <source>Disk</source>
        <translation>Disque</translation>
    </message>
    <message>
        <source>Network</source>
        <translation>Réseau</translation>
    </message>
    <message>
        <source>Console output</source>
        <translation>Sortie de la console</translation>
    </message>
    <message>
        <source>Queries answered</source>
        <translation>Questions répondues</translation>
    </message>
    <message>
        <source>Not shown, because nothing was measured in this time: {names}</source>
        <translation>Non affiché, car rien n’a été mesuré pendant cette durée : {names}</translation>
    </message>
</context>
<context>
    <name>NavigationRail</name>
    <message>
        <source>Fleet</source>
        <translation>Parc</translation>
    </message>
    <message>
        <source>Events</source>
        <translation>Journal</translation>
    </message>
    <message>
        <source>Evidence</source>
        <translation>Preuve</translation>
    </message>
    <message>
        <source>Hosts</source>
        <translation>Hôtes</translation>
    </message>
    <message>
        <source>Guardrails</source>
        <translation>Garde-fous</translation>
    </message>
    <message>
        <source>Keys</source>
        <translation>Clés</translation>
    </message>
    <message>
        <source>Access</source>
        <translation>Accès</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>Réglages</translation>
    </message>
    <message>
        <source>Help</source>
        <translation>Aide</translation>
    </message>
    <message>
        <source>About</source>
        <translation>À propos</translation>
    </message>
    <message numerus="yes">
        <source>%n wait(s)</source>
        <translation>
            <numerusform>%n en attente</numerusform>
            <numerusform>%n en attente</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>Occasion</name>
    <message>
        <source>Launch</source>
        <translation>Lancement</translation>
    </message>
    <message>
        <source>Asked for</source>
        <translation>Demandée</translation>
    </message>
    <message>
        <source>Integrity monitoring</source>
        <translation>Surveillance de l’intégrité</translation>
    </message>
    <message>
        <source>File</source>
        <translation>Fichier</translation>
    </message>
</context>
<context>
    <name>OperationKind</name>
    <message>
        <source>Create</source>
        <translation>Créer</translation>
    </message>
    <message>
        <source>Start</source>
        <translation>Démarrer</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>Arrêter</translation>
    </message>
    <message>
        <source>Reset</source>
        <translation>Réinitialiser</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>Suspendre</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>Reprendre</translation>
    </message>
    <message>
        <source>Migrate</source>
        <translation>Migrer</translation>
    </message>
    <message>
        <source>Take snapshot</source>
        <translation>Prendre un instantané</translation>
    </message>
    <message>
        <source>Revert</source>
        <translation>Revenir</translation>
    </message>
    <message>
        <source>Delete snapshot</source>
        <translation>Supprimer l&apos;instantané</translation>
    </message>
    <message>
        <source>Clone</source>
        <translation>Cloner</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>Supprimer</translation>
    </message>
</context>
<context>
    <name>OperationStatus</name>
    <message>
        <source>Waiting</source>
        <translation>En attente</translation>
    </message>
    <message>
        <source>Running</source>
        <translation>En cours</translation>
    </message>
    <message>
        <source>Done</source>
        <translation>Faite</translation>
    </message>
    <message>
        <source>Failed</source>
        <translation>Échouée</translation>
    </message>
    <message>
        <source>Cancelled</source>
        <translation>Annulée</translation>
    </message>
    <message>
        <source>Rolled back</source>
        <translation>Défaite</translation>
    </message>
</context>
<context>
    <name>OverviewPanel</name>
    <message>
        <source>Latest events</source>
        <translation>Derniers événements</translation>
    </message>
    <message>
        <source>All events</source>
        <translation>Tous les événements</translation>
    </message>
    <message>
        <source>The guest crashed; start it again or look at its console.</source>
        <translation>L’invité a planté&#xa0;; redémarrez-le ou regardez sa console.</translation>
    </message>
    <message>
        <source>A rehearsal: on emulated hardware, the built-in {runs} guest runs in place of {image}. The encryption of its memory is real; this computer&apos;s own security is not proven.</source>
        <translation>Une répétition&#xa0;: sur du matériel émulé, l’invité intégré «&#xa0;{runs}&#xa0;» tourne à la place de {image}. Le chiffrement de sa mémoire est réel&#xa0;; la sécurité propre de cet ordinateur n’est pas prouvée.</translation>
    </message>
    <message>
        <source>A rehearsal: the hardware is emulated by this computer.</source>
        <translation>Une répétition&#xa0;: le matériel est émulé par cet ordinateur.</translation>
    </message>
    <message>
        <source>Nothing has happened yet.</source>
        <translation>Rien n’est encore arrivé.</translation>
    </message>
</context>
<context>
    <name>PackDetail</name>
    <message>
        <source>Where it is on</source>
        <translation>Où il est actif</translation>
    </message>
    <message>
        <source>Rules</source>
        <translation>Règles</translation>
    </message>
    <message>
        <source>&amp;Copy …</source>
        <translation>&amp;Copier …</translation>
    </message>
    <message>
        <source>A copy under another name, which can be changed</source>
        <translation>Une copie sous un autre nom, qui peut être modifiée</translation>
    </message>
    <message>
        <source>&amp;Edit …</source>
        <translation>&amp;Modifier …</translation>
    </message>
    <message>
        <source>Change it as its next version</source>
        <translation>Le modifier comme sa prochaine version</translation>
    </message>
    <message>
        <source>&amp;Sign</source>
        <translation>&amp;Signer</translation>
    </message>
    <message>
        <source>Sign it with this data directory&apos;s key (Ed25519)</source>
        <translation>Le signer avec la clé de ce dossier de données (Ed25519)</translation>
    </message>
    <message>
        <source>E&amp;xport …</source>
        <translation>E&amp;xporter …</translation>
    </message>
    <message>
        <source>Write it to a file that another console can import</source>
        <translation>L&apos;écrire dans un fichier qu&apos;une autre console peut importer</translation>
    </message>
    <message>
        <source>Remo&amp;ve</source>
        <translation>Reti&amp;rer</translation>
    </message>
    <message>
        <source>Remove this version; it must be off</source>
        <translation>Retirer cette version ; elle doit être désactivée</translation>
    </message>
    <message>
        <source>Expression</source>
        <translation>Expression</translation>
    </message>
    <message>
        <source>{0}, version {1}</source>
        <translation>{0}, version {1}</translation>
    </message>
    <message>
        <source>after {0}</source>
        <translation>d&apos;après {0}</translation>
    </message>
    <message>
        <source>Nowhere: it denies and tells nothing.</source>
        <translation>Nulle part : il ne refuse ni ne dit rien.</translation>
    </message>
    <message>
        <source>Mode for {0}</source>
        <translation>Mode pour {0}</translation>
    </message>
    <message>
        <source>Take off</source>
        <translation>Désactiver</translation>
    </message>
    <message>
        <source>Take off from {0}</source>
        <translation>Désactiver pour {0}</translation>
    </message>
    <message>
        <source>What would pass: another {0}, which a person has to give</source>
        <translation>Ce qui passerait : autre chose pour {0}, qu&apos;une personne doit donner</translation>
    </message>
    <message>
        <source>What would pass: {0} {1}</source>
        <translation>Ce qui passerait : {0} {1}</translation>
    </message>
</context>
<context>
    <name>PackEditor</name>
    <message>
        <source>Text of the pack</source>
        <translation>Texte du lot</translation>
    </message>
    <message>
        <source>&amp;Save this version</source>
        <translation>&amp;Enregistrer cette version</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Annuler</translation>
    </message>
    <message>
        <source>Expressions are CEL (Common Expression Language) over vm: vm.confidential, vm.region, vm.labels.env … A rule holds where its expression is true.</source>
        <translation>Les expressions sont en CEL (Common Expression Language) sur vm : vm.confidential, vm.region, vm.labels.env … Une règle est respectée là où son expression est vraie.</translation>
    </message>
    <message>
        <source>What &amp;rules can look at</source>
        <translation>Ce que les &amp;règles peuvent regarder</translation>
    </message>
    <message>
        <source>What rules can look at</source>
        <translation>Ce que les règles peuvent regarder</translation>
    </message>
    <message>
        <source>Enter or a double click writes the name into the text</source>
        <translation>Entrée ou un double clic écrit le nom dans le texte</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>Nom</translation>
    </message>
    <message>
        <source>Type</source>
        <translation>Type</translation>
    </message>
    <message>
        <source>What it says</source>
        <translation>Ce qu&apos;il dit</translation>
    </message>
    <message>
        <source>and {0} more</source>
        <translation>et {0} autres</translation>
    </message>
    <message>
        <source>Every rule can be evaluated.</source>
        <translation>Chaque règle peut être évaluée.</translation>
    </message>
</context>
<context>
    <name>PackMode</name>
    <message>
        <source>Enforce</source>
        <translation>Appliquer</translation>
    </message>
    <message>
        <source>Warn</source>
        <translation>Avertir</translation>
    </message>
    <message>
        <source>Off</source>
        <translation>Désactivé</translation>
    </message>
    <message>
        <source>the whole fleet</source>
        <translation>toute la flotte</translation>
    </message>
</context>
<context>
    <name>PackSignature</name>
    <message>
        <source>came with the console</source>
        <translation>livré avec la console</translation>
    </message>
    <message>
        <source>not signed</source>
        <translation>non signé</translation>
    </message>
    <message>
        <source>signed here</source>
        <translation>signé ici</translation>
    </message>
    <message>
        <source>signature does not hold</source>
        <translation>la signature ne tient pas</translation>
    </message>
    <message>
        <source>signed, and no key here to compare with</source>
        <translation>signé, mais aucune clé ici à laquelle comparer</translation>
    </message>
</context>
<context>
    <name>PacksTab</name>
    <message>
        <source>Packs of rules</source>
        <translation>Lots de règles</translation>
    </message>
    <message>
        <source>our-rules</source>
        <translation>nos-regles</translation>
    </message>
    <message>
        <source>&amp;Make the copy</source>
        <translation>&amp;Créer la copie</translation>
    </message>
    <message>
        <source>&amp;Name of the copy</source>
        <translation>&amp;Nom de la copie</translation>
    </message>
    <message>
        <source>&amp;Import a pack …</source>
        <translation>&amp;Importer un lot …</translation>
    </message>
    <message>
        <source>Only signed packs may be on</source>
        <translation>Seuls des lots signés peuvent être actifs</translation>
    </message>
    <message>
        <source>bad signature</source>
        <translation>mauvaise signature</translation>
    </message>
    <message>
        <source>shipped</source>
        <translation>livré</translation>
    </message>
    <message>
        <source>own</source>
        <translation>à vous</translation>
    </message>
    <message numerus="yes">
        <source>{0} {1} · %n rule(s) · {2}</source>
        <translation>
            <numerusform>{0} {1} · %n règle · {2}</numerusform>
            <numerusform>{0} {1} · %n règles · {2}</numerusform>
        </translation>
    </message>
    <message>
        <source>{0}: its next version</source>
        <translation>{0} : sa prochaine version</translation>
    </message>
    <message>
        <source>Import a pack of rules</source>
        <translation>Importer un lot de règles</translation>
    </message>
    <message>
        <source>Packs (*.toml)</source>
        <translation>Lots (*.toml)</translation>
    </message>
    <message>
        <source>All files (*)</source>
        <translation>Tous les fichiers (*)</translation>
    </message>
    <message>
        <source>{0} was not taken in</source>
        <translation>{0} n&apos;a pas été pris</translation>
    </message>
    <message>
        <source>Export the pack</source>
        <translation>Exporter le lot</translation>
    </message>
    <message>
        <source>{0} cannot be written: {1}</source>
        <translation>{0} ne peut pas être écrit : {1}</translation>
    </message>
    <message>
        <source>The pack was written to {0}.</source>
        <translation>Le lot a été écrit dans {0}.</translation>
    </message>
</context>
<context>
    <name>PaneColumns</name>
    <message>
        <source>Position in RAM</source>
        <translation>Position en mémoire</translation>
    </message>
</context>
<context>
    <name>Permission</name>
    <message>
        <source>Run instances</source>
        <translation>Faire fonctionner des instances</translation>
    </message>
    <message>
        <source>Delete instances</source>
        <translation>Supprimer des instances</translation>
    </message>
    <message>
        <source>Ask guests, and type into consoles</source>
        <translation>Interroger les invités et écrire dans les consoles</translation>
    </message>
    <message>
        <source>Look into the plaintext memory of guests</source>
        <translation>Regarder la mémoire en clair des invités</translation>
    </message>
    <message>
        <source>Manage keys</source>
        <translation>Gérer les clés</translation>
    </message>
    <message>
        <source>Change guardrails</source>
        <translation>Changer les garde-fous</translation>
    </message>
    <message>
        <source>Add and remove hosts</source>
        <translation>Ajouter et retirer des hôtes</translation>
    </message>
    <message>
        <source>Change settings of the console</source>
        <translation>Changer les réglages de la console</translation>
    </message>
    <message>
        <source>Read the audit log</source>
        <translation>Lire le journal d&apos;audit</translation>
    </message>
    <message>
        <source>Export and forward the audit log</source>
        <translation>Exporter et faire suivre le journal d&apos;audit</translation>
    </message>
    <message>
        <source>Change roles</source>
        <translation>Changer les rôles</translation>
    </message>
    <message>
        <source>Approve what needs a second person</source>
        <translation>Approuver ce qui exige une seconde personne</translation>
    </message>
</context>
<context>
    <name>PinDialog</name>
    <message>
        <source>PIN of a token</source>
        <translation>PIN d&apos;un jeton</translation>
    </message>
    <message>
        <source>It is handed to the token, and kept in memory until the console is closed; it is not written anywhere. After a few wrong PINs a token locks itself.</source>
        <translation>Il est remis au jeton et gardé en mémoire jusqu&apos;à la fermeture de la console ; il n&apos;est écrit nulle part. Après quelques PIN erronés, un jeton se verrouille.</translation>
    </message>
    <message>
        <source>&amp;Unlock</source>
        <translation>Dé&amp;verrouiller</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Annuler</translation>
    </message>
    <message>
        <source>The token {0} is locked</source>
        <translation>Le jeton {0} est verrouillé</translation>
    </message>
    <message>
        <source>Its &amp;PIN</source>
        <translation>Son &amp;PIN</translation>
    </message>
</context>
<context>
    <name>PlacesForm</name>
    <message>
        <source>&amp;Browse …</source>
        <translation>&amp;Parcourir …</translation>
    </message>
    <message>
        <source>&amp;Look there</source>
        <translation>&amp;Chercher là</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Annuler</translation>
    </message>
    <message>
        <source>Library of the &amp;HSM (PKCS#11 module)</source>
        <translation>Bibliothèque du &amp;HSM (module PKCS#11)</translation>
    </message>
    <message>
        <source>{0}: re&amp;gions</source>
        <translation>{0} : ré&amp;gions</translation>
    </message>
    <message>
        <source>{0}: key &amp;rings</source>
        <translation>{0} : t&amp;rousseaux</translation>
    </message>
    <message>
        <source>{0}: &amp;vaults</source>
        <translation>{0} : co&amp;ffres</translation>
    </message>
    <message>
        <source>Where keys are looked for</source>
        <translation>Où les clés sont cherchées</translation>
    </message>
    <message>
        <source>Commas stand between several. The library runs within the console: choose one you trust.</source>
        <translation>Des virgules en séparent plusieurs. La bibliothèque s&apos;exécute dans la console : choisissez-en une de confiance.</translation>
    </message>
    <message>
        <source>Library of the HSM</source>
        <translation>Bibliothèque du HSM</translation>
    </message>
</context>
<context>
    <name>QueryBox</name>
    <message>
        <source>Question</source>
        <translation>Question</translation>
    </message>
    <message>
        <source>Column</source>
        <translation>Colonne</translation>
    </message>
    <message>
        <source>column</source>
        <translation>colonne</translation>
    </message>
    <message>
        <source>Value</source>
        <translation>Valeur</translation>
    </message>
    <message>
        <source>Upper end of the range</source>
        <translation>Borne supérieure</translation>
    </message>
    <message>
        <source>to</source>
        <translation>à</translation>
    </message>
    <message>
        <source>Ask</source>
        <translation>Demander</translation>
    </message>
    <message>
        <source>Answer</source>
        <translation>Réponse</translation>
    </message>
    <message>
        <source>Ask the guest</source>
        <translation>Interroger l’invité</translation>
    </message>
    <message>
        <source>The guest answers while the instance runs.</source>
        <translation>L’invité répond pendant que l’instance tourne.</translation>
    </message>
    <message>
        <source>Question and answer travel through the mailbox encrypted; the host sees only ciphertext.</source>
        <translation>Question et réponse passent chiffrées par la boîte aux lettres&#xa0;; l’hôte ne voit que du texte chiffré.</translation>
    </message>
    <message>
        <source>Question and answer travel encrypted, but a plain VM&apos;s host can read the key in its memory.</source>
        <translation>Question et réponse passent chiffrées, mais l’hôte d’une VM ordinaire peut en lire la clé dans sa mémoire.</translation>
    </message>
    <message>
        <source>from</source>
        <translation>de</translation>
    </message>
    <message>
        <source>row number, from 0</source>
        <translation>numéro de ligne, à partir de 0</translation>
    </message>
    <message>
        <source>value</source>
        <translation>valeur</translation>
    </message>
    <message>
        <source>Waiting for the guest …</source>
        <translation>En attente de l’invité …</translation>
    </message>
    <message numerus="yes">
        <source>%n match(es)</source>
        <translation>
            <numerusform>%n résultat</numerusform>
            <numerusform>%n résultats</numerusform>
        </translation>
    </message>
    <message>
        <source>in {time}</source>
        <translation>en {time}</translation>
    </message>
</context>
<context>
    <name>QueryVerb</name>
    <message>
        <source>Count rows where</source>
        <translation>Compter les lignes où</translation>
    </message>
    <message>
        <source>Find rows where</source>
        <translation>Trouver les lignes où</translation>
    </message>
    <message>
        <source>Rows beginning with</source>
        <translation>Lignes commençant par</translation>
    </message>
    <message>
        <source>Rows in the range</source>
        <translation>Lignes dans l’intervalle</translation>
    </message>
    <message>
        <source>Predict for row no.</source>
        <translation>Prédire pour la ligne n°</translation>
    </message>
    <message>
        <source>Status of the guest</source>
        <translation>État de l’invité</translation>
    </message>
</context>
<context>
    <name>RecordDetail</name>
    <message>
        <source>Close the event</source>
        <translation>Fermer l&apos;événement</translation>
    </message>
    <message>
        <source>Event {number}</source>
        <translation>Événement {number}</translation>
    </message>
    <message>
        <source>When</source>
        <translation>Quand</translation>
    </message>
    <message>
        <source>Who</source>
        <translation>Qui</translation>
    </message>
    <message>
        <source>From</source>
        <translation>Depuis</translation>
    </message>
    <message>
        <source>Action</source>
        <translation>Action</translation>
    </message>
    <message>
        <source>Outcome</source>
        <translation>Issue</translation>
    </message>
    <message>
        <source>About</source>
        <translation>Sujet</translation>
    </message>
    <message>
        <source>What changed</source>
        <translation>Ce qui a changé</translation>
    </message>
    <message>
        <source>Details</source>
        <translation>Détails</translation>
    </message>
    <message>
        <source>In the chain</source>
        <translation>Dans la chaîne</translation>
    </message>
    <message>
        <source>Hash</source>
        <translation>Empreinte</translation>
    </message>
    <message>
        <source>Before it</source>
        <translation>Avant elle</translation>
    </message>
    <message>
        <source>the window</source>
        <translation>la fenêtre</translation>
    </message>
    <message>
        <source>the command line</source>
        <translation>la ligne de commande</translation>
    </message>
    <message>
        <source>{user} on {host}, by {via}, process {process}</source>
        <translation>{user} sur {host}, par {via}, processus {process}</translation>
    </message>
    <message>
        <source>Before</source>
        <translation>Avant</translation>
    </message>
    <message>
        <source>After</source>
        <translation>Après</translation>
    </message>
</context>
<context>
    <name>RefusalBanner</name>
    <message>
        <source>Both digests</source>
        <translation>Les deux condensés</translation>
    </message>
    <message>
        <source>The digest that was expected over the one that was found, in full</source>
        <translation>Le condensé attendu au-dessus de celui qui a été trouvé, en entier</translation>
    </message>
    <message>
        <source>Show the evidence</source>
        <translation>Montrer la preuve</translation>
    </message>
</context>
<context>
    <name>RegionMap</name>
    <message>
        <source>World map of regions</source>
        <translation>Carte mondiale des régions</translation>
    </message>
    <message>
        <source>Selected: {0}, {1}</source>
        <translation>Choisie&#xa0;: {0}, {1}</translation>
    </message>
    <message>
        <source>{0} regions; the arrow keys move between them</source>
        <translation>{0} régions&#xa0;; les flèches passent de l’une à l’autre</translation>
    </message>
</context>
<context>
    <name>ReportExport</name>
    <message>
        <source>Save the compliance report</source>
        <translation>Enregistrer le rapport de conformité</translation>
    </message>
    <message>
        <source>PDF (*.pdf)</source>
        <translation>PDF (*.pdf)</translation>
    </message>
    <message>
        <source>HTML (*.html)</source>
        <translation>HTML (*.html)</translation>
    </message>
    <message>
        <source>The report is being made …</source>
        <translation>Le rapport est en préparation …</translation>
    </message>
    <message>
        <source>The report was written to {0}</source>
        <translation>Le rapport a été écrit dans {0}</translation>
    </message>
    <message>
        <source>Compliance report</source>
        <translation>Rapport de conformité</translation>
    </message>
    <message numerus="yes">
        <source>The report was written to {0}, %n page(s)</source>
        <translation>
            <numerusform>Le rapport a été écrit dans {0}, %n page</numerusform>
            <numerusform>Le rapport a été écrit dans {0}, %n pages</numerusform>
        </translation>
    </message>
    <message>
        <source>{0}. Its SHA-256 stands in the events.</source>
        <translation>{0}. Son SHA-256 figure dans les événements.</translation>
    </message>
</context>
<context>
    <name>ResultsModel</name>
    <message>
        <source>What</source>
        <translation>Quoi</translation>
    </message>
    <message>
        <source>Seen by</source>
        <translation>Vu par</translation>
    </message>
    <message>
        <source>Readable</source>
        <translation>Lisible</translation>
    </message>
    <message>
        <source>Places</source>
        <translation>Endroits</translation>
    </message>
    <message>
        <source>First at</source>
        <translation>Adresse</translation>
    </message>
    <message>
        <source>Page</source>
        <translation>Page</translation>
    </message>
    <message>
        <source>Yes, readable</source>
        <translation>Oui, lisible</translation>
    </message>
    <message>
        <source>Not found</source>
        <translation>Non trouvé</translation>
    </message>
    <message>
        <source>By chance only</source>
        <translation>Par hasard seulement</translation>
    </message>
</context>
<context>
    <name>ReviewPage</name>
    <message>
        <source>Review</source>
        <translation>Vérification</translation>
    </message>
    <message>
        <source>Read it once more. Creating it is a job that you can follow and cancel.</source>
        <translation>Relisez une fois. La création est une tâche que vous pouvez suivre et annuler.</translation>
    </message>
    <message>
        <source>Where</source>
        <translation>Où</translation>
    </message>
    <message>
        <source>Machine</source>
        <translation>Machine</translation>
    </message>
    <message>
        <source>Image</source>
        <translation>Image</translation>
    </message>
    <message>
        <source>Confidential</source>
        <translation>Confidentielle</translation>
    </message>
    <message>
        <source>Data</source>
        <translation>Données</translation>
    </message>
    <message>
        <source>Change</source>
        <translation>Changer</translation>
    </message>
    <message>
        <source>Change {0}</source>
        <translation>Changer {0}</translation>
    </message>
    <message>
        <source>Changed by the checkbox</source>
        <translation>Changé par la case</translation>
    </message>
    <message>
        <source>&amp;Labels, to group and find instances by</source>
        <translation>É&amp;tiquettes, pour grouper et retrouver les instances</translation>
    </message>
    <message>
        <source>Save &amp;request …</source>
        <translation>Enregistrer la &amp;demande …</translation>
    </message>
    <message>
        <source>gcloud command</source>
        <translation>Commande gcloud</translation>
    </message>
    <message>
        <source>REST call</source>
        <translation>Appel REST</translation>
    </message>
    <message>
        <source>AWS CLI command</source>
        <translation>Commande AWS CLI</translation>
    </message>
    <message>
        <source>Terraform</source>
        <translation>Terraform</translation>
    </message>
    <message>
        <source>libvirt XML</source>
        <translation>XML libvirt</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>Copier</translation>
    </message>
    <message>
        <source>Copy {0}</source>
        <translation>Copier {0}</translation>
    </message>
    <message>
        <source>Copied</source>
        <translation>Copié</translation>
    </message>
    <message>
        <source>Not ready yet</source>
        <translation>Pas encore prêt</translation>
    </message>
    <message>
        <source>The guardrails deny it</source>
        <translation>Les garde-fous la refusent</translation>
    </message>
    <message>
        <source>{0} will be a confidential VM with {1}</source>
        <translation>{0} sera une VM confidentielle avec {1}</translation>
    </message>
    <message>
        <source>{0} will be a plain VM</source>
        <translation>{0} sera une VM ordinaire</translation>
    </message>
    <message>
        <source>{0}: {1} ({2}), zone {3}</source>
        <translation>{0} : {1} ({2}), zone {3}</translation>
    </message>
    <message>
        <source>{0}, as if on {1}: {2} ({3}), zone {4}</source>
        <translation>{0}, comme sur {1}&#xa0;: {2} ({3}), zone {4}</translation>
    </message>
    <message>
        <source>{0}: {1} vCPUs, {2}</source>
        <translation>{0}&#xa0;: {1} vCPU, {2}</translation>
    </message>
    <message>
        <source>{0} or later</source>
        <translation>{0} ou plus récent</translation>
    </message>
    <message>
        <source>on host maintenance: {0}</source>
        <translation>maintenance de l’hôte&#xa0;: {0}</translation>
    </message>
    <message>
        <source>Secure Boot</source>
        <translation>démarrage sécurisé</translation>
    </message>
    <message>
        <source>vTPM</source>
        <translation>vTPM</translation>
    </message>
    <message>
        <source>integrity monitoring</source>
        <translation>surveillance de l’intégrité</translation>
    </message>
    <message>
        <source>No: plain memory</source>
        <translation>Non&#xa0;: mémoire ordinaire</translation>
    </message>
    <message>
        <source>Shielded VM: {0}</source>
        <translation>VM protégée&#xa0;: {0}</translation>
    </message>
    <message>
        <source>off</source>
        <translation>désactivée</translation>
    </message>
    <message>
        <source>disk key {0}</source>
        <translation>clé du disque {0}</translation>
    </message>
    <message>
        <source>No records: a kernel of the library boots without a disk</source>
        <translation>Pas de données : un noyau de la bibliothèque démarre sans disque</translation>
    </message>
    <message>
        <source>{0}, {1} rows</source>
        <translation>{0}, {1} lignes</translation>
    </message>
    <message>
        <source>No records</source>
        <translation>Aucun enregistrement</translation>
    </message>
    <message>
        <source>Nothing for the first boot</source>
        <translation>Rien pour le premier démarrage</translation>
    </message>
    <message>
        <source>hostname {0}</source>
        <translation>nom d’hôte {0}</translation>
    </message>
    <message>
        <source>user {0}</source>
        <translation>utilisateur {0}</translation>
    </message>
    <message numerus="yes">
        <source>%n SSH key(s)</source>
        <translation>
            <numerusform>%n clé SSH</numerusform>
            <numerusform>%n clés SSH</numerusform>
        </translation>
    </message>
    <message>
        <source>a canary</source>
        <translation>un canari</translation>
    </message>
    <message>
        <source>The same request for virsh</source>
        <translation>La même demande pour virsh</translation>
    </message>
    <message>
        <source>The same request for other tools</source>
        <translation>La même demande pour d’autres outils</translation>
    </message>
    <message>
        <source>Save the request</source>
        <translation>Enregistrer la demande</translation>
    </message>
    <message>
        <source>JSON (*.json)</source>
        <translation>JSON (*.json)</translation>
    </message>
    <message>
        <source>TOML (*.toml)</source>
        <translation>TOML (*.toml)</translation>
    </message>
    <message>
        <source>Saved. confvm create --request {0} makes the same instance.</source>
        <translation>Enregistré. confvm create --request {0} crée la même instance.</translation>
    </message>
</context>
<context>
    <name>Rights</name>
    <message>
        <source>{reason}. What your role does not allow is greyed; the page Access says more.</source>
        <translation>{reason}. Ce que votre rôle ne permet pas est grisé ; la page Accès en dit plus.</translation>
    </message>
</context>
<context>
    <name>Role</name>
    <message>
        <source>viewer</source>
        <translation>lecteur</translation>
    </message>
    <message>
        <source>operator</source>
        <translation>opérateur</translation>
    </message>
    <message>
        <source>administrator</source>
        <translation>administrateur</translation>
    </message>
    <message>
        <source>auditor</source>
        <translation>auditeur</translation>
    </message>
    <message>
        <source>Looks at the fleet, and at memory as the host sees it.</source>
        <translation>Regarde la flotte, et la mémoire telle que l&apos;hôte la voit.</translation>
    </message>
    <message>
        <source>Runs and deletes instances, and asks guests.</source>
        <translation>Fait fonctionner et supprime des instances, et interroge les invités.</translation>
    </message>
    <message>
        <source>May do everything, and says who may what.</source>
        <translation>Peut tout, et dit qui peut quoi.</translation>
    </message>
    <message>
        <source>Reads, exports and forwards the audit log, and changes nothing else.</source>
        <translation>Lit, exporte et fait suivre le journal d&apos;audit, et ne change rien d&apos;autre.</translation>
    </message>
</context>
<context>
    <name>RolesView</name>
    <message>
        <source>Who has which role</source>
        <translation>Qui a quel rôle</translation>
    </message>
    <message>
        <source>Users and groups of the operating system. Whoever has none is a viewer. Roles guard within the console: the files of the data directory are guarded by their permissions.</source>
        <translation>Utilisateurs et groupes du système d&apos;exploitation. Qui n&apos;en a aucun est lecteur. Les rôles gardent dans la console : les fichiers du dossier de données sont gardés par leurs permissions.</translation>
    </message>
    <message>
        <source>Nobody has been given a role yet: the owner of the data directory is its administrator.</source>
        <translation>Personne n&apos;a encore reçu de rôle : le propriétaire du dossier de données en est l&apos;administrateur.</translation>
    </message>
    <message>
        <source>Roles</source>
        <translation>Rôles</translation>
    </message>
    <message>
        <source>User or group</source>
        <translation>Utilisateur ou groupe</translation>
    </message>
    <message>
        <source>User</source>
        <translation>Utilisateur</translation>
    </message>
    <message>
        <source>Group</source>
        <translation>Groupe</translation>
    </message>
    <message>
        <source>name in the operating system</source>
        <translation>nom dans le système d&apos;exploitation</translation>
    </message>
    <message>
        <source>Role</source>
        <translation>Rôle</translation>
    </message>
    <message>
        <source>&amp;Give the role</source>
        <translation>&amp;Donner le rôle</translation>
    </message>
    <message>
        <source>&amp;Take it away</source>
        <translation>Le re&amp;tirer</translation>
    </message>
    <message>
        <source>Takes the selected role away from its user or group</source>
        <translation>Retire le rôle choisi à son utilisateur ou groupe</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>Nom</translation>
    </message>
    <message>
        <source>What needs two people</source>
        <translation>Ce qui exige deux personnes</translation>
    </message>
    <message>
        <source>One asks, another one with the right to it approves, and only then it is done. Nobody approves what they asked for.</source>
        <translation>L&apos;un demande, un autre qui en a le droit approuve, et alors seulement c&apos;est fait. Personne n&apos;approuve sa propre demande.</translation>
    </message>
    <message>
        <source> hours</source>
        <translation> heures</translation>
    </message>
    <message>
        <source>A request &amp;expires after</source>
        <translation>Une demande &amp;expire après</translation>
    </message>
    <message>
        <source>Kind</source>
        <translation>Genre</translation>
    </message>
</context>
<context>
    <name>RuleApplies</name>
    <message>
        <source>Launches</source>
        <translation>Lancements</translation>
    </message>
    <message>
        <source>Instances</source>
        <translation>Instances</translation>
    </message>
    <message>
        <source>Both</source>
        <translation>Les deux</translation>
    </message>
</context>
<context>
    <name>RuleFacts</name>
    <message>
        <source>Its name</source>
        <translation>Son nom</translation>
    </message>
    <message>
        <source>Who runs it: embedded, libvirt-…</source>
        <translation>Qui la fait fonctionner : embedded, libvirt-…</translation>
    </message>
    <message>
        <source>Whose catalogue its names are from: gce, azure, aws, oci, vsphere, libvirt</source>
        <translation>De quel catalogue viennent ses noms : gce, azure, aws, oci, vsphere, libvirt</translation>
    </message>
    <message>
        <source>Region, as the cloud names it</source>
        <translation>Région, comme le nuage la nomme</translation>
    </message>
    <message>
        <source>Country of the region, ISO 3166-1 alpha-2; empty where nobody can tell</source>
        <translation>Pays de la région, ISO 3166-1 alpha-2 ; vide là où nul ne peut le dire</translation>
    </message>
    <message>
        <source>Zone, as the cloud names it</source>
        <translation>Zone, comme le nuage la nomme</translation>
    </message>
    <message>
        <source>Machine type</source>
        <translation>Type de machine</translation>
    </message>
    <message>
        <source>Series of the machine type: n2d, DCasv5 …; empty where the catalogue has it not</source>
        <translation>Série du type de machine : n2d, DCasv5 … ; vide si le catalogue ne l&apos;a pas</translation>
    </message>
    <message>
        <source>The CPU platform that it needs at least, or that its technology forces</source>
        <translation>La plateforme CPU qu&apos;il lui faut au moins, ou que sa technologie impose</translation>
    </message>
    <message>
        <source>Virtual CPUs; -1 where the catalogue has the machine type not</source>
        <translation>Processeurs virtuels ; -1 si le catalogue n&apos;a pas le type de machine</translation>
    </message>
    <message>
        <source>Memory in MiB; -1 where the catalogue has the machine type not</source>
        <translation>Mémoire en Mio ; -1 si le catalogue n&apos;a pas le type de machine</translation>
    </message>
    <message>
        <source>Image, or local:ID for one of this console&apos;s library</source>
        <translation>Image, ou local:ID pour une de la bibliothèque de cette console</translation>
    </message>
    <message>
        <source>linux or windows; empty for an image that the catalogue has not</source>
        <translation>linux ou windows ; vide pour une image que le catalogue n&apos;a pas</translation>
    </message>
    <message>
        <source>Who publishes the image; empty for an image that the catalogue has not</source>
        <translation>Qui publie l&apos;image ; vide pour une image que le catalogue n&apos;a pas</translation>
    </message>
    <message>
        <source>In the catalogue, and its end of support is not known to have passed</source>
        <translation>Au catalogue, et sa fin de prise en charge n&apos;est pas connue pour passée</translation>
    </message>
    <message>
        <source>none, sev, sev-es, sev-snp, tdx, sgx or nitro</source>
        <translation>none, sev, sev-es, sev-snp, tdx, sgx ou nitro</translation>
    </message>
    <message>
        <source>0 none, 1 memory is encrypted or isolated (sev, nitro), 2 and registers (sev-es), 3 and integrity (sev-snp, tdx, sgx)</source>
        <translation>0 rien, 1 mémoire chiffrée ou isolée (sev, nitro), 2 et les registres (sev-es), 3 et l&apos;intégrité (sev-snp, tdx, sgx)</translation>
    </message>
    <message>
        <source>Whether its memory is protected while in use</source>
        <translation>Si sa mémoire est protégée en cours d&apos;usage</translation>
    </message>
    <message>
        <source>Secure Boot is on</source>
        <translation>Secure Boot est actif</translation>
    </message>
    <message>
        <source>It has a vTPM</source>
        <translation>Elle a un vTPM</translation>
    </message>
    <message>
        <source>Its measured boot is compared with a baseline</source>
        <translation>Son démarrage mesuré est comparé à une référence</translation>
    </message>
    <message>
        <source>MIGRATE or TERMINATE; empty where it was not made by this console</source>
        <translation>MIGRATE ou TERMINATE ; vide si cette console ne l&apos;a pas créée</translation>
    </message>
    <message>
        <source>Reference of the key that wraps its disk&apos;s; empty where nobody knows</source>
        <translation>Référence de la clé qui enveloppe celle de son disque ; vide là où nul ne le sait</translation>
    </message>
    <message>
        <source>local, pkcs11, gcpkms, awskms or azurekv; empty where nobody knows</source>
        <translation>local, pkcs11, gcpkms, awskms ou azurekv ; vide là où nul ne le sait</translation>
    </message>
    <message>
        <source>The disk key is kept in a key management service or HSM (CMEK)</source>
        <translation>La clé du disque est gardée dans un service de gestion de clés ou un HSM (CMEK)</translation>
    </message>
    <message>
        <source>What is launched is verified before keys are released; or it was verified</source>
        <translation>Ce qui est lancé est vérifié avant toute remise de clé ; ou l&apos;a été</translation>
    </message>
    <message>
        <source>Its policy lets the host read its memory (evidence says so)</source>
        <translation>Sa politique laisse l&apos;hôte lire sa mémoire (la preuve le dit)</translation>
    </message>
    <message>
        <source>Labels: vm.labels.env; ask has(vm.labels.env) first</source>
        <translation>Étiquettes : vm.labels.env ; demandez d&apos;abord has(vm.labels.env)</translation>
    </message>
    <message>
        <source>running, stopped …; requested for a request</source>
        <translation>running, stopped … ; requested pour une demande</translation>
    </message>
    <message>
        <source>It exists; false for a request</source>
        <translation>Elle existe ; faux pour une demande</translation>
    </message>
    <message>
        <source>It runs on the emulated platform; false for a request</source>
        <translation>Elle fonctionne sur la plateforme émulée ; faux pour une demande</translation>
    </message>
    <message>
        <source>not applicable, unknown, measured, trusted or untrusted</source>
        <translation>sans objet, inconnue, mesurée, de confiance ou non</translation>
    </message>
    <message>
        <source>Full hours since evidence was verified last; -1 for never</source>
        <translation>Heures pleines depuis la dernière preuve vérifiée ; -1 pour jamais</translation>
    </message>
    <message>
        <source>Reported TCB, SVN of the boot loader; -1 where no evidence tells</source>
        <translation>TCB rapporté, SVN du chargeur d&apos;amorçage ; -1 si aucune preuve ne le dit</translation>
    </message>
    <message>
        <source>Reported TCB, SVN of the secure processor&apos;s system; -1 where no evidence tells</source>
        <translation>TCB rapporté, SVN du système du processeur sécurisé ; -1 si aucune preuve ne le dit</translation>
    </message>
    <message>
        <source>Reported TCB, SVN of the SNP firmware; -1 where no evidence tells</source>
        <translation>TCB rapporté, SVN du micrologiciel SNP ; -1 si aucune preuve ne le dit</translation>
    </message>
    <message>
        <source>Reported TCB, microcode patch level; -1 where no evidence tells</source>
        <translation>TCB rapporté, niveau du microcode ; -1 si aucune preuve ne le dit</translation>
    </message>
    <message>
        <source>Last exposure scan: clean, found, or never</source>
        <translation>Dernière recherche d&apos;exposition : clean, found ou never</translation>
    </message>
</context>
<context>
    <name>RuleOutcome</name>
    <message>
        <source>Holds</source>
        <translation>Tient</translation>
    </message>
    <message>
        <source>Does not hold</source>
        <translation>Enfreinte</translation>
    </message>
    <message>
        <source>Rule is broken</source>
        <translation>Règle défectueuse</translation>
    </message>
    <message>
        <source>Excepted</source>
        <translation>Exceptée</translation>
    </message>
</context>
<context>
    <name>RulesModel</name>
    <message>
        <source>broken</source>
        <translation>défectueuse</translation>
    </message>
    <message>
        <source>What it asks</source>
        <translation>Ce qu&apos;elle demande</translation>
    </message>
    <message>
        <source>Rule</source>
        <translation>Règle</translation>
    </message>
    <message>
        <source>Looks at</source>
        <translation>Regarde</translation>
    </message>
    <message>
        <source>Would not hold</source>
        <translation>Serait enfreinte</translation>
    </message>
</context>
<context>
    <name>SearchTab</name>
    <message>
        <source>What to search for</source>
        <translation>Que chercher</translation>
    </message>
    <message>
        <source>A text from your records, a password, a key …</source>
        <translation>Un texte de vos enregistrements, un mot de passe, une clé …</translation>
    </message>
    <message>
        <source>How it is written</source>
        <translation>Comment c’est écrit</translation>
    </message>
    <message>
        <source>Text</source>
        <translation>Texte</translation>
    </message>
    <message>
        <source>Hex bytes</source>
        <translation>Octets hexadécimaux</translation>
    </message>
    <message>
        <source>Text is searched in UTF-8 and in UTF-16LE</source>
        <translation>Le texte est cherché en UTF-8 et en UTF-16LE</translation>
    </message>
    <message>
        <source>In which view</source>
        <translation>Dans quelle vue</translation>
    </message>
    <message>
        <source>Search</source>
        <translation>Chercher</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Annuler</translation>
    </message>
    <message>
        <source>Places found</source>
        <translation>Endroits trouvés</translation>
    </message>
    <message>
        <source>Both views</source>
        <translation>Les deux vues</translation>
    </message>
    <message>
        <source>{viewer} only</source>
        <translation>{viewer} seulement</translation>
    </message>
    <message>
        <source>Searches all RAM that the guest has used. Text is searched in UTF-8 and UTF-16LE; click a place to go there.</source>
        <translation>Cherche dans toute la mémoire que l’invité a utilisée. Le texte est cherché en UTF-8 et UTF-16LE&#xa0;; cliquez sur un endroit pour y aller.</translation>
    </message>
    <message>
        <source>{amount} never used by the guest were not read.</source>
        <translation>{amount} jamais utilisés par l’invité n’ont pas été lus.</translation>
    </message>
    <message>
        <source>Cancelled: RAM was not searched to the end.</source>
        <translation>Annulé&#xa0;: la mémoire n’a pas été parcourue jusqu’au bout.</translation>
    </message>
    <message>
        <source>The host can read it.</source>
        <translation>L’hôte peut le lire.</translation>
    </message>
    <message>
        <source>The guest has it; the host cannot read it.</source>
        <translation>L’invité l’a&#xa0;; l’hôte ne peut pas le lire.</translation>
    </message>
    <message>
        <source>Nowhere in the memory that the guest has used.</source>
        <translation>Nulle part dans la mémoire que l’invité a utilisée.</translation>
    </message>
    <message>
        <source>1 place in {amount}</source>
        <translation>1 endroit dans {amount}</translation>
    </message>
    <message>
        <source>{count} places in {amount}</source>
        <translation>{count} endroits dans {amount}</translation>
    </message>
    <message>
        <source>not found in {amount}</source>
        <translation>introuvable dans {amount}</translation>
    </message>
    <message>
        <source>The first {count} are listed.</source>
        <translation>Les {count} premiers sont énumérés.</translation>
    </message>
    <message>
        <source>Pages: {kinds}.</source>
        <translation>Pages&#xa0;: {kinds}.</translation>
    </message>
    <message>
        <source>This proves nothing: so many random bytes hold it about {about} times by chance. Search for something longer.</source>
        <translation>Cela ne prouve rien&#xa0;: autant d’octets aléatoires le contiennent environ {about} fois par hasard. Cherchez quelque chose de plus long.</translation>
    </message>
    <message>
        <source>By chance, as many random bytes would hold it about {about} times.</source>
        <translation>Par hasard, autant d’octets aléatoires le contiendraient environ {about} fois.</translation>
    </message>
    <message>
        <source>Only a longer text proves anything.</source>
        <translation>Seul un texte plus long prouve quelque chose.</translation>
    </message>
</context>
<context>
    <name>SecretsView</name>
    <message>
        <source>Secrets for guests</source>
        <translation>Secrets pour invités</translation>
    </message>
    <message>
        <source>&amp;Bind a secret …</source>
        <translation>&amp;Lier un secret…</translation>
    </message>
    <message>
        <source>A secret is kept wrapped by a key, and is given only to a guest whose fresh report shows what it is bound to. It is sealed to that guest: whoever carries it learns nothing.</source>
        <translation>Un secret est gardé enveloppé par une clé et n’est remis qu’à un invité dont le rapport récent montre ce à quoi il est lié. Il est scellé pour cet invité : qui le transporte n’en apprend rien.</translation>
    </message>
    <message>
        <source>A guest asks for one with `confvm release challenge` and `confvm release give`.</source>
        <translation>Un invité en demande un par `confvm release challenge` et `confvm release give`.</translation>
    </message>
    <message>
        <source>No secret is bound</source>
        <translation>Aucun secret n’est lié</translation>
    </message>
    <message>
        <source>Secrets</source>
        <translation>Secrets</translation>
    </message>
    <message>
        <source>Nobody is given it &amp;again; its name stays taken</source>
        <translation>Il n’est plus remis à &amp;personne&#xa0;; son nom reste pris</translation>
    </message>
    <message>
        <source>&amp;Revoke</source>
        <translation>&amp;Révoquer</translation>
    </message>
    <message>
        <source>Bound</source>
        <translation>Lié</translation>
    </message>
    <message>
        <source>Revoked</source>
        <translation>Révoqué</translation>
    </message>
    <message numerus="yes">
        <source>given %n time(s)</source>
        <translation>
            <numerusform>remis %n fois</numerusform>
            <numerusform>remis %n fois</numerusform>
        </translation>
    </message>
    <message>
        <source>never given</source>
        <translation>jamais remis</translation>
    </message>
    <message>
        <source>Key</source>
        <translation>Clé</translation>
    </message>
    <message>
        <source>Launch digest</source>
        <translation>Empreinte de lancement</translation>
    </message>
    <message>
        <source>Policy</source>
        <translation>Politique</translation>
    </message>
    <message>
        <source>any without debugging</source>
        <translation>toute politique sans débogage</translation>
    </message>
    <message>
        <source>At least</source>
        <translation>Au moins</translation>
    </message>
    <message>
        <source>no floor</source>
        <translation>aucun minimum</translation>
    </message>
    <message>
        <source>Signed below</source>
        <translation>Signé sous</translation>
    </message>
    <message>
        <source>Instance</source>
        <translation>Instance</translation>
    </message>
    <message>
        <source>any that shows this</source>
        <translation>toute instance qui montre cela</translation>
    </message>
    <message>
        <source>Given</source>
        <translation>Remis</translation>
    </message>
</context>
<context>
    <name>SeedForm</name>
    <message>
        <source>&amp;Plant a canary, to see later whether the host finds it in the memory</source>
        <translation>&amp;Placer un canari, pour voir plus tard si l&apos;hôte le trouve dans la mémoire</translation>
    </message>
    <message>
        <source>A random token in a file in the guest&apos;s memory; the tab Exposure of the instance looks for it</source>
        <translation>Une marque aléatoire dans un fichier en mémoire de l&apos;invité ; l&apos;onglet Exposition de l&apos;instance la cherche</translation>
    </message>
    <message>
        <source>First boot</source>
        <translation>Premier démarrage</translation>
    </message>
    <message>
        <source>Cloud-init in the image reads this at its first boot. The host can read it as well: put no secret here. A kernel that is booted directly does not read it.</source>
        <translation>Cloud-init le lit dans l’image au premier démarrage. L’hôte peut le lire aussi : n’y mettez aucun secret. Un noyau démarré directement ne le lit pas.</translation>
    </message>
    <message>
        <source>&amp;Hostname (empty: the instance&apos;s name)</source>
        <translation>Nom d’&amp;hôte (vide : le nom de l’instance)</translation>
    </message>
    <message>
        <source>&amp;User</source>
        <translation>&amp;Utilisateur</translation>
    </message>
    <message>
        <source>SSH public &amp;keys, one in each line</source>
        <translation>&amp;Clés publiques SSH, une par ligne</translation>
    </message>
</context>
<context>
    <name>SettingsPanel</name>
    <message>
        <source>Appearance</source>
        <translation>Apparence</translation>
    </message>
    <message>
        <source>As the system</source>
        <translation>Comme le système</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>Clair</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>Sombre</translation>
    </message>
    <message>
        <source>&amp;Theme</source>
        <translation>&amp;Thème</translation>
    </message>
    <message>
        <source>&amp;Language</source>
        <translation>&amp;Langue</translation>
    </message>
    <message>
        <source>Another language applies when the console is started again.</source>
        <translation>Une autre langue s’applique au prochain démarrage de la console.</translation>
    </message>
    <message>
        <source>Memory and engine</source>
        <translation>Mémoire et moteur</translation>
    </message>
    <message>
        <source> times a second</source>
        <translation> fois par seconde</translation>
    </message>
    <message>
        <source>&amp;Memory is read</source>
        <translation>La &amp;mémoire est lue</translation>
    </message>
    <message>
        <source>&amp;Worker processes</source>
        <translation>Processus de &amp;travail</translation>
    </message>
    <message>
        <source>Workers run the guests of the embedded engine; a change applies at the next start.</source>
        <translation>Ils exécutent les invités du moteur intégré&#xa0;; un changement s’applique au prochain démarrage.</translation>
    </message>
    <message>
        <source>Data and keys</source>
        <translation>Données et clés</translation>
    </message>
    <message>
        <source>Data directory</source>
        <translation>Répertoire de données</translation>
    </message>
    <message>
        <source>The wrapping key has not been used yet.</source>
        <translation>La clé d’enveloppe n’a pas encore servi.</translation>
    </message>
    <message>
        <source>Key protection</source>
        <translation>Protection des clés</translation>
    </message>
    <message>
        <source>Read-only</source>
        <translation>Lecture seule</translation>
    </message>
    <message>
        <source>Diagnostics</source>
        <translation>Diagnostic</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>Copier</translation>
    </message>
</context>
<context>
    <name>Severity</name>
    <message>
        <source>Info</source>
        <translation>Information</translation>
    </message>
    <message>
        <source>Warning</source>
        <translation>Avertissement</translation>
    </message>
    <message>
        <source>Error</source>
        <translation>Erreur</translation>
    </message>
</context>
<context>
    <name>ShellActions</name>
    <message>
        <source>&amp;Console</source>
        <translation>&amp;Console</translation>
    </message>
    <message>
        <source>&amp;Instance</source>
        <translation>&amp;Instance</translation>
    </message>
    <message>
        <source>&amp;View</source>
        <translation>&amp;Affichage</translation>
    </message>
    <message>
        <source>&amp;Help</source>
        <translation>Ai&amp;de</translation>
    </message>
    <message>
        <source>&amp;New instance …</source>
        <translation>&amp;Nouvelle instance …</translation>
    </message>
    <message>
        <source>&amp;Start</source>
        <translation>&amp;Démarrer</translation>
    </message>
    <message>
        <source>S&amp;top</source>
        <translation>A&amp;rrêter</translation>
    </message>
    <message>
        <source>&amp;Pause</source>
        <translation>Sus&amp;pendre</translation>
    </message>
    <message>
        <source>Res&amp;ume</source>
        <translation>Repre&amp;ndre</translation>
    </message>
    <message>
        <source>&amp;Reset</source>
        <translation>Réini&amp;tialiser</translation>
    </message>
    <message>
        <source>&amp;Migrate to another host …</source>
        <translation>&amp;Migrer vers un autre hôte …</translation>
    </message>
    <message>
        <source>Take s&amp;napshot</source>
        <translation>Prendre un i&amp;nstantané</translation>
    </message>
    <message>
        <source>&amp;Clone …</source>
        <translation>&amp;Cloner …</translation>
    </message>
    <message>
        <source>&amp;Delete</source>
        <translation>&amp;Supprimer</translation>
    </message>
    <message>
        <source>&amp;Quit</source>
        <translation>&amp;Quitter</translation>
    </message>
    <message>
        <source>Go to &amp;anything …</source>
        <translation>&amp;Aller à …</translation>
    </message>
    <message>
        <source>&amp;Filter instances</source>
        <translation>&amp;Filtrer les instances</translation>
    </message>
    <message>
        <source>&amp;Jobs</source>
        <translation>&amp;Tâches</translation>
    </message>
    <message>
        <source>&amp;Maximise the instance page</source>
        <translation>&amp;Agrandir la page de l’instance</translation>
    </message>
    <message>
        <source>&amp;Close the instance page</source>
        <translation>&amp;Fermer la page de l’instance</translation>
    </message>
    <message>
        <source>&amp;Fleet</source>
        <translation>&amp;Parc</translation>
    </message>
    <message>
        <source>&amp;Events</source>
        <translation>É&amp;vénements</translation>
    </message>
    <message>
        <source>E&amp;vidence files</source>
        <translation>Fichiers de pre&amp;uve</translation>
    </message>
    <message>
        <source>&amp;Hosts</source>
        <translation>&amp;Hôtes</translation>
    </message>
    <message>
        <source>&amp;Guardrails</source>
        <translation>&amp;Garde-fous</translation>
    </message>
    <message>
        <source>&amp;Keys</source>
        <translation>&amp;Clés</translation>
    </message>
    <message>
        <source>&amp;Access</source>
        <translation>&amp;Accès</translation>
    </message>
    <message>
        <source>&amp;Settings</source>
        <translation>&amp;Réglages</translation>
    </message>
    <message>
        <source>&amp;About</source>
        <translation>À &amp;propos</translation>
    </message>
    <message>
        <source>&amp;Overview</source>
        <translation>Vue d’&amp;ensemble</translation>
    </message>
    <message>
        <source>&amp;Memory</source>
        <translation>&amp;Mémoire</translation>
    </message>
    <message>
        <source>&amp;Events of the instance</source>
        <translation>É&amp;vénements de l’instance</translation>
    </message>
    <message>
        <source>M&amp;etrics</source>
        <translation>Me&amp;sures</translation>
    </message>
    <message>
        <source>&amp;Attestation</source>
        <translation>&amp;Attestation</translation>
    </message>
    <message>
        <source>Tools</source>
        <translation>Outils</translation>
    </message>
    <message>
        <source>New instance</source>
        <translation>Nouvelle instance</translation>
    </message>
    <message>
        <source>Go to …  Ctrl+K</source>
        <translation>Aller à …  Ctrl+K</translation>
    </message>
</context>
<context>
    <name>ShellCommands</name>
    <message>
        <source>Search: {text}</source>
        <translation>Rechercher&#xa0;: {text}</translation>
    </message>
    <message>
        <source>Light theme</source>
        <translation>Thème clair</translation>
    </message>
    <message>
        <source>Dark theme</source>
        <translation>Thème sombre</translation>
    </message>
    <message>
        <source>instance</source>
        <translation>instance</translation>
    </message>
</context>
<context>
    <name>ShellWindow</name>
    <message>
        <source>ConfVM Console</source>
        <translation>ConfVM Console</translation>
    </message>
    <message>
        <source>Read-only: {reason}</source>
        <translation>Lecture seule&#xa0;: {reason}</translation>
    </message>
    <message>
        <source>{provider} does not answer: {reason}. It is tried again by itself.</source>
        <translation>{provider} ne répond pas&#xa0;: {reason}. Un nouvel essai se fait de lui-même.</translation>
    </message>
    <message numerus="yes">
        <source>%n instance(s) run inside this console and are powered off when it closes. What they hold in memory is lost.</source>
        <translation>
            <numerusform>%n instance tourne dans cette console et s’éteint quand elle se ferme. Ce qu’elle a en mémoire est perdu.</numerusform>
            <numerusform>%n instances tournent dans cette console et s’éteignent quand elle se ferme. Ce qu’elles ont en mémoire est perdu.</numerusform>
        </translation>
    </message>
    <message>
        <source>Close anyway</source>
        <translation>Fermer quand même</translation>
    </message>
    <message>
        <source>Keep open</source>
        <translation>Laisser ouverte</translation>
    </message>
</context>
<context>
    <name>SnapshotTab</name>
    <message>
        <source>Take snapshot</source>
        <translation>Prendre un instantané</translation>
    </message>
    <message>
        <source>Drop</source>
        <translation>Abandonner</translation>
    </message>
    <message>
        <source>◂ Previous change</source>
        <translation>◂ Changement précédent</translation>
    </message>
    <message>
        <source>Next change ▸</source>
        <translation>Changement suivant ▸</translation>
    </message>
    <message>
        <source>Pages changed since the snapshot, {viewer}</source>
        <translation>Pages changées depuis l’instantané, {viewer}</translation>
    </message>
    <message>
        <source>Keeps RAM as it is now, in this program&apos;s memory only, and marks what changes afterwards.</source>
        <translation>Garde la mémoire telle qu’elle est, dans ce programme seulement, et marque ce qui change ensuite.</translation>
    </message>
    <message>
        <source>Taken at {at}: {size}.</source>
        <translation>Pris à {at}&#xa0;: {size}.</translation>
    </message>
    <message>
        <source>Of some pages only a checksum is kept: they are marked as a whole.</source>
        <translation>De certaines pages, seule une somme de contrôle est gardée&#xa0;: elles sont marquées en entier.</translation>
    </message>
    <message>
        <source>{viewer}: 1 page changed since</source>
        <translation>{viewer}&#xa0;: 1 page changée depuis</translation>
    </message>
    <message>
        <source>{viewer}: {count} pages changed since</source>
        <translation>{viewer}&#xa0;: {count} pages changées depuis</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Annuler</translation>
    </message>
</context>
<context>
    <name>SnapshotsCard</name>
    <message>
        <source>Snapshots</source>
        <translation>Instantanés</translation>
    </message>
    <message>
        <source>Name of the new snapshot</source>
        <translation>Nom du nouvel instantané</translation>
    </message>
    <message>
        <source>name</source>
        <translation>nom</translation>
    </message>
    <message>
        <source>There is none yet.</source>
        <translation>Il n&apos;y en a pas encore.</translation>
    </message>
    <message>
        <source>disks and memory</source>
        <translation>disques et mémoire</translation>
    </message>
    <message>
        <source>disks only</source>
        <translation>disques seuls</translation>
    </message>
    <message>
        <source>current</source>
        <translation>actuel</translation>
    </message>
    <message>
        <source>Revert</source>
        <translation>Revenir</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>Supprimer</translation>
    </message>
    <message>
        <source>Return to {name}? What the instance is and has written since is lost.</source>
        <translation>Revenir à {name} ? Ce que l&apos;instance est et a écrit depuis est perdu.</translation>
    </message>
    <message>
        <source>Delete the snapshot {name}? The instance stays as it is.</source>
        <translation>Supprimer l&apos;instantané {name} ? L&apos;instance reste comme elle est.</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Annuler</translation>
    </message>
</context>
<context>
    <name>StandingModel</name>
    <message>
        <source>Of</source>
        <translation>Sur</translation>
    </message>
</context>
<context>
    <name>StatusLine</name>
    <message>
        <source>Progress of all jobs</source>
        <translation>Avancement de toutes les tâches</translation>
    </message>
    <message>
        <source>Show or hide the jobs (Ctrl+J)</source>
        <translation>Montrer ou cacher les tâches (Ctrl+J)</translation>
    </message>
    <message>
        <source>{provider}: connecting …</source>
        <translation>{provider} : connexion …</translation>
    </message>
    <message>
        <source>{provider}: connected</source>
        <translation>{provider}&#xa0;: connecté</translation>
    </message>
    <message>
        <source>{provider}: not connected ({reason})</source>
        <translation>{provider}&#xa0;: non connecté ({reason})</translation>
    </message>
    <message>
        <source>no reason given</source>
        <translation>aucune raison donnée</translation>
    </message>
    <message>
        <source>No jobs under way</source>
        <translation>Aucune tâche en cours</translation>
    </message>
    <message numerus="yes">
        <source>%n job(s) under way</source>
        <translation>
            <numerusform>%n tâche en cours</numerusform>
            <numerusform>%n tâches en cours</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>StepModel</name>
    <message>
        <source>current</source>
        <translation>en cours</translation>
    </message>
    <message>
        <source>done</source>
        <translation>faite</translation>
    </message>
    <message>
        <source>needs attention</source>
        <translation>demande attention</translation>
    </message>
    <message>
        <source>not visited yet</source>
        <translation>pas encore vue</translation>
    </message>
    <message>
        <source>not reachable yet</source>
        <translation>pas encore accessible</translation>
    </message>
</context>
<context>
    <name>SwitchForm</name>
    <message>
        <source>Enforce denies launches; warn only tells</source>
        <translation>Appliquer refuse des lancements ; avertir ne fait que dire</translation>
    </message>
    <message>
        <source>all, or env=prod, team=risk</source>
        <translation>toutes, ou env=prod, team=risk</translation>
    </message>
    <message>
        <source>&amp;Test on the fleet</source>
        <translation>&amp;Essayer sur la flotte</translation>
    </message>
    <message>
        <source>Counts what the pack would find now; nothing is turned on</source>
        <translation>Compte ce que le lot trouverait maintenant ; rien n&apos;est activé</translation>
    </message>
    <message>
        <source>Turn &amp;on</source>
        <translation>&amp;Activer</translation>
    </message>
    <message>
        <source>&amp;Mode</source>
        <translation>&amp;Mode</translation>
    </message>
    <message>
        <source>Only instances with the &amp;labels</source>
        <translation>Seulement les instances avec les é&amp;tiquettes</translation>
    </message>
    <message>
        <source>Only of the &amp;provider</source>
        <translation>Seulement du &amp;fournisseur</translation>
    </message>
    <message>
        <source>Turn it on</source>
        <translation>L&apos;activer</translation>
    </message>
    <message>
        <source>any provider</source>
        <translation>tout fournisseur</translation>
    </message>
    <message>
        <source>Test it first: then you know what it would deny</source>
        <translation>Essayez-le d&apos;abord : vous saurez ce qu&apos;il refuserait</translation>
    </message>
    <message>
        <source>Testing …</source>
        <translation>Essai …</translation>
    </message>
    <message>
        <source>{0} of its rules cannot be evaluated: they would deny every launch</source>
        <translation>{0} de ses règles ne peuvent pas être évaluées : elles refuseraient tout lancement</translation>
    </message>
    <message>
        <source>There is no instance in this part of the fleet yet</source>
        <translation>Il n&apos;y a pas encore d&apos;instance dans cette partie de la flotte</translation>
    </message>
    <message>
        <source>{0} of {1} instances would not comply; below, by rule</source>
        <translation>{0} instances sur {1} ne seraient pas conformes ; ci-dessous, par règle</translation>
    </message>
    <message>
        <source>All {0} instances would comply</source>
        <translation>Les {0} instances seraient toutes conformes</translation>
    </message>
    <message>
        <source>{0}: {1} of {2}</source>
        <translation>{0} : {1} sur {2}</translation>
    </message>
</context>
<context>
    <name>TcbSteps</name>
    <message>
        <source>Reported TCB over time: {steps}</source>
        <translation>TCB déclaré au fil du temps&#xa0;: {steps}</translation>
    </message>
</context>
<context>
    <name>TcbView</name>
    <message>
        <source>TCB over time</source>
        <translation>TCB au fil du temps</translation>
    </message>
    <message>
        <source>No TCB is known</source>
        <translation>Aucun TCB connu</translation>
    </message>
    <message>
        <source>SEV-SNP reports carry the firmware versions of their chip; each change is kept here.</source>
        <translation>Les rapports SEV-SNP portent les versions de micrologiciel de leur puce&#xa0;; chaque changement est gardé ici.</translation>
    </message>
    <message>
        <source>Chip {chip}</source>
        <translation>Puce {chip}</translation>
    </message>
    <message>
        <source>Emulated: not a chip of AMD&apos;s</source>
        <translation>Émulé&#xa0;: pas une puce d’AMD</translation>
    </message>
    <message>
        <source>Since</source>
        <translation>Depuis</translation>
    </message>
    <message>
        <source>Firmware</source>
        <translation>Micrologiciel</translation>
    </message>
    <message>
        <source>committed</source>
        <translation>engagé</translation>
    </message>
    <message>
        <source>provisional: the host can go back</source>
        <translation>provisoire&#xa0;: l’hôte peut revenir en arrière</translation>
    </message>
</context>
<context>
    <name>Technology</name>
    <message>
        <source>None (plain VM)</source>
        <translation>Aucune (VM ordinaire)</translation>
    </message>
</context>
<context>
    <name>TerminalText</name>
    <message>
        <source>A serial port does not tell the guest this size. In a Linux guest, type: {command}</source>
        <translation>Un port série n’indique pas cette taille à l’invité. Dans un invité Linux, saisissez : {command}</translation>
    </message>
    <message>
        <source>Keys go to the guest, Tab too: leave with Ctrl+Shift+Tab. Copy Ctrl+Shift+C, paste Ctrl+Shift+V</source>
        <translation>Les touches vont à l’invité, Tab aussi : quitter avec Ctrl+Maj+Tab. Copier Ctrl+Maj+C, coller Ctrl+Maj+V</translation>
    </message>
    <message>
        <source>Arrows and Page keys scroll, Ctrl+Shift+arrows select</source>
        <translation>Flèches et touches Page pour défiler, Ctrl+Maj+flèches pour sélectionner</translation>
    </message>
</context>
<context>
    <name>ThreeStates</name>
    <message>
        <source>In transit</source>
        <translation>En transit</translation>
    </message>
    <message>
        <source>Seen by the host</source>
        <translation>Vu par l’hôte</translation>
    </message>
    <message>
        <source>The hypervisor itself hands the disk&apos;s key to the guest</source>
        <translation>L’hyperviseur remet lui-même la clé du disque à l’invité</translation>
    </message>
    <message>
        <source>Which key holds its disk is being looked up</source>
        <translation>La clé qui tient son disque est recherchée</translation>
    </message>
    <message>
        <source>Not known yet</source>
        <translation>Pas encore connu</translation>
    </message>
    <message>
        <source>Its disk is AES-256-XTS; {key} wraps the disk&apos;s key</source>
        <translation>Son disque est en AES-256-XTS ; {key} enveloppe la clé du disque</translation>
    </message>
    <message>
        <source>Unreadable</source>
        <translation>Illisible</translation>
    </message>
    <message>
        <source>It has no disk with records, so nothing of it is kept</source>
        <translation>Elle n&apos;a pas de disque de données : rien d&apos;elle n&apos;est conservé</translation>
    </message>
    <message>
        <source>No disk</source>
        <translation>Pas de disque</translation>
    </message>
    <message>
        <source>Its host reads its disk, unless the guest itself encrypts it</source>
        <translation>Son hôte lit son disque, à moins que l&apos;invité ne le chiffre lui-même</translation>
    </message>
    <message>
        <source>No key of yours holds its disk; its cloud may encrypt it with keys of its own</source>
        <translation>Aucune clé à vous ne tient son disque ; son nuage peut le chiffrer avec les siennes</translation>
    </message>
    <message>
        <source>By no key of yours</source>
        <translation>Par aucune clé à vous</translation>
    </message>
    <message>
        <source>Keys reach the guest sealed to the key in its attestation report</source>
        <translation>Les clés parviennent à l&apos;invité scellées pour la clé de son rapport d&apos;attestation</translation>
    </message>
    <message>
        <source>Keys reach the guest by LAUNCH_SECRET, after its launch measurement</source>
        <translation>Les clés parviennent à l&apos;invité par LAUNCH_SECRET, après sa mesure de lancement</translation>
    </message>
    <message>
        <source>Whether it is sent a key is being looked up</source>
        <translation>On cherche si une clé lui est envoyée</translation>
    </message>
    <message>
        <source>For each start its host is given the disk&apos;s key, and QEMU keeps it in RAM</source>
        <translation>À chaque démarrage l&apos;hôte reçoit la clé du disque, et QEMU la garde en RAM</translation>
    </message>
    <message>
        <source>The console sends this guest no key</source>
        <translation>La console n&apos;envoie pas de clé à cet invité</translation>
    </message>
    <message>
        <source>No key is sent</source>
        <translation>Aucune clé n&apos;est envoyée</translation>
    </message>
    <message>
        <source>A plain VM proves nothing of its launch</source>
        <translation>Une VM ordinaire ne prouve rien de son lancement</translation>
    </message>
    <message>
        <source>None of its evidence has been verified</source>
        <translation>Aucune de ses preuves n&apos;a été vérifiée</translation>
    </message>
    <message>
        <source>Its evidence was verified at {when} and is trusted</source>
        <translation>Sa preuve a été vérifiée à {when} et est de confiance</translation>
    </message>
    <message>
        <source>Its evidence was verified at {when} and is not trusted</source>
        <translation>Sa preuve a été vérifiée à {when} et n&apos;est pas de confiance</translation>
    </message>
    <message>
        <source>In use</source>
        <translation>En usage</translation>
    </message>
    <message>
        <source>Not encrypted</source>
        <translation>Non chiffrée</translation>
    </message>
    <message>
        <source>What the host can read</source>
        <translation>Ce que l&apos;hôte peut lire</translation>
    </message>
    <message>
        <source>Memory is plain: whoever controls the host reads all of it</source>
        <translation>La mémoire est en clair&#xa0;: qui commande l’hôte la lit toute</translation>
    </message>
    <message>
        <source>. That key does not open it now: {state}</source>
        <translation>. Cette clé ne l&apos;ouvre pas maintenant : {state}</translation>
    </message>
    <message>
        <source>Sealed to the guest</source>
        <translation>Scellé pour l’invité</translation>
    </message>
    <message>
        <source>Memory is encrypted by an emulated {technology}; its key stays in the processor</source>
        <translation>La mémoire est chiffrée par {technology} émulé&#xa0;; sa clé reste dans le processeur</translation>
    </message>
    <message>
        <source>Memory is encrypted by {technology}; its key stays in the processor</source>
        <translation>La mémoire est chiffrée par {technology}&#xa0;; sa clé reste dans le processeur</translation>
    </message>
    <message>
        <source>Encrypted</source>
        <translation>Chiffré</translation>
    </message>
    <message>
        <source>Not running</source>
        <translation>À l’arrêt</translation>
    </message>
    <message>
        <source>There is no memory to protect; the next start launches and measures again</source>
        <translation>Il n’y a pas de mémoire à protéger&#xa0;; le prochain démarrage lance et mesure de nouveau</translation>
    </message>
    <message>
        <source>There is no memory now; once it runs, the host can read all of it</source>
        <translation>Il n’y a pas de mémoire à présent&#xa0;; dès qu’elle tourne, l’hôte peut la lire toute</translation>
    </message>
    <message>
        <source>At rest</source>
        <translation>Au repos</translation>
    </message>
</context>
<context>
    <name>Trust</name>
    <message>
        <source>Not applicable</source>
        <translation>Sans objet</translation>
    </message>
    <message>
        <source>Unknown</source>
        <translation>Inconnue</translation>
    </message>
    <message>
        <source>Measured</source>
        <translation>Mesurée</translation>
    </message>
    <message>
        <source>Trusted</source>
        <translation>De confiance</translation>
    </message>
    <message>
        <source>Untrusted</source>
        <translation>Non fiable</translation>
    </message>
    <message>
        <source>Not a confidential VM: there is nothing to attest</source>
        <translation>Pas une VM confidentielle&#xa0;: il n’y a rien à attester</translation>
    </message>
    <message>
        <source>No evidence has been appraised yet</source>
        <translation>Aucune preuve n’a encore été examinée</translation>
    </message>
    <message>
        <source>The launch measurement matched; the platform that made it is emulated or not verified to a root</source>
        <translation>La mesure du lancement concorde&#xa0;; la plateforme qui l’a faite est émulée ou non vérifiée jusqu’à une racine</translation>
    </message>
    <message>
        <source>Evidence was verified down to the maker&apos;s root and fits the reference values</source>
        <translation>La preuve a été vérifiée jusqu’à la racine du fabricant et concorde avec les valeurs de référence</translation>
    </message>
    <message>
        <source>The evidence does not hold or does not fit the reference values</source>
        <translation>La preuve ne tient pas ou ne concorde pas avec les valeurs de référence</translation>
    </message>
</context>
<context>
    <name>Verdict</name>
    <message>
        <source>Trusted (emulated)</source>
        <translation>De confiance (émulé)</translation>
    </message>
    <message>
        <source>Not trusted (emulated)</source>
        <translation>Non fiable (émulé)</translation>
    </message>
    <message>
        <source>Trusted</source>
        <translation>De confiance</translation>
    </message>
    <message>
        <source>Not trusted</source>
        <translation>Non fiable</translation>
    </message>
</context>
<context>
    <name>VerdictView</name>
    <message>
        <source>Attestation</source>
        <translation>Attestation</translation>
    </message>
    <message>
        <source>Verdict</source>
        <translation>Verdict</translation>
    </message>
    <message>
        <source>Claims</source>
        <translation>Déclarations</translation>
    </message>
    <message>
        <source>Chain of trust</source>
        <translation>Chaîne de confiance</translation>
    </message>
    <message>
        <source>Findings</source>
        <translation>Constats</translation>
    </message>
    <message>
        <source>Claims ({count})</source>
        <translation>Déclarations ({count})</translation>
    </message>
</context>
<context>
    <name>VerdictsModel</name>
    <message>
        <source>Verdict</source>
        <translation>Verdict</translation>
    </message>
    <message>
        <source>When</source>
        <translation>Quand</translation>
    </message>
    <message>
        <source>Evidence</source>
        <translation>Preuve</translation>
    </message>
    <message>
        <source>Findings</source>
        <translation>Constats</translation>
    </message>
    <message>
        <source>Why</source>
        <translation>Pourquoi</translation>
    </message>
    <message>
        <source>File</source>
        <translation>Fichier</translation>
    </message>
    <message>
        <source>Given by</source>
        <translation>Donnée par</translation>
    </message>
</context>
<context>
    <name>ViewerMaps</name>
    <message>
        <source>Entropy of each page</source>
        <translation>Entropie de chaque page</translation>
    </message>
    <message>
        <source>Change of each page</source>
        <translation>Changement de chaque page</translation>
    </message>
    <message>
        <source>Byte values</source>
        <translation>Valeurs des octets</translation>
    </message>
    <message>
        <source>Byte values in view</source>
        <translation>Valeurs des octets en vue</translation>
    </message>
    <message>
        <source>Byte values at the cursor</source>
        <translation>Valeurs des octets au curseur</translation>
    </message>
    <message>
        <source>{bits} bits per byte on average over {count} used pages</source>
        <translation>{bits} bits par octet en moyenne sur {count} pages utilisées</translation>
    </message>
    <message>
        <source>never used</source>
        <translation>jamais utilisée</translation>
    </message>
    <message>
        <source>not measured yet</source>
        <translation>pas encore mesurée</translation>
    </message>
    <message>
        <source>{count} pages changed between the last two looks</source>
        <translation>{count} pages ont changé entre les deux derniers regards</translation>
    </message>
</context>
<context>
    <name>WherePage</name>
    <message>
        <source>Where</source>
        <translation>Où</translation>
    </message>
    <message>
        <source>Name the instance, and say which host runs it.</source>
        <translation>Nommez l&apos;instance, et dites quel hôte la fait fonctionner.</translation>
    </message>
    <message>
        <source>Name the instance, and say who runs it and in which region.</source>
        <translation>Nommez l’instance, et dites qui l’exécute et dans quelle région.</translation>
    </message>
    <message>
        <source>&amp;Name</source>
        <translation>&amp;Nom</translation>
    </message>
    <message>
        <source>&amp;Runs on</source>
        <translation>&amp;Tourne sur</translation>
    </message>
    <message>
        <source>As if on the &amp;cloud</source>
        <translation>Comme sur le n&amp;uage</translation>
    </message>
    <message>
        <source>Search regions</source>
        <translation>Chercher des régions</translation>
    </message>
    <message>
        <source>Regions</source>
        <translation>Régions</translation>
    </message>
    <message>
        <source>●  confidential   ○  plain only</source>
        <translation>●  confidentielle   ○  ordinaire seulement</translation>
    </message>
    <message>
        <source>Scroll to zoom, drag to move</source>
        <translation>Molette pour agrandir, glisser pour déplacer</translation>
    </message>
    <message>
        <source>&amp;Zone</source>
        <translation>&amp;Zone</translation>
    </message>
    <message>
        <source>Use {0}</source>
        <translation>Prendre {0}</translation>
    </message>
    <message>
        <source>This provider is not connected.</source>
        <translation>Ce fournisseur n’est pas connecté.</translation>
    </message>
    <message>
        <source>A rehearsal on this computer: everything of {0} can be chosen, nothing is sent there.</source>
        <translation>Une répétition sur cet ordinateur&#xa0;: tout ce qu’a {0} peut être choisi, rien n’y est envoyé.</translation>
    </message>
    <message>
        <source>A real virtual machine on this host. Hosts are added on the page Hosts.</source>
        <translation>Une vraie machine virtuelle sur cet hôte. Les hôtes s’ajoutent sur la page Hôtes.</translation>
    </message>
    <message>
        <source>A real instance in {0}, which costs money while it exists.</source>
        <translation>Une instance réelle dans {0}, qui coûte de l&apos;argent tant qu&apos;elle existe.</translation>
    </message>
    <message>
        <source>launch 2020</source>
        <translation>lancement 2020</translation>
    </message>
    <message>
        <source>{0} of {1} regions</source>
        <translation>{0} régions sur {1}</translation>
    </message>
    <message>
        <source>all zones</source>
        <translation>toutes les zones</translation>
    </message>
    <message>
        <source>No confidential technology is offered here; plain VMs only.</source>
        <translation>Aucune technologie confidentielle n’est offerte ici&#xa0;; VM ordinaires seulement.</translation>
    </message>
</context>
<context>
    <name>YouCard</name>
    <message>
        <source> and </source>
        <translation> et </translation>
    </message>
    <message>
        <source>You are {user}, {roles} here</source>
        <translation>Vous êtes {user}, {roles} ici</translation>
    </message>
    <message>
        <source>You may</source>
        <translation>Vous pouvez</translation>
    </message>
</context>
<context>
    <name>_Difference</name>
    <message>
        <source>What differs</source>
        <translation>Ce qui diffère</translation>
    </message>
</context>
<context>
    <name>_FileRow</name>
    <message>
        <source>Choose …</source>
        <translation>Choisir …</translation>
    </message>
    <message>
        <source>Choose: {what}</source>
        <translation>Choisir&#xa0;: {what}</translation>
    </message>
    <message>
        <source>Take away</source>
        <translation>Retirer</translation>
    </message>
    <message>
        <source>Take away: {what}</source>
        <translation>Retirer&#xa0;: {what}</translation>
    </message>
</context>
<context>
    <name>_Tile</name>
    <message>
        <source>In the fleet</source>
        <translation>Dans la flotte</translation>
    </message>
    <message>
        <source>Show in the fleet: {0}</source>
        <translation>Montrer dans la flotte : {0}</translation>
    </message>
</context>
<context>
    <name>memory</name>
    <message>
        <source>bytes</source>
        <translation>octets</translation>
    </message>
    <message>
        <source>UNTOUCHED</source>
        <translation>INUTILISÉE</translation>
    </message>
    <message>
        <source>CIPHERTEXT</source>
        <translation>TEXTE CHIFFRÉ</translation>
    </message>
    <message>
        <source>SHARED</source>
        <translation>PARTAGÉE</translation>
    </message>
    <message>
        <source>PLAINTEXT</source>
        <translation>TEXTE CLAIR</translation>
    </message>
    <message>
        <source>UNREADABLE</source>
        <translation>ILLISIBLE</translation>
    </message>
    <message>
        <source>The guest has not used this page yet.</source>
        <translation>L’invité n’a pas encore utilisé cette page.</translation>
    </message>
    <message>
        <source>Encrypted with the guest&apos;s key, which this viewer does not have.</source>
        <translation>Chiffrée par la clé de l’invité, que cet observateur n’a pas.</translation>
    </message>
    <message>
        <source>The guest left this page unencrypted to exchange data with the host: both read it.</source>
        <translation>L’invité a laissé cette page non chiffrée pour échanger avec l’hôte&#xa0;: les deux la lisent.</translation>
    </message>
    <message>
        <source>Readable content for whoever has this view.</source>
        <translation>Contenu lisible pour qui a cette vue.</translation>
    </message>
    <message>
        <source>Could not be read; nothing is known of it.</source>
        <translation>N’a pas pu être lue&#xa0;; on n’en sait rien.</translation>
    </message>
    <message>
        <source>What the hypervisor sees</source>
        <translation>Ce que voit l’hyperviseur</translation>
    </message>
    <message>
        <source>What the guest sees</source>
        <translation>Ce que voit l’invité</translation>
    </message>
    <message>
        <source>Hypervisor</source>
        <translation>Hyperviseur</translation>
    </message>
    <message>
        <source>Guest</source>
        <translation>Invité</translation>
    </message>
    <message>
        <source>The host reads everything of this VM: it is not confidential.</source>
        <translation>L’hôte lit tout de cette VM&#xa0;: elle n’est pas confidentielle.</translation>
    </message>
    <message>
        <source>What the host, its administrator and whoever breaks into it can read of this VM ({technology}).</source>
        <translation>Ce que l’hôte, son administrateur et qui s’y introduit peuvent lire de cette VM ({technology}).</translation>
    </message>
    <message>
        <source>The same bytes as on the left: nothing keeps them from the host.</source>
        <translation>Les mêmes octets qu’à gauche&#xa0;: rien ne les cache à l’hôte.</translation>
    </message>
    <message>
        <source>On real hardware nobody outside the guest has this view: the emulator shows it for comparison.</source>
        <translation>Sur du vrai matériel, personne hors de l’invité n’a cette vue&#xa0;: l’émulateur la montre pour comparer.</translation>
    </message>
    <message>
        <source>What the guest&apos;s own programs read.</source>
        <translation>Ce que lisent les programmes de l’invité.</translation>
    </message>
    <message>
        <source>{count} bytes</source>
        <translation>{count} octets</translation>
    </message>
</context>
</TS>
