#!/usr/bin/python3
"""How often the intervals that Topograd states hold the truth: simulated over the losses of all images of published networks.

    ninja -C build/release image_losses
    build/release/tests/image_losses NETWORK.safetensors cifar10 losses/NETWORK 1 0 0.25 0.5
    tests/published/simulate_coverage.py losses cifar10 NETWORK...

image_losses writes every image's loss at points along a random, filter-normalised direction. Of these the truth is known:
the mean over all of them. Samples are drawn as the programs draw them (the first images of a stratified order, of independent
ones without --stratified), and treated as they treat them: mean, standard error, the stages of --target-se and where they end.
A row says for a network, a split, a point and a way of sampling: the bias of the mean as a share of the standard error asked
for (or stated), and in how many of 100 runs mean +- 1.96 standard errors holds the truth; of errors, Wilson's interval.

Populations: `set`, samples without replacement of the split, with the correction for finite populations; `kind`, images with
replacement, as if the split were endless, without it; `uncorrected`, a sample of the split without the correction.
Needs python3-numpy. docs/results/trust.md has what it printed.
"""
import argparse
import os

import numpy as np

Z = 1.96
FIRST, SETTLED = 2048, 2  # as landscape/evaluation/image_stages.h


def read_labels(folder, split):
    files = [f"data_batch_{i}.bin" for i in range(1, 6)] if split == "train" else ["test_batch.bin"]
    return np.concatenate([np.fromfile(os.path.join(folder, f), np.uint8).reshape(-1, 3073)[:, 0]
                           for f in files])


class Orders:
    """Random orders of images: stratified, each class's images spread evenly; or all alike."""

    def __init__(self, labels, rng):
        self.rng, self.count = rng, len(labels)
        self.classes = [np.flatnonzero(labels == c) for c in np.unique(labels)]

    def independent(self):
        return self.rng.permutation(self.count)

    def stratified(self):
        keys = np.empty(self.count)
        for members in self.classes:
            keys[self.rng.permutation(members)] = (np.arange(len(members)) + 0.5) / len(members)
        # Images of equal keys, one of each class, come in random order.
        return np.argsort(keys + 1e-9 * self.rng.random(self.count))

    def with_replacement(self):
        return self.rng.integers(0, self.count, self.count)


def moments(values, ends):
    """Mean and standard error, of an endless population, of the first `ends` values."""
    sums = np.cumsum(values)[ends - 1]
    squares = np.cumsum(values * values)[ends - 1]
    variance = np.maximum(squares - sums * sums / ends, 0) / (ends - 1)
    return sums / ends, np.sqrt(variance / ends)


def correction(n, population):
    return np.sqrt(np.maximum(1 - n / population, 0)) if population else np.ones(np.shape(n))


def stage_ends(first, count):
    ends = []
    while not ends or ends[-1] < count:
        ends.append(min(first * 2 ** len(ends), count))
    return np.array(ends)


def stop(errors, target, settled):
    """The stage at which --target-se ends: the target met so many times one after the other, or all images."""
    met = 0
    for stage, error in enumerate(errors):
        met = met + 1 if error <= target else 0
        if met == settled:
            return stage
    return len(errors) - 1


def wilson(wrong, n, population):
    z = Z * (np.sqrt(max(population - n, 0) / (population - 1)) if population else 1)
    share, z2 = wrong / n, z * z
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = z / (1 + z2 / n) * np.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return centre - half - 1e-12, centre + half + 1e-12


class Tally:
    def __init__(self):
        self.deviations, self.held, self.images = [], 0, []

    def add(self, mean, error, truth, scale, n):
        self.deviations.append((mean - truth) / scale if scale else 0.0)
        self.held += bool(abs(mean - truth) <= Z * error + 1e-12 * abs(truth))
        self.images.append(n)

    def result(self):
        runs = len(self.images)
        return np.mean(self.deviations), 100 * self.held / runs, np.mean(self.images)


POPULATIONS = {"set": ("without", True), "uncorrected": ("without", False), "kind": ("with", False)}


class Samples:
    """One point's losses, sampled again and again; what each population's intervals hold."""

    def __init__(self, losses, wrong, sizes, needs, rules):
        self.losses, self.wrong, self.rules = losses, wrong, rules
        self.sizes = np.array(sizes)
        self.targets = [losses.std() / np.sqrt(need) for need in needs]
        self.fixed = {(population, n): Tally() for population in POPULATIONS for n in sizes}
        self.held = dict.fromkeys(self.fixed, 0)
        self.stopped = {(population, rule, target): Tally() for population in POPULATIONS
                        for rule in rules for target in self.targets}

    def add(self, order, drawn):
        values, wrongs = self.losses[order], np.cumsum(self.wrong[order])
        truth, rate, count = self.losses.mean(), self.wrong.mean(), len(self.losses)
        fixed = moments(values, self.sizes)
        stages = {rule: (stage_ends(rule[0], count), *moments(values, stage_ends(rule[0], count)))
                  for rule in self.rules}
        for population, (how, corrected) in POPULATIONS.items():
            if how != drawn:
                continue
            endless = count if corrected else 0
            for n, mean, error in zip(self.sizes, fixed[0],
                                      fixed[1] * correction(self.sizes, endless)):
                self.fixed[population, n].add(mean, error, truth,
                                              self.losses.std() / np.sqrt(n), n)
                low, high = wilson(wrongs[n - 1], n, endless)
                self.held[population, n] += bool(low <= rate <= high)
            for rule, (ends, means, errors) in stages.items():
                errors = errors * correction(ends, endless)
                for target in self.targets:
                    k = stop(errors, target, rule[1])
                    self.stopped[population, rule, target].add(means[k], errors[k], truth, target,
                                                               ends[k])


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("losses")
    parser.add_argument("data")
    parser.add_argument("networks", nargs="+")
    parser.add_argument("--points", nargs="+", default=["0", "0.25", "0.5"])
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--sizes", nargs="+", type=int, default=[500, 2000, 8000])
    parser.add_argument("--needs", nargs="+", type=int, default=[500, 2000, 8000],
                        help="images after which the targets of --target-se would be met, did all "
                             "samples have the true deviation")
    parser.add_argument("--independent", action="store_true", help="not stratified")
    parser.add_argument("--compare-rules", action="store_true",
                        help="several first stages, and settling at once or after one stage more")
    parser.add_argument("--markdown", action="store_true", help="a row a point")
    arguments = parser.parse_args()
    rules = [(FIRST, SETTLED)]
    if arguments.compare_rules:
        rules = [(first, settled) for settled in (1, 2) for first in (256, 1024, 2048, 4096)]
    rng = np.random.default_rng(1)
    rows = []
    for network in arguments.networks:
        for split in ("train", "test"):
            labels = read_labels(arguments.data, split)
            shape = (len(arguments.points), len(labels))
            base = os.path.join(arguments.losses, f"{network}_{split}")
            all_losses = np.fromfile(base + ".f32", np.float32).reshape(shape).astype(np.float64)
            all_wrong = 1 - np.fromfile(base + ".u8", np.uint8).reshape(shape).astype(np.int64)
            orders = Orders(labels, rng)
            without = orders.independent if arguments.independent else orders.stratified
            for point, losses, wrong in zip(arguments.points, all_losses, all_wrong):
                samples = Samples(losses, wrong, arguments.sizes, arguments.needs, rules)
                for _ in range(arguments.runs):
                    samples.add(without(), "without")
                    samples.add(orders.with_replacement(), "with")
                where = (network, split, point, f"{losses.mean():.3g}", f"{np.median(losses):.1g}")
                for (population, n), tally in samples.fixed.items():
                    rows.append((*where, population, f"{n} images", *tally.result(),
                                 100 * samples.held[population, n] / arguments.runs))
                for (population, rule, target), tally in samples.stopped.items():
                    what = f"--target-se {target:.2g}" + (
                        f" from {rule[0]}, met {rule[1]}x" if arguments.compare_rules else "")
                    rows.append((*where, population, what, *tally.result(), None))
    print_table(rows, arguments.markdown)


HEADS = ["network", "split", "alpha", "mean loss", "median", "population", "sample", "bias", "coverage",
         "images", "error's"]


def print_table(rows, markdown):
    """All rows; or, as Markdown, a row a point: the populations' coverage, with --target-se the set's bias."""
    if not markdown:
        print("  ".join(HEADS))
        for *words, bias, coverage, images, held in rows:
            print("  ".join([*words, f"{bias:+.2f}", f"{coverage:.1f}", f"{images:.0f}",
                             "" if held is None else f"{held:.1f}"]))
        return
    points, samples = {}, []
    for *where, population, sample, bias, coverage, _, held in rows:
        point = points.setdefault(tuple(where), {})
        targets = sum(of == population and what.startswith("target") for of, what in point)
        what = f"target {targets + 1}" if sample.startswith("--target") else sample
        if what not in samples:
            samples.append(what)
        point[population, what] = (coverage, bias)
    print("| " + " | ".join([*HEADS[:5], *samples]) + " |\n" + "|---" * (5 + len(samples)) + "|")
    for where, point in points.items():
        cells = []
        for what in samples:
            cells.append(" ".join(f"{point[of, what][0]:.0f}" for of in POPULATIONS))
            if what.startswith("target"):
                cells[-1] += f" ({point['set', what][1]:+.2f})"
        print("| " + " | ".join([*where, *cells]) + " |")


if __name__ == "__main__":
    main()
