"""Intel TDX: TD report bodies and what is asked of them."""
