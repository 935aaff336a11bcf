"""rnnsym: derive, verify and generate the mathematics of recurrent neural networks."""
