"""``python -m tests.golden``: write the golden files anew."""

from tests.golden import write

if __name__ == "__main__":
    for written in write():
        print(written)
