"""The order of samples in an epoch, drawn in native code with the numbers of `Minibatches`."""

from typing import Final

from thalweg.native.structured import Code, Truth, Whole

WORDS_PER_TICK: Final = 4
N_ARRAYS: Final = 4
"""Arrays of 8-byte numbers in the memory of `shuffle`: words and places, each twice, to merge from and into."""

_ROUNDS: Final = 10
_MULTIPLIERS: Final = (0xD2E7470EE14C6C93, 0xCA5A826395121157)
_WEYL: Final = (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)
_APART: Final = 1  # last word of the counter, as in `Minibatches`


def n_words(n_samples: int) -> int:
    """Return the length of an array of the memory of `shuffle`."""
    return -(-n_samples // WORDS_PER_TICK) * WORDS_PER_TICK


def emit_shuffle() -> str:
    """Return the function `shuffle(memory, n, seed, run, epoch)`.

    It returns the address of the numbers of the n samples in the order of a run's epoch. `memory` has `N_ARRAYS`
    arrays of `n_words(n)` numbers.

    Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC'11 (Philox-4x64).
    """
    code = _Shuffle()
    code.draw()
    code.sort()
    return code.whole(
        "@shuffle(ptr noalias %memory, i64 %n, i64 %seed, i64 %run, i64 %epoch)", "ptr", internal=True
    )


class _Shuffle(Code):
    def __init__(self) -> None:
        super().__init__()
        self._length, self._seed, self._run, self._epoch = (
            Whole(self, f"%{name}") for name in ("n", "seed", "run", "epoch")
        )
        self._ticks = (self._length + (WORDS_PER_TICK - 1)) // WORDS_PER_TICK
        length = self._ticks * WORDS_PER_TICK
        self._arrays = [self._at("%memory", length * k) for k in range(N_ARRAYS)]

    def draw(self) -> None:
        """Fill words and places."""
        words, _, places, _ = self._arrays
        with self.each(0, self._ticks) as tick:
            # numpy counts before it draws
            counter = [self._run * self._ticks + tick + 1, Whole(self, "0"), self._epoch, Whole(self, str(_APART))]
            first = tick * WORDS_PER_TICK
            for k, word in enumerate(self._philox(counter)):
                self._store(word, words, first + k)
                self._store(first + k, places, first + k)

    def sort(self) -> None:
        """Merge runs of words, of doubling length; equal words stay in order. Return the places."""
        names = [self.alloca("ptr") for _ in self._arrays]
        for name, array in zip(names, self._arrays, strict=True):
            self.put(f"store ptr {array}, ptr {name}")
        length = self.whole_number(1)
        with self.loop(lambda: length < self._length):
            arrays = [self.new(f"load ptr, ptr {name}") for name in names]
            begin = self.whole_number(0)
            with self.loop(lambda: begin < self._length):
                low = Whole(self, begin.name)
                middle = self._least(low + length, self._length)
                high = self._least(middle + length, self._length)
                self._merge(arrays, low, middle, high)
                begin.set(high)
            for name, array in zip(names, (arrays[1], arrays[0], arrays[3], arrays[2]), strict=True):
                self.put(f"store ptr {array}, ptr {name}")
            length.set(length + length)
        self.put(f"ret ptr {self.new(f'load ptr, ptr {names[2]}')}")

    def _merge(self, arrays: list[str], low: Whole, middle: Whole, high: Whole) -> None:
        words, into_words, places, into_places = arrays
        left, right = self.whole_number(low), self.whole_number(middle)
        with self.each(low, high) as target:
            at_left, at_right = self._least(left, middle - 1), self._least(right, high - 1)
            one, other = self._load(words, at_left), self._load(words, at_right)
            is_less = Truth(self, self.new(f"icmp ule i64 {one.name}, {other.name}"))
            takes_left = (right >= high) | ((left < middle) & is_less)
            self._store(self.choose(takes_left, one, other), into_words, target)
            source = self.choose(takes_left, at_left, at_right)
            self._store(self._load(places, source), into_places, target)
            step = Whole(self, self.new(f"zext i1 {takes_left.name} to i64"))
            left.set(left + step)
            right.set(right + (Whole(self, "1") - step))

    def _philox(self, counter: list[Whole]) -> list[Whole]:
        keys = [self._seed, Whole(self, "0")]
        for number in range(_ROUNDS):
            if number:
                keys = [key + _signed(weyl) for key, weyl in zip(keys, _WEYL, strict=True)]
            (high, low), (other_high, other_low) = (
                self._product(counter[2 * k], multiplier) for k, multiplier in enumerate(_MULTIPLIERS)
            )
            counter = [
                self._xor(self._xor(other_high, counter[1]), keys[0]),
                other_low,
                self._xor(self._xor(high, counter[3]), keys[1]),
                low,
            ]
        return counter

    def _product(self, one: Whole, multiplier: int) -> tuple[Whole, Whole]:
        """Return the upper and the lower word of a product."""
        wide = self.new(f"zext i64 {one.name} to i128")
        product = self.new(f"mul i128 {wide}, {multiplier}")
        upper = self.new(f"lshr i128 {product}, 64")
        high, low = (self.new(f"trunc i128 {part} to i64") for part in (upper, product))
        return Whole(self, high), Whole(self, low)

    def _xor(self, one: Whole, other: Whole) -> Whole:
        return Whole(self, self.new(f"xor i64 {one.name}, {other.name}"))

    def _least(self, one: Whole, other: Whole) -> Whole:
        return self.choose(one < other, one, other)

    def _at(self, base: str, index: Whole) -> str:
        return self.new(f"getelementptr i64, ptr {base}, i64 {index.name}")

    def _load(self, base: str, index: Whole) -> Whole:
        return Whole(self, self.new(f"load i64, ptr {self._at(base, index)}"))

    def _store(self, value: Whole, base: str, index: Whole) -> None:
        self.put(f"store i64 {value.name}, ptr {self._at(base, index)}")


def _signed(word: int) -> int:
    return word - (1 << 64) if word >> 63 else word
