"""The library of images that hypervisors boot from: added from files or downloaded, verified, and kept."""
