// Opens each page as a browser shows it and judges it: axe-core (WCAG 2.2 AA), sideways scroll, console and requests.
//
//   node look.mjs NODE_MODULES CHROMIUM < jobs.json > findings.json
//
// A job: {url, width, scheme, forced?, zoom?, javascript?, press?, picture?}; `press` goes to the button by keyboard and
// presses it. A finding is its job and what was seen: status, violations, wide, small, targets, console, requests.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const [modules, chromium] = process.argv.slice(2);
const require = createRequire(`${modules}/x.js`);
const { chromium: browserType } = require("playwright-core");
const axe = readFileSync(`${modules}/axe-core/axe.min.js`, "utf8");
const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

const jobs = JSON.parse(readFileSync(0, "utf8"));
const browser = await browserType.launch({ executablePath: chromium, args: ["--no-sandbox"] });
const findings = [];
for (const job of jobs) {
  // Our own policy forbids scripts that are not the site's, so the judge comes in past it.
  const context = await browser.newContext({
    viewport: { width: job.width, height: 700 },
    colorScheme: job.scheme,
    forcedColors: job.forced ? "active" : "none",
    bypassCSP: job.javascript !== false,
    javaScriptEnabled: job.javascript !== false,
  });
  const page = await context.newPage();
  const said = [], requests = [];
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => said.push(String(error)));
  page.on("request", (request) => requests.push(request.url()));
  const answer = await page.goto(job.url);
  const finding = { ...job, status: answer.status() };
  if (job.press) {
    await page.keyboard.press("Tab");
    while (!(await page.locator("button").evaluate((b) => b === document.activeElement).catch(() => true))) await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.waitForLoadState("load");
    finding.url_after = page.url();
    finding.text = await page.locator("main").innerText();
  }
  if (job.picture) await page.screenshot({ path: job.picture, fullPage: true });
  if (job.javascript !== false) {
    finding.wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
    finding.targets = await page.evaluate(() => [...document.querySelectorAll("main a, nav a, button")].map((e) => e.getBoundingClientRect().height));
    finding.small = await page.evaluate(() => [...document.querySelectorAll("body *")].filter((e) => e.children.length === 0 && e.textContent.trim() && parseFloat(getComputedStyle(e).fontSize) < 12).length);
    await page.evaluate(axe);
    const found = await page.evaluate((values) => axe.run(document, { runOnly: { type: "tag", values } }), tags);
    finding.violations = found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" ")}`);
    finding.passes = found.passes.length;
  }
  findings.push({ ...finding, console: said, requests });
  await context.close();
}
await browser.close();
console.log(JSON.stringify(findings));
