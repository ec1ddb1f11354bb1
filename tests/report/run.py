#!/usr/bin/python3
"""The report's page: unit tests of its modules, and the page itself in a browser.

    run.py <landscape> <the build's apps/landscape/report> [--screenshots FOLDER [--times]] [--only unit|browser]
        [--short]

--screenshots leaves pictures of the page there, in three sizes and both themes; --times measures it too.
--short opens the page for some of its tests: what a push sees.

Exit status 77: skipped, where the page was not built, or there is no chromium or h5py.
"""

import argparse
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SKIPPED = 77


def skip(why):
    print(f"SKIPPED: {why}")
    sys.exit(SKIPPED)


def unit_tests(packages, folder):
    """Compiles *.test.ts, and runs them in Node."""
    modules = os.path.join(packages, "node_modules")
    tests = sorted(glob.glob(os.path.join(HERE, "*.test.ts")))
    options = ["--strict", "--noEmit", "--skipLibCheck", "--target", "es2022", "--module", "esnext",
               "--moduleResolution", "bundler", "--allowImportingTsExtensions", "--lib",
               "es2022,dom,dom.iterable", "--types", "node", "--typeRoots",
               os.path.join(modules, "@types")]
    subprocess.run(["node", os.path.join(modules, "typescript", "bin", "tsc"), *options, *tests],
                   check=True)
    subprocess.run(["node", os.path.join(modules, "esbuild", "bin", "esbuild"), *tests, "--bundle",
                    "--format=esm", "--platform=node", f"--outdir={folder}",
                    "--out-extension:.js=.mjs", "--log-level=warning"], check=True)
    subprocess.run(["node", "--test", *glob.glob(os.path.join(folder, "*.test.mjs"))], check=True, cwd=HERE)


def expected_values(path):
    """A surface as the browser's test should find it on the page: rows of every plane."""
    import h5py
    with h5py.File(path) as file:
        planes = {name: file[name][()].astype(float).tolist()
                  for name in ("train_loss", "train_acc", "train_loss_se", "done")}
        return {"x": file["xcoordinates"][()].tolist(), "y": file["ycoordinates"][()].tolist(),
                **planes}


def on_one_plane(folder, names):
    """Copies surfaces into film/, as surfaces of one plane, which a film is of."""
    import h5py
    os.mkdir(os.path.join(folder, "film"))
    for name in names:
        copy = shutil.copy(os.path.join(folder, name), os.path.join(folder, "film", name))
        with h5py.File(copy, "r+") as file:
            file.attrs["direction_hash"] = "one"
    return names


def make_reports(landscape, folder, times):
    """The pages that the browser opens, and what they should show."""
    for name, points in (("small", 51), *([("large", 251)] if times else [])):
        subprocess.run([sys.executable, os.path.join(HERE, "make_results.py"),
                        os.path.join(folder, name), str(points)], check=True)
    surfaces = ["surface.h5", "ragged.h5", "pit.h5", "steep.h5"]
    rest = ["surface_hessian.h5", "trajectory.h5", "line.h5", "paths.h5", "a_sharpness.h5",
            "b_sharpness.h5", "curvature.h5", "coherence.h5", "run/log.csv"]

    def report(name, cwd, files, *flags):
        page = os.path.join(folder, name)
        subprocess.run([landscape, "report", *files, "-o", page, *flags], check=True,
                       cwd=os.path.join(folder, cwd))
        print(f"{name}: {os.path.getsize(page) / 1e6:.2f} MB")

    report("all.html", "small", surfaces + rest)
    report("four.html", "small", surfaces)
    if times:
        report("large.html", "large", surfaces)
    many = sorted(glob.glob(os.path.join(folder, "small", "many", "runs", "*", "*")))
    report("many.html", "small/many", [os.path.relpath(path, os.path.join(folder, "small", "many")) for path in many])
    report("log.html", "small", ["run/log.csv"])
    report("other.html", "small", ["gap.json"])
    report("ratio.html", "small", ["surface.h5", "surface_hessian.h5"], "--plane", "lambda_ratio",
           "--title", "A & B </script><script>document.title = 'broken'</script>")
    frames = on_one_plane(os.path.join(folder, "small"), ["surface.h5", "ragged.h5", "pit.h5"])
    subprocess.run([landscape, "animate", *frames, "--kind", "heat", "--seconds", "0.05", "-o",
                    os.path.join(folder, "film.html")], check=True, cwd=os.path.join(folder, "small", "film"))
    expected = {name: expected_values(os.path.join(folder, "small", name + ".h5"))
                for name in ("surface", "ragged")}
    # Python's JSON has NaN and Infinity, JavaScript's has not.
    text = json.dumps(expected).replace("NaN", "null").replace("Infinity", "1e999")
    with open(os.path.join(folder, "expected.json"), "w") as file:
        file.write(text)


def browser_tests(landscape, packages, folder, chromium, screenshots, times, short):
    make_reports(landscape, folder, times)
    if screenshots:
        os.makedirs(screenshots, exist_ok=True)
    subprocess.run(["node", os.path.join(HERE, "browser.mjs"), packages, chromium, folder,
                    *([os.path.abspath(screenshots)] if screenshots else []), *(["--times"] if times else []),
                    *(["--short"] if short else [])], check=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("landscape")
    parser.add_argument("packages")
    parser.add_argument("--screenshots", default=os.environ.get("TOPOGRAD_SCREENSHOTS"))
    parser.add_argument("--times", action="store_true")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--only", choices=["unit", "browser"])
    arguments = parser.parse_args()
    if arguments.times and not arguments.screenshots:
        parser.error("--times needs --screenshots FOLDER")
    packages = os.path.abspath(arguments.packages)
    said = subprocess.run([arguments.landscape, "report"], capture_output=True, text=True).stderr
    if "built without the report's page" in said:
        skip("the report's page was not built: nodejs and npm are missing")
    with tempfile.TemporaryDirectory(prefix="topograd_report_") as folder:
        if arguments.only != "browser":
            unit_tests(packages, folder)
        if arguments.only == "unit":
            return
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        if not chromium:
            skip("no chromium here to open the page with (the unit tests passed)")
        try:
            import h5py  # noqa: F401
        except ImportError:
            skip("no python3-h5py here to make results with (the unit tests passed)")
        browser_tests(os.path.abspath(arguments.landscape), packages, folder, chromium, arguments.screenshots,
                      arguments.times, arguments.short)


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"FAILED: {' '.join(map(str, error.cmd))[:200]}")
