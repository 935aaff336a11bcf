"""The judge of formulas that others wrote: true, false or unknown, under which reading, and why.

readings     what custom leaves open, and the choices
values       the value of a term under a reading
scene        a point of a network, and what is true there
conditions   for which indices a claim is meant
definition   what a document defines
judge        the identity test of a relation, over readings, lengths and sizes
verdict      the result
"""
