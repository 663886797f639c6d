"""The longer questions that the ledger answers: states of addresses, families of hosts, texts that still hold.

>>> "json_each" in STATES and "GROUP BY family" in FAMILY_COSTS
True
"""

from __future__ import annotations

from curator.fetch.ledger.schema import OK

STATES = """
SELECT {columns} FROM (
    SELECT wanted.key AS number,
        (SELECT count(*) FROM attempts WHERE address = wanted.value AND superseded = 0) AS tries,
        (SELECT max(id) FROM attempts WHERE address = wanted.value) AS last_id
    FROM json_each(:addresses) AS wanted
) LEFT JOIN attempts AS a ON a.id = last_id LEFT JOIN observations AS o ON o.sha256 = a.sha256
ORDER BY number
"""
# CROSS JOIN keeps SQLite from going through all attempts once for each host: it takes its tables in the order given.
_FAMILIES = "WITH families AS MATERIALIZED (SELECT key AS host, value AS family FROM json_each(?))"
FAMILY_OUTCOMES = f"""
{_FAMILIES} SELECT family, coalesce(o.flaw, a.outcome), count(*)
FROM attempts AS a CROSS JOIN families USING (host)
LEFT JOIN observations AS o ON a.outcome = '{OK}' AND o.sha256 = a.sha256
WHERE a.id IN (SELECT max(id) FROM attempts GROUP BY address)
GROUP BY 1, 2 ORDER BY 1, 2
"""
FAMILY_COSTS = f"""
{_FAMILIES} SELECT family, count(DISTINCT host), sum(asked), sum(n_bytes),
    avg(seconds) FILTER (WHERE asked AND place IN ((n_asked + 1) / 2, (n_asked + 2) / 2))
FROM (
    SELECT *, row_number() OVER (PARTITION BY family, asked ORDER BY seconds) AS place,
        sum(asked) OVER (PARTITION BY family) AS n_asked
    FROM attempts CROSS JOIN families USING (host)
) GROUP BY family ORDER BY family
"""
ROBOTS = """
SELECT url, text FROM (
    SELECT url, text, sum(length(text)) OVER (ORDER BY asked_at DESC, url) AS n_bytes
    FROM robots WHERE asked_at > ? AND asked_at <= ?
) WHERE n_bytes <= ? ORDER BY n_bytes DESC
"""

CAPTURED = """
SELECT DISTINCT address, json_extract(capture.value, '$[2]') AS sha1
FROM lookups, json_each(lookups.captures) AS capture
WHERE archive = ? AND sha1 IN (SELECT value FROM json_each(?))
"""

FORGET_ADDRESSES = (
    # An archive's captures of an address are requested at PLACE/TIMEid_/CAPTURED-ADDRESS.
    """DELETE FROM attempts WHERE instr(address, 'id_/') AND substr(address, instr(address, 'id_/') + 4) IN (
        SELECT json_extract(capture.value, '$[1]') FROM lookups, json_each(lookups.captures) AS capture
        WHERE lookups.address IN (SELECT value FROM json_each(?)))""",
    "DELETE FROM lookups WHERE address IN (SELECT value FROM json_each(?))",
    "DELETE FROM attempts WHERE address IN (SELECT value FROM json_each(?))",
)

OUTCOME_COUNTS = f"""
SELECT coalesce(o.flaw, a.outcome), count(*)
FROM attempts AS a LEFT JOIN observations AS o ON a.outcome = '{OK}' AND o.sha256 = a.sha256
WHERE a.superseded = 0 AND a.id IN (SELECT max(id) FROM attempts GROUP BY address)
GROUP BY 1 ORDER BY 2 DESC, 1
"""
