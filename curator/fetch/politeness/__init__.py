"""When a host may be asked again: limits, back-off, robots.txt."""
