"""The judge of formulas that others wrote: true, false or unknown, under which reading, and why.

taking       what a formula says: definitions, conditions, steps of descent, claims (learning,
             defining, bounds, pairs, updates, generic)
readings     what custom leaves open, and the choices (meanings, alternatives)
values       the value of a term under a reading (value_sums, value_products, blocks)
scene        a point of a network, and what is true there (ground, trajectories, digits)
deciding     one relation under one reading, at several points; conditions: for which indices
judge        a relation under all readings that custom leaves open
formula      the verdict on a whole formula; check: in each notation; verdict: the result
repair       the smallest change that makes a wrong claim right (the patches)
guard        a process of its own, with limits
corpus       right and wrong claims in great number, to judge the judge; trial: the diagnoses
"""
