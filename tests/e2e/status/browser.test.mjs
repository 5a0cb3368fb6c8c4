// How the page of 200 dealers looks in a real browser (BUILD_DIR/status/*.png): light, dark, on a narrow screen;
// whether everybody can use it, and that its links sort.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Chromium, findChromium } from '../apps/chromium.mjs';
import { BUILD } from '../set/world.mjs';
import { Stage } from './stage.mjs';

const program = findChromium();
const AXE = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

describe('the page of 200 dealers', { skip: program ? false : 'no Chromium here: deploy/install-deps.sh --browser installs it' }, () => {
  let s, chromium;

  before(async () => {
    s = await Stage.start({ dealers: 200, sim: { days: 20 } });
    await s.makeFaults();
    chromium = await Chromium.start(program);
  });
  after(async () => {
    const ends = await Promise.allSettled([chromium?.stop(), s?.stop()]);
    for (const { reason } of ends) if (reason) throw reason;
  });

  async function open(width, scheme, query = '') {
    const page = await chromium.page(width);
    await page.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] });
    await page.open(s.url + query);
    return page;
  }

  for (const [width, scheme] of [[1280, 'light'], [1280, 'dark'], [320, 'light'], [320, 'dark']])
    test(`${width} px wide, ${scheme}`, async () => {
      const page = await open(width, scheme);
      await page.picture(path.join(BUILD, 'status', `${width}-${scheme}.png`));
      const { data } = await page.send('Page.captureScreenshot');
      fs.writeFileSync(path.join(BUILD, 'status', `${width}-${scheme}-first-screen.png`), Buffer.from(data, 'base64'));
      await page.run(`${AXE}; 0`);
      const violations = await page.run(`axe.run(document, { runOnly: ${JSON.stringify(TAGS)} }).then((r) => r.violations.map((v) => [v.id, v.nodes.length, v.nodes[0].html]))`);
      assert.deepEqual(violations, []);
      const { wide, inner } = await page.run('({ wide: document.documentElement.scrollWidth, inner: innerWidth })');
      assert.ok(wide <= inner, `${wide} px of ${inner}`);
      assert.deepEqual(page.complaints.filter((c) => !c.includes('/favicon.ico')), []);
      await page.close();
    });

  for (const width of [320, 870, 1024, 1280, 1330])
    test(`no column is cut off at ${width} px`, async () => {
      const page = await open(width, 'light');
      const cut = await page.run(`[...document.querySelectorAll('table')].map((t) => [t.getAttribute('aria-labelledby'), Math.round(t.getBoundingClientRect().width) - t.parentElement.clientWidth]).filter(([, over]) => over > 0)`);
      assert.deepEqual(cut, []);
      await page.close();
    });

  test('what needs somebody stands on the first screen', async () => {
    const page = await open(1280, 'light');
    const seen = await page.run(`[...document.querySelectorAll('tr')].filter((r) => r.getBoundingClientRect().bottom < 900).map((r) => r.innerText).join('\\n')`);
    for (const words of ['needs re-consent', 'failing', 'no quota', 'suspect data']) assert.ok(seen.includes(words), `${words} is below the first screen`);
    await page.close();
  });

  test('a link sorts, and the same link turns the order round', async () => {
    const page = await open(1280, 'light');
    const names = () => page.run(`[...document.querySelectorAll('section[aria-labelledby=dealers] tbody th')].map((c) => c.firstChild.data.trim())`);
    const click = () => page.follow(`document.querySelector('a[href*="sort=dealer&"]').click()`);
    const sorted = (list) => list.toSorted((a, b) => (a.toLowerCase() > b.toLowerCase()) - (a.toLowerCase() < b.toLowerCase()));
    await click();
    const up = await names();
    assert.equal(up.length, 200);
    assert.deepEqual(up, sorted(up));
    await click();
    assert.deepEqual(await names(), sorted(up).toReversed());
    assert.equal(await page.run(`document.querySelector('[aria-sort]').getAttribute('aria-sort')`), 'descending');
    await page.close();
  });
});
