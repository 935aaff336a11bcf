"""Networks put together at random: cell × layers × direction × type × … (see test_compositions)."""
