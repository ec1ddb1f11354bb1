#!/usr/bin/python3
"""Writes one small file of every kind of result, with numbers that are made up and look real.

    make_results.py FOLDER [points along an axis]
"""

import json
import os
import sys

import h5py
import numpy as np


def write(path, datasets, attributes):
    with h5py.File(path, "w") as file:
        for name, value in datasets.items():
            file[name] = value
        for name, value in attributes.items():
            file.attrs[name] = np.bytes_(value)


def provenance(name, **more):
    return {"model_name": name, "model_hash": "m-" + name, "data_hash": "d", "loss": "cross_entropy",
            "images": "1000", "data": "train", "bn_mode": "frozen", "precision": "f32",
            "direction_hash": "p-" + name, "version": "0.1.0", "command": f"landscape of {name}",
            **more}


def basin(x, y):
    """A wide valley, a little skewed."""
    return 0.04 + 2.2 * (x + 0.25 * y) ** 2 + 3.0 * y ** 2 + 1.6 * (x * x + y * y) ** 2


def ragged(x, y):
    """A narrow pit in a plain of hills."""
    r2 = x * x + y * y
    hills = (1.3 * np.sin(5.1 * x + 1.2) * np.cos(4.3 * y) + 0.8 * np.sin(9.7 * x * y + 3 * y)
             + 0.5 * np.cos(11 * x) * np.sin(8 * y + 1))
    return 0.12 + (1 - np.exp(-14 * r2)) * (3.6 + hills + 5.5 * r2)


def pit(x, y):
    """Two minima with a ridge between them."""
    return 0.08 + 2.4 * ((x * x - 0.35) ** 2) * 4 + 3.5 * y ** 2 + 0.35 * (x + 0.6) ** 2


def steep(x, y):
    """Values over many powers of ten."""
    return np.exp(4.5 * np.sqrt(x * x + 0.6 * y * y) - 2.5) - 0.05


def surface(path, name, function, points, holes=False, **more):
    axis = np.linspace(-1, 1, points)
    y, x = np.meshgrid(axis, axis, indexing="ij")
    loss = function(x, y)
    done = np.ones(loss.shape, np.uint8)
    if holes:
        loss[points // 6, points // 5] = np.nan
        loss[points // 6, points // 5 + 1] = np.inf
        done[-points // 8:, :points // 5] = 0
    planes = {"train_loss": loss, "train_acc": 100 * np.exp(-0.35 * loss),
              "train_loss_se": 0.015 * loss + 0.002}
    for values in planes.values():
        values[done == 0] = -1
    write(path, {"xcoordinates": axis, "ycoordinates": axis, "done": done, "dir_file": "", **planes},
          provenance(name, **more))


def curvature_map(path, name, points):
    axis = np.linspace(-1, 1, points)
    y, x = np.meshgrid(axis, axis, indexing="ij")
    largest = 12 + 40 * (x * x + y * y)
    smallest = -0.4 - 9 * np.abs(np.sin(3 * x) * y)
    write(path, {"xcoordinates": axis, "ycoordinates": axis, "done": np.ones(x.shape, np.uint8),
                 "lambda_max": largest, "lambda_min": smallest,
                 "lambda_ratio": np.abs(smallest / largest),
                 "gradient_norm": 0.1 + np.hypot(2 * x, 3 * y), "curvature_loss": basin(x, y)},
          provenance(name, over="surface.h5", curvature="hessian"))


def line(path):
    x = np.linspace(0, 1, 41)
    train = 0.05 + 1.9 * np.exp(-((x - 0.47) / 0.2) ** 2)
    write(path, {"xcoordinates": x, "done": np.ones(41, np.uint8), "train_loss": train,
                 "train_loss_se": 0.03 + 0.05 * train, "train_acc": 100 * np.exp(-0.7 * train),
                 "test_loss": train + 0.4, "test_loss_se": 0.05 + 0.05 * train,
                 "test_acc": 92 * np.exp(-0.7 * train), "dir_file": ""},
          provenance("resnet20 (option A)", train_loss_barrier="1.89 at 0.475"))


def trajectory(path, name):
    n = 12
    e = np.arange(n)
    fade = np.exp(-e / 3.0)
    x, y = 0.9 * fade * np.cos(e / 2.2), 0.75 * fade * np.sin(e / 2.2 + 0.6)
    x, y = x - x[-1], y - y[-1]
    own = 0.04 + 2.1 * np.exp(-e / 2.1)
    data = {"epoch": e.astype(float), "proj_xcoord": x, "proj_ycoord": y,
            "distance": 6 * fade, "length": np.hypot(np.hypot(x, y), 6 * fade),
            "variance_in_plane": 0.83, "explained_variance_ratio_": np.array([0.64, 0.19, 0.08, 0.04]),
            "random_walk_variance_ratio": np.array([0.61, 0.15, 0.07, 0.04]),
            "train_loss": own, "train_loss_se": 0.05 * own, "train_acc": 100 * np.exp(-own),
            "projected_train_loss": basin(x, y), "projected_train_loss_se": 0.05 * own,
            "projected_train_acc": 100 * np.exp(-basin(x, y)),
            "done": np.ones(n, np.uint8), "projected_done": np.ones(n, np.uint8)}
    write(path, data, provenance(name, checkpoints="epoch_0"))


def curvature(path):
    at = np.linspace(-3, 42, 200)
    density = np.exp(-(at / 0.9) ** 2) + 0.004 * np.exp(-((at - 21) / 1.2) ** 2)
    density += 0.002 * np.exp(-((at - 36) / 0.8) ** 2)
    largest = np.array([36.2, 21.4, 20.3, 9.1, 6.6])
    write(path, {"loss": 0.21, "gradient_norm": 0.034, "largest/values": largest,
                 "largest/residuals": 0.01 * largest, "smallest/values": np.array([-1.9, -1.1, -0.7]),
                 "smallest/residuals": np.array([0.05, 0.06, 0.08]), "trace/value": 613.0,
                 "trace/standard_error": 21.0, "trace/products": 120.0, "density/sigma": 0.3,
                 "density/at": at, "density/density": density, "density/standard_error": 0.2 * density},
          provenance("resnet20 (option A)", curvature="hessian", parameters="all"))


def sharpness(path, name, factor, rescaled=False, **more):
    values = {"loss": (0.031, np.nan, ""), "test_error": (8.31, 0.27, ""),
              "keskar": (13.9 * factor, np.nan, "epsilon 0.0005, 10 steps"),
              "sam": (0.074 * factor, np.nan, "rho 0.05, 1 step"),
              "asam": (0.41 * factor, np.nan, "rho 0.5, 1 step"),
              "expected_sharpness": (0.052 * factor, 0.0041, "sigma 0.1, 20 directions"),
              "pac_bayes_sigma": (0.0113 / factor, 0.0006, "target 10, 10 directions"),
              "mean_curvature": (11.2 * factor, 0.9, "20 directions"),
              "lambda_max": (31.7 * factor, 0.02, "tolerance 0.001"),
              "trace": (np.inf if factor > 2 else 580.0 * factor, 17.0, "120 products")}
    data = {}

    def put(group, scale):
        for measure, (value, error, settings) in values.items():
            data[f"{group}{measure}/value"] = value * (scale if measure == "sam" else 1)
            data[f"{group}{measure}/standard_error"] = error
            data[f"{group}{measure}/unit"] = np.bytes_("unit")
            data[f"{group}{measure}/settings"] = np.bytes_(settings or "1000 images")

    put("", 1)
    if rescaled:
        put("rescaled/", 3)
        alpha = np.linspace(-1, 1, 21)
        data.update({"rescaled/description": np.bytes_("every second layer by 10"),
                     "rescaled/largest_logit": 18.2, "rescaled/largest_logit_difference": 3e-5,
                     "rescaled/slices/filter/alpha": alpha,
                     "rescaled/slices/filter/before": basin(alpha, 0),
                     "rescaled/slices/filter/after": basin(alpha, 0)})
    write(path, data, {**provenance(name, **more), "format": "topograd-sharpness-1"})


QUANTITIES = ("gradient_norm", "batch_gradient_norm", "cosine", "cosine_se", "cosine_min",
              "inner_product_min", "snr", "snr_se", "noise_scale")


def coherence(path):
    rows, layers = 4, 8
    random = np.random.default_rng(3)
    data = {"epoch": np.arange(rows, dtype=float), "loss": np.linspace(2, 0.4, rows),
            "accuracy": np.linspace(20, 88, rows)}
    for quantity in QUANTITIES:
        data[quantity] = 0.02 + 0.4 * random.random(rows)
    data["noise_scale"][0] = np.inf
    for k in range(rows):
        data.update({f"model{k}/name": np.bytes_("resnet20"), f"model{k}/file": np.bytes_(f"e{k}"),
                     f"model{k}/model_hash": np.bytes_("h"), f"model{k}/data_hash": np.bytes_("d"),
                     f"model{k}/gram": np.eye(3),
                     f"model{k}/layers/names": np.bytes_("".join(f"layer{i}\n" for i in range(layers)))})
        for quantity in QUANTITIES:
            data[f"model{k}/layers/{quantity}"] = 0.05 + 0.3 * random.random(layers)
    write(path, data, provenance("resnet20", batches="3"))


def paths(path):
    t = np.linspace(0, 1, 21)
    bump = np.exp(-((t - 0.5) / 0.18) ** 2)
    data = {"t": t, "alignment/product_before": 1.0, "alignment/product_after": 7.5}
    for name, height in (("line/states", 2.2), ("aligned/recompute", 0.5), ("curve/recompute", 0.06)):
        loss = 0.1 + height * bump
        for key, value in (("train_loss", loss), ("train_loss_se", 0.02 + 0.05 * loss),
                           ("train_acc", 100 * np.exp(-loss))):
            data[f"paths/{name}/{key}"] = value
        data[f"paths/{name}/done"] = np.ones(21, np.uint8)
    write(path, data, provenance("resnet20", to_model_hash="b"))


def record(path):
    """A result of a kind that nothing knows, as JSON."""
    n = 9
    at = np.linspace(-1, 1, n)
    grid = np.add.outer(at ** 2, at)
    arrays = {"note": {"type": "text", "values": "nobody has measured this"},
              "gap": {"unit": "1/|theta|", "error": "gap_error", "values": 0.125},
              "gap_error": {"values": 0.03},
              "at": {"axes": ["at"], "values": at.tolist()},
              "width": {"axes": ["at"], "error": "width_error", "values": (1 + at ** 2).tolist()},
              "width_error": {"axes": ["at"], "values": [0.1] * n},
              "share": {"axes": ["at"], "unit": "%", "style": "dashed",
                        "values": [None, "infinity"] + (50 + 40 * at[2:]).tolist()},
              "done": {"type": "mask", "axes": ["at"], "values": [True] * n},
              "layer": {"type": "text", "axes": ["layer"], "values": ["conv1", "fc"]},
              "per_layer": {"axes": ["layer"], "values": [3, 4]},
              "v": {"axes": ["v"], "values": at.tolist()},
              "height": {"axes": ["v", "at"], "values": grid.tolist()}}
    with open(path, "w") as file:
        json.dump({"format": "topograd-record-1", "kind": "spectral_gap", "title": "a made-up result",
                   "provenance": {"command": "nothing"}, "table": ["at"], "arrays": arrays}, file,
                  separators=(",", ":"))


def log(path, more=0.0):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write("epoch,learning_rate,train_loss,train_accuracy,test_loss,test_accuracy,"
                   "images_per_second,seconds,gradient_norm,weight_norm\n")
        for e in range(1, 31):
            rate = 0.05 * (1 + np.cos(np.pi * e / 30))
            loss = 0.06 + more + 1.9 * np.exp(-e / 6)
            file.write(f"{e},{rate:.5f},{loss:.5f},{100 * np.exp(-loss / 2):.3f},{loss + 0.25:.5f},"
                       f"{92 * np.exp(-loss / 2):.3f},700,80,{0.4 + loss:.4f},{42 - e / 5:.4f}\n")


NETWORKS = 24
HOSTILE = "<img src=x onerror=document.title=1>&\"'"


def many(folder, points):
    """Thirty surfaces of 24 networks, whose losses have little in common, a sharpness and a log of each."""
    shapes = [basin, ragged, pit, steep]
    for k in range(NETWORKS):
        run = f"runs/cifar_{k}"
        where = os.path.join(folder, run)
        os.makedirs(where, exist_ok=True)
        shape, factor = shapes[k % 4], 10.0 ** (k % 6 - 3)
        name = HOSTILE if k == 1 else "resnet8 (option B, width 8)"
        own = {"model_hash": f"hash-{k}", "model_file": f"{run}/model.safetensors",
               "x_direction": "filter-normalised random direction",
               "y_direction": "filter-normalised random direction"}
        scaled = lambda x, y: factor * shape(x, y) + 0.3
        surface(os.path.join(where, "surface.h5"), name, scaled, points, holes=k == 2,
                direction_hash=f"random-{k}", **own)
        if k < 6:
            surface(os.path.join(where, "plane.h5"), name, scaled, points, **{
                **own, "direction_hash": f"towards-{k}", "x_direction": "towards another network",
                "networks": f"cifar_{k} 0 0\ncifar_{k + 1} 1 0\n"})
        sharpness(os.path.join(where, "sharpness.h5"), name, 1 + k, **own)
        log(os.path.join(where, "log.csv"), 0.02 * k)


def main(folder, points):
    os.makedirs(folder, exist_ok=True)
    at = lambda name: os.path.join(folder, name)
    surface(at("surface.h5"), "ResNet-20", basin, points)
    surface(at("ragged.h5"), "ResNet-56 without shortcuts", ragged, points, holes=True)
    surface(at("pit.h5"), "VGG-9", pit, points, networks="A -0.591608 0\nB 0.591608 0\n")
    surface(at("steep.h5"), "DenseNet-40", steep, points)
    curvature_map(at("surface_hessian.h5"), "ResNet-20", points)
    line(at("line.h5"))
    trajectory(at("trajectory.h5"), "ResNet-20")
    curvature(at("curvature.h5"))
    sharpness(at("a_sharpness.h5"), "ResNet-20", 1, rescaled=True)
    sharpness(at("b_sharpness.h5"), "ResNet-56 without shortcuts", 3.1)
    coherence(at("coherence.h5"))
    paths(at("paths.h5"))
    record(at("gap.json"))
    log(at("run/log.csv"))
    many(at("many"), points)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 51)
