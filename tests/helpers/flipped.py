"""Files with one bit flipped, as a failing disk or a bad copy leaves them."""

import random


def flips(file, count, seed=13):
    """Flip a bit of a file, give its place, and put it back; again and again."""
    content, places = file.read_bytes(), random.Random(seed)
    for _ in range(count):
        place = places.randrange(len(content))
        flipped = bytearray(content)
        flipped[place] ^= 1 << places.randrange(8)
        file.write_bytes(flipped)
        yield place
    file.write_bytes(content)
