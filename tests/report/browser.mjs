// The report's page in a browser, and a film's: what it shows, what its controls do.
//
//   node browser.mjs <folder of node_modules> <chromium> <folder of run.py's reports> [<folder for pictures> [--times]]
//
// With a folder, pictures of three sizes and both themes are left there to be looked at; with --times, it is measured
// how long pages take.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [packages, executablePath, folder, screenshots = "", timed] = process.argv.slice(2);
const { chromium } = createRequire(join(packages, "package.json"))("playwright-core");
const expected = JSON.parse(readFileSync(join(folder, "expected.json"), "utf8"));

const FLAGS = [
  "--no-sandbox", "--disable-background-networking", "--no-first-run", "--disable-component-update",
  "--disable-sync",
];
const SOFTWARE_GL = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"];
const SIZES = [[1440, 900], [820, 1180], [390, 844]];

/** A page of a report, which fails the test that uses it by any error or request. */
async function open(browser, name, options = {}) {
  const page = await browser.newPage({ viewport: { width: 1440, height: 1700 }, ...options });
  const complaints = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
  page.on("request", (request) => {
    if (!/^(file|data|blob):/.test(request.url())) complaints.push(`request: ${request.url()}`);
  });
  await page.goto(pathToFileURL(join(folder, name)).href);
  await settle(page);
  return { page, close: async () => (await page.close(), assert.deepEqual(complaints, [])) };
}

/** Until what was asked for has been drawn. */
async function settle(page) {
  await page.evaluate(async () => {
    // What has come near the window is noticed in one frame and drawn in the next.
    for (let i = 0; i < 3; ++i) await new Promise((done) => requestAnimationFrame(done));
  });
}

const surfaces = (page) => page.locator(".surface canvas");

/** A picture as a number, another one where any pixel differs; and how many colours it has. */
async function look(page, locator) {
  await settle(page);
  // Until pictures are fine again, after something moved.
  await page.waitForFunction(() => !document.querySelector('[aria-busy="true"]'));
  await settle(page);
  return await locator.evaluate((canvas) => {
    // Of a copy: reading a canvas itself makes it slow from then on, and Chromium says so.
    const copy = new OffscreenCanvas(canvas.width, canvas.height);
    const context = copy.getContext("2d", { willReadFrequently: true });
    context.drawImage(canvas, 0, 0);
    const pixels = new Uint32Array(context.getImageData(0, 0, canvas.width, canvas.height).data.buffer);
    let hash = 0;
    for (const pixel of pixels) hash = (Math.imul(hash, 31) + pixel) | 0;
    return { hash, colours: new Set(pixels).size };
  });
}
const fingerprint = async (page, locator) => (await look(page, locator)).hash;

/** Does something, and says whether each surface's picture has changed by it. */
async function changes(page, act) {
  const all = await surfaces(page).all();
  const before = [];
  for (const canvas of all) before.push(await fingerprint(page, canvas));
  await act();
  const changed = [];
  for (const [i, canvas] of all.entries()) changed.push((await fingerprint(page, canvas)) !== before[i]);
  return changed;
}

const every = [true, true, true, true];
const control = (page, name) => page.locator(`[data-control="${name}"]`);
const choice = (page, value) => page.locator(`[data-choice="${value}"]`).first();
const press = (page, key) => page.keyboard.press(key);

async function slide(page, name, value) {
  await control(page, name).first().evaluate((input, to) => {
    input.value = String(to);
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }, value);
}

/** Where a grid point lies on a contour picture: between the frame's edges, which are drawn. */
async function gridPlace(canvas, data, ix, iy) {
  const { width, height } = await canvas.boundingBox();
  const side = Math.min(width - 54 - 16, height - 14 - 46);
  const left = 54 + (width - 70 - side) / 2;
  const top = 14 + (height - 60 - side) / 2;
  return {
    x: left + (side * ix) / (data.x.length - 1),
    y: top + side * (1 - iy / (data.y.length - 1)),
  };
}

async function readout(card) {
  return Object.fromEntries(
    await card.locator(".readout [data-value]").evaluateAll((entries) =>
      entries.map((entry) => [entry.dataset.value, entry.querySelector("dd").textContent])));
}

/** A shown number, and its error where it has one. */
function numbersIn(text) {
  return text.replaceAll("−", "-").split(" ± ").map(Number);
}

function assertNear(text, value, error = null) {
  const [shown, shownError] = numbersIn(text);
  assert.ok(Math.abs(shown - value) <= 6e-3 * Math.abs(value) + 1e-9, `${text} is not ${value}`);
  if (error !== null) assert.ok(Math.abs(shownError - error) <= 0.05 * error, `${text}: error ${error}`);
}

async function downloaded(page, act) {
  const [download] = await Promise.all([page.waitForEvent("download"), act()]);
  return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
}

const tests = {
  async "every surface is drawn, every section is there"(browser) {
    const { page, close } = await open(browser, "all.html");
    for (const canvas of await surfaces(page).all()) {
      const { colours } = await look(page, canvas);
      assert.ok(colours > 1000, `${colours} colours`);
    }
    const ids = await page.locator("section").evaluateAll((all) => all.map(({ id }) => id));
    assert.deepEqual(ids, ["surfaces", "lines", "paths", "trajectories", "sharpness", "curvature",
      "coherence", "training", "provenance"]);
    await close();
  },

  async "height, colour and scale"(browser) {
    const { page, close } = await open(browser, "all.html");
    assert.deepEqual(await changes(page, () => choice(page, "linear").click()), every);
    assert.deepEqual(await changes(page, () => choice(page, "log").click()), every);
    const output = page.locator("output").nth(1);
    const before = await output.textContent();
    assert.deepEqual(await changes(page, () => slide(page, "clip-high", 600)), every);
    assert.notEqual(await output.textContent(), before);
    assert.deepEqual(await changes(page, () => slide(page, "clip-low", 300)), every);
    // Past each other they cannot go.
    await slide(page, "clip-low", 900);
    assert.equal(await control(page, "clip-low").first().inputValue(), "599");
    assert.equal(await page.locator('[data-scale="colour scale"]').isVisible(), false);
    const [first, ...rest] = await changes(page, () => control(page, "colour").selectOption("lambda_ratio"));
    assert.ok(first, "the map's own surface");
    assert.ok(rest.every((one) => one), "surfaces without the plane");
    assert.equal(await page.locator('[data-scale="colour scale"]').isVisible(), true);
    assert.ok((await changes(page, () => control(page, "height").selectOption("train_acc")))[0]);
    await close();
  },

  async "what is ticked"(browser) {
    const { page, close } = await open(browser, "all.html");
    assert.deepEqual(await changes(page, () => control(page, "levels").click()), every);
    assert.deepEqual(await changes(page, () => control(page, "grid").click()), every);
    const path = await changes(page, () => control(page, "path").click());
    assert.deepEqual(path, [true, false, false, false]);
    await choice(page, "contour").click();
    const flat = await changes(page, () => control(page, "path").click());
    assert.deepEqual(flat, [true, false, false, false]);
    await close();
  },

  async "cameras, linked and not"(browser) {
    const { page, close } = await open(browser, "four.html");
    const box = await surfaces(page).first().boundingBox();
    const drag = async () => {
      await page.mouse.move(box.x + 200, box.y + 200);
      await page.mouse.down();
      await page.mouse.move(box.x + 300, box.y + 240, { steps: 4 });
      await page.mouse.up();
      await page.mouse.move(5, 5);
    };
    await page.mouse.move(5, 5);
    assert.deepEqual(await changes(page, drag), every);
    assert.equal(await page.locator("#slices").isVisible(), false, "a drag is no click");
    await control(page, "linked").click();
    assert.deepEqual(await changes(page, drag), [true, false, false, false]);
    assert.deepEqual((await changes(page, () => control(page, "linked").click())).slice(1), every.slice(1));
    assert.deepEqual(await changes(page, () => page.getByText("Reset view").click()), every);
    await surfaces(page).first().focus();
    for (const key of ["ArrowLeft", "ArrowUp", "+", "-"])
      assert.deepEqual(await changes(page, () => press(page, key)), every, key);
    await press(page, "0");
    const zoomed = await changes(page, async () => {
      await page.mouse.move(box.x + 200, box.y + 200);
      await page.mouse.wheel(0, -240);
      await page.mouse.move(5, 5);
    });
    assert.deepEqual(zoomed, every);
    await close();
  },

  async "values under the pointer are the file's"(browser) {
    const { page, close } = await open(browser, "four.html");
    await choice(page, "contour").click();
    await settle(page);
    for (const [name, i, points] of [["surface", 0, [[25, 25], [3, 40], [49, 1]]], ["ragged", 1, [[30, 7]]]]) {
      const card = page.locator(".surface").nth(i);
      const canvas = card.locator("canvas");
      const data = expected[name];
      for (const [ix, iy] of points) {
        await canvas.hover({ position: await gridPlace(canvas, data, ix, iy) });
        const shown = await readout(card);
        assertNear(shown.alpha, data.x[ix]);
        assertNear(shown.beta, data.y[iy]);
        assertNear(shown.train_loss, data.train_loss[iy][ix], data.train_loss_se[iy][ix]);
        assertNear(shown.train_acc, data.train_acc[iy][ix]);
      }
    }
    const card = page.locator(".surface").nth(1);
    const canvas = card.locator("canvas");
    const hover = async (ix, iy) => {
      await canvas.hover({ position: await gridPlace(canvas, expected.ragged, ix, iy) });
      return await readout(card);
    };
    assert.equal((await hover(2, 48)).state, "not computed yet");
    assert.equal((await hover(10, 8)).train_loss, "not a number");
    assert.equal((await hover(11, 8)).train_loss, "∞");
    await close();
  },

  async "a click makes slices, whose CSV is the file's row"(browser) {
    const { page, close } = await open(browser, "four.html");
    await choice(page, "contour").click();
    const canvas = surfaces(page).first();
    const data = expected.surface;
    await canvas.click({ position: await gridPlace(canvas, data, 33, 12) });
    const panel = page.locator("#slices");
    assert.ok(await panel.isVisible());
    const { bytes } = await downloaded(page, () => panel.getByText("CSV").first().click());
    const rows = bytes.toString().trim().split("\n").map((line) => line.split(","));
    const own = rows.filter(([series]) => series === "ResNet-20");
    assert.equal(own.length, data.x.length);
    own.forEach(([, alpha, loss, error], ix) => {
      assert.ok(Math.abs(alpha - data.x[ix]) < 1e-9);
      assert.ok(Math.abs(loss - data.train_loss[12][ix]) <= 1e-6 * loss);
      assert.ok(Math.abs(error - data.train_loss_se[12][ix]) <= 1e-6 * error);
    });
    await panel.locator("canvas").first().hover();
    assert.ok((await panel.locator(".readout [data-value]").count()) >= 5);
    await panel.getByText("Close").click();
    assert.equal(await panel.isVisible(), false);
    // In 3D too: the middle of the picture shows the basin.
    await choice(page, "3d").click();
    const box = await canvas.boundingBox();
    const changed = await changes(page, () => canvas.click({ position: { x: box.width * 0.48, y: box.height * 0.45 } }));
    assert.deepEqual(changed, every);
    assert.ok(await panel.isVisible());
    await close();
  },

  async "by keyboard alone"(browser) {
    const { page, close } = await open(browser, "all.html");
    const card = page.locator(".surface").first();
    await card.locator("canvas").focus();
    await press(page, "Shift+ArrowRight");
    await press(page, "Shift+ArrowUp");
    const data = expected.surface;
    const shown = await readout(card);
    assertNear(shown.alpha, data.x[26]);
    assertNear(shown.train_loss, data.train_loss[26][26]);
    assert.equal(await card.locator(".readout").getAttribute("aria-live"), "polite");
    await press(page, "Enter");
    assert.ok(await page.locator("#slices").isVisible());
    await press(page, "Escape");
    assert.equal(await page.locator("#slices").isVisible(), false);
    // Every control is reached by Tab.
    await page.locator("body").click({ position: { x: 2, y: 2 } });
    const reached = new Set();
    for (let i = 0; i < 40; ++i) {
      await press(page, "Tab");
      reached.add(await page.evaluate(() =>
        document.activeElement.dataset.control ?? document.activeElement.dataset.choice ?? document.activeElement.tagName));
    }
    for (const name of ["3d", "contour", "linear", "log", "height", "colour", "clip-low", "clip-high",
      "levels", "grid", "linked", "path", "CANVAS"])
      assert.ok(reached.has(name), `${name} is not reached`);
    const chart = page.locator(".chart:visible").first();
    await chart.locator("canvas").focus();
    await press(page, "ArrowRight");
    await press(page, "ArrowRight");
    assert.equal((await readout(chart))["α"], "0.025");
    await close();
  },

  async "downloads"(browser) {
    const { page, close } = await open(browser, "all.html");
    const card = page.locator(".surface").nth(1);
    const data = expected.ragged;
    const csv = await downloaded(page, () => card.getByText("CSV").click());
    assert.equal(csv.name, "ResNet-56_without_shortcuts.csv");
    const [header, ...rows] = csv.bytes.toString().trim().split("\n").map((line) => line.split(","));
    assert.equal(rows.length, data.done.flat().filter((done) => done).length);
    const at = (name) => header.indexOf(name);
    for (const row of rows) {
      const ix = data.x.findIndex((x) => Math.abs(x - row[0]) < 1e-9);
      const iy = data.y.findIndex((y) => Math.abs(y - row[1]) < 1e-9);
      const loss = data.train_loss[iy][ix];
      if (loss === null) assert.equal(row[at("train_loss")], "");
      else if (loss === Infinity) assert.equal(row[at("train_loss")], "inf");
      else assert.ok(Math.abs(row[at("train_loss")] - loss) <= 1e-6 * loss);
    }
    const json = JSON.parse((await downloaded(page, () => card.getByText("JSON").click())).bytes.toString());
    assert.equal(json.provenance.images, "1000");
    assert.ok(Math.abs(json.planes.train_loss[25][25] - data.train_loss[25][25]) < 1e-6);
    for (const where of [card, page.locator("#training .chart").first()]) {
      const { name, bytes } = await downloaded(page, () => where.getByText("PNG").click());
      assert.ok(name.endsWith(".png"));
      assert.equal(bytes.subarray(1, 4).toString(), "PNG");
      assert.ok(bytes.readUInt32BE(16) >= 1280 && bytes.length > 20000, `${name}: ${bytes.length} bytes`);
    }
    const log = await downloaded(page, () => page.locator("#training .chart").first().getByText("CSV").click());
    assert.equal(log.bytes.toString().trim().split("\n").length, 1 + 2 * 30);
    await close();
  },

  async "tables and curves have the files' numbers"(browser) {
    const { page, close } = await open(browser, "all.html");
    const cell = (measure, i) => page.locator(`#sharpness [data-measure="${measure}"]`).nth(i).textContent();
    assert.equal(await cell("test_error", 0), "8.31 ± 0.27");
    assert.equal(await cell("expected_sharpness", 0), "0.052 ± 0.0041");
    assert.equal(await cell("trace", 1), "∞");
    await close();
  },

  async "light and dark"(browser) {
    const { page, close } = await open(browser, "four.html");
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await background();
    assert.deepEqual(await changes(page, () => page.locator(".theme").click()), every);
    assert.notEqual(await background(), light);
    assert.equal(await page.locator(".theme").textContent(), "Light");
    await page.locator(".theme").click();
    assert.equal(await background(), light);
    await close();
    const dark = await open(browser, "four.html", { colorScheme: "dark" });
    assert.notEqual(await dark.page.evaluate(() => getComputedStyle(document.body).backgroundColor), light);
    await dark.close();
  },

  async "a title is text, whatever is in it; --plane comes first"(browser) {
    const { page, close } = await open(browser, "ratio.html");
    const title = "A & B </script><script>document.title = 'broken'</script>";
    assert.equal(await page.title(), title);
    assert.equal(await page.locator("h1").textContent(), title);
    assert.equal(await control(page, "colour").inputValue(), "lambda_ratio");
    assert.equal(await control(page, "height").inputValue(), "train_loss");
    await close();
  },

  async "a log alone makes a page"(browser) {
    const { page, close } = await open(browser, "log.html");
    assert.equal(await page.locator(".surface").count(), 0);
    assert.equal(await page.locator("#training .chart").count(), 4);
    await close();
  },

  async "a kind of result that the page does not know has tables, curves and its grid"(browser) {
    const { page, close } = await open(browser, "other.html");
    const ids = await page.locator("section").evaluateAll((all) => all.map(({ id }) => id));
    assert.deepEqual(ids, ["surfaces", "other-0", "provenance"]);
    const section = page.locator("#other-0");
    assert.equal(await section.locator("h2").textContent(), "Spectral gap");
    assert.match(await section.textContent(), /note: nobody has measured this/);
    const rows = await section.locator("tr").evaluateAll((all) =>
      all.map((row) => [...row.children].map(({ textContent }) => textContent)));
    assert.deepEqual(rows, [["Number", "Value", "Unit"], ["gap", "0.125 ± 0.03", "1/|theta|"],
      ["layer", "per layer"], ["conv1", "3"], ["fc", "4"]]);
    const charts = section.locator(".chart");
    assert.deepEqual(await charts.locator("h3").allTextContents(), ["Width", "Share"]);
    const { bytes } = await downloaded(page, () => charts.first().getByText("CSV").click());
    assert.equal(bytes.toString().trim().split("\n")[1], "width,-1,2,0.1");
    assert.ok((await look(page, surfaces(page).first())).colours > 1000);
    await close();
  },

  async "three sizes, nothing wider than the screen, the theme that the system has"(browser) {
    for (const [width, height] of SIZES)
      for (const colorScheme of screenshots || width < 400 ? ["light", "dark"] : ["light"]) {
        const { page, close } = await open(browser, "all.html", { viewport: { width, height }, colorScheme });
        assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= width);
        assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), colorScheme);
        if (!screenshots) {
          await close();
          continue;
        }
        const shot = (name) => page.screenshot({ path: join(screenshots, `${width}_${colorScheme}_${name}.png`) });
        await shot("top");
        for (const id of ["surfaces", "trajectories", "sharpness", "curvature", "training"]) {
          await page.locator(`#${id}`).evaluate((section) => section.scrollIntoView({ behavior: "instant" }));
          await settle(page);
          await shot(id);
        }
        await choice(page, "contour").click();
        await settle(page);
        await surfaces(page).first().evaluate((canvas) => canvas.scrollIntoView({ behavior: "instant" }));
        await settle(page);
        await shot("contours");
        await close();
      }
  },

  async "a tap selects"(browser) {
    const { page, close } = await open(browser, "four.html", { viewport: { width: 390, height: 844 }, hasTouch: true });
    const canvas = surfaces(page).first();
    await canvas.scrollIntoViewIfNeeded();
    const box = await canvas.boundingBox();
    await page.touchscreen.tap(box.x + box.width * 0.48, box.y + box.height * 0.45);
    await settle(page);
    assert.ok(await page.locator("#slices").isVisible());
    await close();
  },

};

/** How long pages take to open, to turn and to clip: printed, for docs/results/report.md. */
const times = {
  async "times"(browser) {
    for (const name of ["four.html", "all.html", "large.html"]) {
      const { page, close } = await open(browser, name, { viewport: { width: 1440, height: 900 } });
      const loaded = await page.evaluate(() => performance.now());
      console.log(`  ${name}: drawn ${Math.round(loaded)} ms after it was opened`);
      const times = await page.evaluate(async () => {
        const frame = () => new Promise((done) => requestAnimationFrame(done));
        const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
        const over = async (count, act) => {
          const took = [];
          for (let i = 0, before = await frame(); i < count; ++i) {
            act(i);
            const now = await frame();
            took.push(now - before);
            before = now;
          }
          return median(took);
        };
        const canvas = document.querySelector(".surface canvas");
        const turn = () => canvas.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowLeft" }));
        const slider = document.querySelector('[data-control="clip-high"]');
        const clip = (i) => {
          slider.value = String(900 - 10 * i);
          slider.dispatchEvent(new Event("input"));
        };
        return { turning: await over(40, turn), clipping: await over(10, clip) };
      });
      console.log(`  ${name}: a frame takes ${times.turning.toFixed(0)} ms turning, ${times.clipping.toFixed(0)} ms clipping`);
      await close();
    }
  },
};

/** landscape animate's page, whose controls are its own. */
const films = {
  async "a film plays, and the slider, the button and the keys stop where they say"(browser) {
    const { page, close } = await open(browser, "film.html", { viewport: { width: 800, height: 800 } });
    const slider = page.locator("input");
    const button = page.locator("button");
    const shown = () => page.locator("img.shown").getAttribute("alt");
    const labels = await page.locator("img").evaluateAll((frames) => frames.map((frame) => frame.alt));
    assert.deepEqual(labels, ["surface", "ragged", "pit"]);
    assert.equal(await button.textContent(), "Pause");
    for (const label of ["pit", "surface"])  // around the end
      await page.waitForFunction((alt) => document.querySelector("img.shown").alt === alt, label);
    await button.click();
    assert.equal(await button.textContent(), "Play");
    await slider.fill("1");
    assert.deepEqual([await shown(), await page.locator("output").textContent()], ["ragged", "ragged"]);
    await slider.press("ArrowRight");
    assert.equal(await shown(), "pit");
    await slider.blur();
    for (const [key, label] of [["ArrowRight", "pit"], ["ArrowLeft", "ragged"], ["ArrowLeft", "surface"]]) {
      await press(page, key);
      assert.equal(await shown(), label);
    }
    await press(page, " ");
    assert.equal(await button.textContent(), "Pause");
    await page.waitForFunction(() => document.querySelector("img.shown").alt === "ragged");
    if (screenshots) await page.screenshot({ path: join(screenshots, "film.png") });
    await close();
  },
  async "a film stands still for those who asked for less motion"(browser) {
    const { page, close } = await open(browser, "film.html", { reducedMotion: "reduce" });
    assert.equal(await page.locator("button").textContent(), "Play");
    await close();
  },
};

const withoutWebgl = {
  async "without WebGL there is a word, and contours"(browser) {
    const { page, close } = await open(browser, "four.html");
    assert.match(await page.locator(".notice").textContent(), /WebGL/);
    assert.ok(await choice(page, "3d").isDisabled());
    const canvas = surfaces(page).first();
    await canvas.hover({ position: await gridPlace(canvas, expected.surface, 25, 25) });
    assertNear((await readout(page.locator(".surface").first())).train_loss, expected.surface.train_loss[25][25]);
    await close();
  },
};

let failed = 0;
async function runAll(all, flags) {
  const browser = await chromium.launch({ executablePath, args: [...FLAGS, ...flags] });
  for (const [name, test] of Object.entries(all)) {
    if (process.env.TOPOGRAD_ONLY && !name.includes(process.env.TOPOGRAD_ONLY)) continue;
    try {
      await test(browser);
      console.log(`ok: ${name}`);
    } catch (error) {
      ++failed;
      console.log(`FAILED: ${name}\n${error.stack}`);
    }
  }
  await browser.close();
}
await runAll(tests, SOFTWARE_GL);
await runAll(films, SOFTWARE_GL);
if (timed) await runAll(times, SOFTWARE_GL);
await runAll(withoutWebgl, ["--disable-gpu", "--disable-3d-apis"]);
process.exit(failed === 0 ? 0 : 1);
