"""The network: many transfers at once, politely, and a ledger of each."""
