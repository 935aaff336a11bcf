"""Audits: every formula of a document read, classified and judged in the light of what stands
before it.

audit      a document from its formulas to its verdicts
told       what the words say of names, before anything else; tongues: words in many languages
scopes     which equations a claim may be about; networks: these, and what is supposed of them
standing   whether "false" may be said: what a claim takes from elsewhere, what it only defines
roles      whether a formula claims, defines, or only names something
together   the verdicts on statements as one finding for each formula
slips      mistakes that no single formula shows: thresholds, clipping
result     the audit: as JSON, as a table, as an HTML page
page       the HTML page
"""

from rnnsym.audit.audit import audit
from rnnsym.audit.result import Audit, Finding

__all__ = ["Audit", "Finding", "audit"]
