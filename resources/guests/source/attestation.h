/* SEV-SNP: telling the owner who this guest is, and getting his keys sealed to it, through a shared page. */
#ifndef ATTESTATION_H
#define ATTESTATION_H

#include "abi.h"

#define SHARE_MAXIMUM 1024u /* bytes */

/* What becomes of a share; told to the host, who tells its owner. */
#define SHARE_TAKEN 0u
#define SHARE_NOT_SEALED_TO_US 1u
#define SHARE_NOT_OF_THIS_AGREEMENT 2u /* or malformed */
#define SHARES_OPEN_NOTHING 3u         /* all are there, and the data sets are not opened by them */

/* Under SEV-SNP: answer the owner's first request, wait for his sealed secret and put it into the secret page. Elsewhere
   it lies there since the launch, and nothing is done. After aes_setup. `keep_key`: shares are to come as well. */
void attestation_start(bool keep_key);
/* Answer the request that waits. Cheap where none does. */
void attestation_poll(void);
/* Open the share that waits, if one does; returns its length, or 0. Whoever takes one tells what became of it. */
size_t attestation_take_share(uint8_t share[SHARE_MAXIMUM]);
void attestation_tell_share(uint32_t status);
/* No more shares: what is sealed to this guest from here on nobody opens. */
void attestation_forget_key(void);

#endif
