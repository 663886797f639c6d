"""Transfers on libcurl, the address guard, proxies and interrupts."""
