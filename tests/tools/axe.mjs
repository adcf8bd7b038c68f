// axe.mjs NODE_MODULES FILES: a line for each finding and each sideways scroll, exit 1 if there is one; one page is reused.
//
// Light and dark, at 320, 375 and 600 px. With FORCED_DARK=1 as browsers show it that darken every page.
import { createRequire } from "node:module";
import { resolve } from "node:path";

const [modules, ...files] = process.argv.slice(2);
const require = createRequire(`${resolve(modules)}/x.js`);
const { chromium } = require("playwright-core");
const axe = require.resolve("axe-core/axe.min.js");
const args = ["--no-sandbox"];
if (process.env.FORCED_DARK) args.push("--enable-features=WebContentsForceDark");
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args });
const page = await browser.newPage();
const rules = { region: { enabled: false }, "landmark-one-main": { enabled: false } };
let bad = 0;
for (const file of files) {
  await page.goto("file://" + resolve(file));
  await page.addScriptTag({ path: axe });
  for (const colorScheme of ["light", "dark"]) for (const width of [320, 375, 600]) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 900 });
    const result = await page.evaluate((rules) => axe.run(document, { rules }), rules);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    bad += result.violations.length + (wide > width);
    for (const v of result.violations) console.log(file, colorScheme, width, v.id, v.nodes.length, v.nodes[0].html);
    if (wide > width) console.log(file, colorScheme, width, "scrolls", wide);
  }
}
await browser.close();
process.exit(bad ? 1 : 0);
