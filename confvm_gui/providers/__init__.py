"""Who runs instances: one package per hypervisor or cloud, with the same file names in each."""
