// The page of landscape watch in a browser. Says "seen N" when it shows the file's N-th state: the
// test that started it then makes the next one.
//
//   node watch_page.mjs <folder of node_modules> <chromium> <the server's address>
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";

const [packages, executablePath, address] = process.argv.slice(2);
const { chromium } = createRequire(join(packages, "package.json"))("playwright-core");
const browser = await chromium.launch({
  executablePath, args: ["--no-sandbox", "--disable-background-networking", "--no-first-run"],
});
const page = await browser.newPage({ viewport: { width: 1000, height: 1000 } });
page.setDefaultTimeout(100_000); // a busy machine is slow

const complaints = [];
page.on("console", (message) => complaints.push(`console: ${message.text()}`));
page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
page.on("request", (request) => {
  const url = request.url();
  if (![address, `blob:${new URL(address).origin}/`, "data:"].some((begin) => url.startsWith(begin)))
    complaints.push(`request: ${url}`);
});
const picture = (version, kind) =>
  page.waitForSelector(`#picture[data-version="${version}"][data-kind="${kind}"]`);
const words = (id) => page.locator(`#${id}`).textContent();
const source = () => page.locator("#picture").getAttribute("src");

await page.goto(address);
await picture(1, "heat");
assert.equal(await words("notice"), "Running.");
assert.equal(await words("done"), "7 of 15 (46 %)");
assert.match(await words("smallest"), /^\S+ at α \S+, β \S+$/);
const first = await source();
await page.waitForResponse(/state/);
await page.waitForResponse(/state/);
assert.equal(await source(), first, "another picture of the same file");
console.log("seen 1");

await picture(2, "heat");
assert.notEqual(await source(), first);
assert.equal(await words("done"), "9 of 15 (60 %)");
await page.locator("input[value=heat]").focus();
await page.keyboard.press("ArrowRight");
await picture(2, "contours");
assert.ok(page.url().endsWith("#contours"));
await page.setViewportSize({ width: 390, height: 844 });
await page.waitForFunction(() => document.getElementById("picture").naturalWidth === 520);
const overhang = () => document.documentElement.scrollWidth - innerWidth;
assert.ok((await page.evaluate(overhang)) <= 0, "wider than a telephone");
const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
const light = await ground();
await page.emulateMedia({ colorScheme: "dark" });
assert.notEqual(await ground(), light);
assert.deepEqual(complaints, []);
console.log("seen 2");

// The server ends when the page has the last figure.
await picture(3, "contours");
await page.waitForFunction(() => document.getElementById("notice").textContent.includes("server has ended"));
assert.match(await words("notice"), /^Finished\./);
assert.equal(await words("left"), "none");
await browser.close();
console.log("seen 3");
