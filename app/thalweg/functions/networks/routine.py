"""The loss of a network and its gradient as native code: the definition of a network's digits.

With point x, samples s = 0, 1, ... and a fused multiply-add for every product:

- A net input begins with the bias; then w_ij o_i is added for i = 0, 1, ...
- A sample's error is the sum of its outputs' terms in order.
- Sums over samples, of errors and of each derivative o_i δ_j, have eight accumulators: sample s of a batch goes to
  number s modulo 8, in order. At the end halves are added: 4 to 0, 5 to 1, ...; 2 to 0, 3 to 1; 1 to 0.
- δ_i is f'(net_i) times the sum of w_ij δ_j for j = 0, 1, ...
- Accumulated derivatives are multiplied by one factor, that of the mean; the sum of errors is divided once.

Samples lie side by side in lanes, in blocks small enough for the processor's cache. As each sample has the
arithmetic it has alone, and accumulators are eight whatever the vectors, no digit depends on blocks or on the
processor. The code knows activations, loss and dtype; layers, samples and batches are data
(`thalweg.functions.networks.problem`).
"""

from typing import Final

from thalweg.functions.networks.activations import ACTIVATIONS
from thalweg.functions.networks.block_code import BlockCode, Layer
from thalweg.functions.networks.losses import LOSSES, NativeTerm
from thalweg.functions.networks.problem import BLOCK, SCRATCH
from thalweg.functions.networks.shuffle import emit_shuffle
from thalweg.native.builder import Type
from thalweg.native.elementary import exp, log
from thalweg.native.lanes import LANES, Lanes
from thalweg.native.structured import Truth, Whole
from thalweg.native.trigonometry import reduce_large

PARAMETERS: Final = "ptr noalias %x, ptr noalias %gradient, ptr noalias %scratch, i64 %step, i64 %run"

_NODES: Final = 4  # computed side by side
_ROWS: Final = 2  # of a matrix of derivatives, accumulated side by side


def emit_objective(activation: str, output_activation: str, loss: str, real: Type) -> tuple[set[str], list[str]]:
    """Return the function `objective` and those that it calls, after the declarations that they need.

    `objective(x, gradient, scratch, step, run)` returns the loss at the point x and writes its gradient, unless
    `gradient` is null. `scratch` is a problem's scratch memory. Where it names an order, these samples are taken;
    else a run from 0 takes the mini-batch of its step, if the problem has mini-batches, and any other all samples.
    """
    routine = _Objective(activation, output_activation, loss, real)
    text = routine.text()
    functions = [emit_shuffle(), text]
    if "@reduce_large" in text:
        functions.append(reduce_large(routine))
    return routine.declarations, functions


class _Objective(BlockCode):
    def __init__(self, activation: str, output_activation: str, loss: str, real: Type) -> None:
        super().__init__(real)
        self._activation = activation
        self._output_activation = output_activation
        self._loss = LOSSES[loss]

    def text(self) -> str:
        """Return the function."""
        n_layers = self.number("n_layers")
        wants_gradient = Truth(self, self.new("icmp ne ptr %gradient, null"))
        order, n_rows = self._taken()
        is_drawn = Truth(self, self.new(f"icmp ne ptr {order}, null"))
        divisor = self.new(f"sitofp i64 {(n_rows * self.number('divided_by')).name} to {self.real}")
        self._factor = self.new(f"fdiv {self.real} {self._loss.gradient_factor!r}, {divisor}")
        errors = self.variable(self.zeros())
        first = self.whole_number(0)
        with self.loop(lambda: first < n_rows):
            begin = Whole(self, first.name)
            left = n_rows - begin
            n_valid = self.choose(left < BLOCK, left, BLOCK)
            self.open_block(n_valid)
            block = self._samples(begin, n_valid, order, is_drawn)
            self._forward(block, n_layers)
            last = Layer(self, n_layers - 1)
            errors.set(errors.get() + self._judge(last, block))
            self._copy_outputs(last, begin, n_valid)
            with self.when(wants_gradient):
                self._backward(block, n_layers, begin.equals(0), left <= BLOCK)
            first.set(begin + BLOCK)
        scaled = self.new(f"fmul {self.real} {errors.get().total()}, {self._loss.value_factor!r}")
        self.put(f"ret {self.real} {self.new(f'fdiv {self.real} {scaled}, {divisor}')}")
        return self.whole(f"@objective({PARAMETERS})", self.real, internal=True)

    def _taken(self) -> tuple[str, Whole]:
        """Return the address of the numbers of the samples to take, or null for all, and how many they are."""
        n_samples, batch = self.number("n_samples"), self.number("batch")
        order, n_rows = self.alloca("ptr"), self.whole_number(n_samples)
        given = self.header("order")
        self.put(f"store ptr {given}, ptr {order}")
        is_given = Truth(self, self.new(f"icmp ne ptr {given}, null"))
        with self.when(is_given):
            n_rows.set(self.field("%scratch", SCRATCH, "n_rows"))
        run, step = Whole(self, "%run"), Whole(self, "%step")
        with self.when(~is_given & (run >= 0) & (batch > 0)):
            per_epoch = (n_samples + batch - 1) // batch
            epoch, first = step // per_epoch, step % per_epoch * batch
            is_shuffled = self.field("%scratch", SCRATCH, "run").equals(run) & (
                self.field("%scratch", SCRATCH, "epoch").equals(epoch)
            )
            with self.when(~is_shuffled):
                given = f"ptr {self.header('shuffling')}, i64 {n_samples.name}, i64 {self.number('seed').name}"
                shuffled = self.new(f"call ptr @shuffle({given}, i64 %run, i64 {epoch.name})")
                for name, value in (
                    ("run", "i64 %run"),
                    ("epoch", f"i64 {epoch.name}"),
                    ("shuffled", f"ptr {shuffled}"),
                ):
                    self.put(f"store {value}, ptr {self.address('i64', '%scratch', SCRATCH.index(name))}")
            self.put(f"store ptr {self.address('i64', self.header('shuffled'), first)}, ptr {order}")
            left = n_samples - first
            n_rows.set(self.choose(left < batch, left, batch))
        return self.new(f"load ptr, ptr {order}"), Whole(self, n_rows.name)

    def _samples(self, begin: Whole, n_valid: Whole, order: str, is_drawn: Truth) -> str:
        """Return the address of a block of samples, which are collected where they are drawn."""
        n_inputs, n_outputs = self.number("n_inputs"), self.number("n_outputs")
        n_planes = n_inputs + n_outputs + 1
        gathered = self.address("i8", "%scratch", self.number("gathered"))
        with self.when(is_drawn), self.each(0, self.n_vectors * LANES) as s:
            is_sample = s < n_valid
            place = self.choose(is_sample, begin + s, begin)
            sample = Whole(self, self.new(f"load i64, ptr {self.address('i64', order, place)}"))
            row = self.address(self.real, self.header_of_problem("rows"), sample * (n_planes - 1))
            with self.each(0, n_planes - 1) as column:
                number = self.new(f"load {self.real}, ptr {self.address(self.real, row, column)}")
                kept = self.new(f"select i1 {is_sample.name}, {self.real} {number}, {self.real} 0.0")
                plane = self.choose(column < n_inputs, column, column + 1)
                self.put(f"store {self.real} {kept}, ptr {self.address(self.real, gathered, plane * BLOCK + s)}")
        laid_out = self.address(self.real, self.header_of_problem("blocks"), begin * n_planes)
        return self.new(f"select i1 {is_drawn.name}, ptr {gathered}, ptr {laid_out}")

    def _forward(self, block: str, n_layers: Whole) -> None:
        """Compute the net inputs of all layers and the outputs of the hidden ones."""
        incoming = self.alloca("ptr")
        self.put(f"store ptr {block}, ptr {incoming}")
        with self.each(0, n_layers) as number:
            layer = Layer(self, number)
            self._nets(layer, self.new(f"load ptr, ptr {incoming}"))
            with self.when(number < n_layers - 1):
                with self.each(0, layer.n_out) as node, self.each_vector() as vector:
                    output, slope = self._activated(self._activation, self.plane(layer.net, node, vector).load())
                    self.plane(layer.output, node, vector).store(output)
                    self.plane(layer.delta, node, vector).store(slope)
                self.clear_tail(layer.output, layer.n_out)
            self.put(f"store ptr {layer.output}, ptr {incoming}")

    def _nets(self, layer: Layer, incoming: str) -> None:
        def nodes(first: Whole, n: int) -> None:
            bias = layer.n_in * layer.n_out + first
            with self.each_vector() as vector:
                sums = [self.variable(self.spread(layer.matrix, bias + t)) for t in range(n)]
                with self.each(0, layer.n_in) as i:
                    given = self.plane(incoming, i, vector).load()
                    row = i * layer.n_out + first
                    for t, total in enumerate(sums):
                        total.set(given.fma(self.spread(layer.matrix, row + t), total.get()))
                for t, total in enumerate(sums):
                    self.plane(layer.net, first + t, vector).store(total.get())

        self.tiled(layer.n_out, _NODES, nodes)

    def _activated(self, name: str, net: Lanes) -> tuple[Lanes, Lanes]:
        """Return output and derivative, computed in double and rounded to the type of `net`."""
        output, slope = ACTIVATIONS[name].native(net.to("double"))
        return output.to(net.type), slope.to(net.type)

    def _judge(self, last: Layer, block: str) -> Lanes:
        """Compute outputs, δ and errors of the last layer; return the errors, added up by lane."""
        targets = self.address(self.real, block, (self.number("n_inputs") + 1) * BLOCK)
        total = self.variable(self.zeros())
        with self.each_vector() as vector:
            native = self._loss.native
            error = (
                self._softmax_error(last, targets, vector)
                if native is None
                else self._error(last, targets, vector, native)
            )
            total.set(total.get() + self.only_samples(error, vector))
        self.clear_tail(last.delta, last.n_out)
        return total.get()

    def _error(self, last: Layer, targets: str, vector: Whole, native: NativeTerm) -> Lanes:
        total = self.variable(self.zeros())
        with self.each(0, last.n_out) as node:
            net, target = (self.plane(base, node, vector).load() for base in (last.net, targets))
            output, slope = self._activated(self._output_activation, net)
            term, delta = native(net, output, slope, target)
            self.plane(last.output, node, vector).store(output)
            self.plane(last.delta, node, vector).store(delta)
            total.set(total.get() + term)
        return total.get()

    def _softmax_error(self, last: Layer, targets: str, vector: Whole) -> Lanes:
        largest = self.variable(self.plane(last.net, 0, vector).load())
        with self.each(1, last.n_out) as node:
            net = self.plane(last.net, node, vector).load()
            largest.set((net > largest.get()).choose(net, largest.get()))
        total, wanted = self.variable(self.zeros()), self.variable(self.zeros())
        with self.each(0, last.n_out) as node:
            below = self.plane(last.net, node, vector).load() - largest.get()
            power = exp(below.to("double")).to(self.real)
            self.plane(last.output, node, vector).store(power)
            total.set(total.get() + power)
            wanted.set(self.plane(targets, node, vector).load().fma(below, wanted.get()))
        with self.each(0, last.n_out) as node:
            output = self.plane(last.output, node, vector).load() / total.get()
            self.plane(last.output, node, vector).store(output)
            self.plane(last.delta, node, vector).store(output - self.plane(targets, node, vector).load())
        return log(total.get().to("double")).to(self.real) - wanted.get()

    def _copy_outputs(self, last: Layer, begin: Whole, n_valid: Whole) -> None:
        wanted = self.header("outputs")
        with self.when(Truth(self, self.new(f"icmp ne ptr {wanted}, null"))), self.each(0, n_valid) as s:
            row = self.address(self.real, wanted, (begin + s) * last.n_out)
            with self.each(0, last.n_out) as node:
                place = self.address(self.real, last.output, node * BLOCK + s)
                number = self.new(f"load {self.real}, ptr {place}")
                self.put(f"store {self.real} {number}, ptr {self.address(self.real, row, node)}")

    def _backward(self, block: str, n_layers: Whole, is_first: Truth, is_last: Truth) -> None:
        left = self.whole_number(n_layers)
        with self.loop(lambda: left > 0):
            number = Whole(self, (left - 1).name)
            layer, before = Layer(self, number), Layer(self, self.choose(number > 0, number - 1, 0))
            incoming = self.new(f"select i1 {(number > 0).name}, ptr {before.output}, ptr {block}")
            self._accumulate(layer, incoming, is_first, is_last)
            with self.when(number > 0):
                self._pass_back(layer, before)
                self.clear_tail(before.delta, before.n_out)
            left.set(number)

    def _accumulate(self, layer: Layer, incoming: str, is_first: Truth, is_last: Truth) -> None:
        """Add o_i δ_j of this block to the accumulators; from the last block they go into the gradient."""

        def rows(i: Whole, n_rows: int) -> None:
            def columns(j: Whole, n_columns: int) -> None:
                places = [
                    layer.weights + (i + t) * layer.n_out + (j + u) for t in range(n_rows) for u in range(n_columns)
                ]
                sums = [self.variable(self.zeros()) for _ in places]
                with self.when(~is_first):
                    for place, total in zip(places, sums, strict=True):
                        total.set(self.accumulator(place).load())
                with self.each_vector() as vector:
                    outputs = [self.plane(incoming, i + t, vector).load() for t in range(n_rows)]
                    deltas = [self.plane(layer.delta, j + u, vector).load() for u in range(n_columns)]
                    pairs = [(output, delta) for output in outputs for delta in deltas]
                    for total, (output, delta) in zip(sums, pairs, strict=True):
                        total.set(output.fma(delta, total.get()))
                with self.when(is_last):
                    for place, total in zip(places, sums, strict=True):
                        mean = self.new(f"fmul {self.real} {total.get().total()}, {self._factor}")
                        self.put(f"store {self.real} {mean}, ptr {self.address(self.real, '%gradient', place)}")
                with self.when(~is_last):
                    for place, total in zip(places, sums, strict=True):
                        self.accumulator(place).store(total.get())

            self.tiled(layer.n_out, _NODES, columns)

        self.tiled(layer.n_in + 1, _ROWS, rows)

    def _pass_back(self, layer: Layer, before: Layer) -> None:
        """Put δ of the layer before in the place of its derivatives."""

        def nodes(first: Whole, n: int) -> None:
            with self.each_vector() as vector:
                sums = [self.variable(self.zeros()) for _ in range(n)]
                with self.each(0, layer.n_out) as j:
                    delta = self.plane(layer.delta, j, vector).load()
                    for t, total in enumerate(sums):
                        weight = self.spread(layer.matrix, (first + t) * layer.n_out + j)
                        total.set(delta.fma(weight, total.get()))
                for t, total in enumerate(sums):
                    place = self.plane(before.delta, first + t, vector)
                    place.store(place.load() * total.get())

        self.tiled(layer.n_in, _NODES, nodes)
