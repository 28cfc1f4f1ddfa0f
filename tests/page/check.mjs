// node check.mjs PAGE...
// Holds each page against what a reader may expect: valid HTML, no violation that axe-core finds (WCAG 2.2 A and AA and its
// best practices, folded and unfolded), no request to anywhere, no script needed, nothing to scroll sideways at 1280 and 320
// pixels. With PICTURES=<folder> it leaves there what each page looks like without script and in print. Exits with 1 where
// anything is wrong.
import { readFile, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { HtmlValidate } from "html-validate";
import puppeteer from "puppeteer-core";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const pages = process.argv.slice(2);
const pictures = process.env.PICTURES;
const problems = [];

async function valid(page) {
  const validator = new HtmlValidate({
    extends: ["html-validate:recommended"],
    // Lines may be long and have ends of any kind, and the doctype any case.
    rules: { "long-title": "off", "no-trailing-whitespace": "off", "no-inline-style": "error" },
  });
  const report = await validator.validateString(await readFile(page, "utf8"));
  for (const found of report.results.flatMap((result) => result.messages)) {
    problems.push(`${page}:${found.line}:${found.column}: ${found.ruleId}: ${found.message}`);
  }
}

async function violations(tab, page, how) {
  await tab.evaluate(axe);
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const run = (values) => axe.run({ runOnly: { type: "tag", values }, resultTypes: ["violations"] });
  const result = await tab.evaluate(run, tags);
  for (const found of result.violations) {
    problems.push(`${page}, ${how}: ${found.id}: ${found.help}: ${found.nodes.map((node) => node.html).slice(0, 3).join(" ")}`);
  }
  return result.passes.length;
}

// Folded at 1280 pixels, unfolded at 320: what is wrong shows at one of them.
async function read(browser, page, width) {
  const tab = await browser.newPage();
  await tab.setBypassCSP(true);
  await tab.setViewport({ width, height: 900 });
  tab.on("request", (request) => {
    if (request.url() !== pathToFileURL(page).href) problems.push(`${page} asks for ${request.url()}`);
  });
  await tab.goto(pathToFileURL(page).href);
  if (width < 1000) {
    await tab.evaluate(() => document.querySelectorAll("details").forEach((part) => (part.open = true)));
  }
  const rules = await violations(tab, page, `at ${width} pixels`);
  const wide = await tab.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  if (wide > 0) problems.push(`${page}: ${wide} pixels to scroll sideways at ${width}`);
  console.log(`${page} at ${width} pixels: ${rules} rules of axe-core hold`);
  await tab.close();
}

async function picture(browser, page, width) {
  const tab = await browser.newPage();
  await tab.setJavaScriptEnabled(false);
  await tab.setViewport({ width, height: 900 });
  await tab.goto(pathToFileURL(page).href);
  const name = path.join(pictures, `${path.basename(page, ".html")}-${width}`);
  const height = await tab.evaluate(() => document.documentElement.scrollHeight);
  // A browser's picture ends at 16,384 pixels.
  for (let top = 0, part = 0; top < height; top += 8000, part += 1) {
    const clip = { x: 0, y: top, width, height: Math.min(8000, height - top) };
    await tab.screenshot({ path: `${name}-${part}.png`, clip, captureBeyondViewport: true });
  }
  if (width > 1000) await tab.pdf({ path: `${name}.pdf`, preferCSSPageSize: true, printBackground: true });
  await tab.close();
}

const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? "chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
});
try {
  for (const page of pages.map((page) => path.resolve(page))) {
    await stat(page);
    await valid(page);
    for (const width of [1280, 320]) {
      await read(browser, page, width);
      if (pictures) await picture(browser, page, width);
    }
  }
} finally {
  await browser.close();
}
problems.forEach((problem) => console.error(problem));
process.exit(problems.length > 0 ? 1 : 0);
