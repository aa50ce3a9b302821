/* SEV-SNP: telling the owner who this guest is, and getting his keys sealed to it, through a shared page. */
#ifndef ATTESTATION_H
#define ATTESTATION_H

#include "abi.h"

/* Under SEV-SNP: answer the owner's first request, wait for his sealed secret and put it into the secret page. Elsewhere
   it lies there since the launch, and nothing is done. After aes_setup. */
void attestation_start(void);
/* Answer the request that waits. Cheap where none does. */
void attestation_poll(void);

#endif
