"""Azure's confidential VMs: a hardware report (SNP or TDX) that vouches for the keys of a vTPM, which quotes PCRs."""
