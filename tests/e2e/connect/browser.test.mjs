// The pages in a real browser, with the consent screen on a host of its own: every way through them, what
// other sites can do to them, how they look (BUILD_DIR/connect/*.png), and whether everybody can use them.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Chromium, findChromium } from '../apps/chromium.mjs';
import { BUILD } from '../set/world.mjs';
import { GOOGLE_HOST, startStage } from './stage.mjs';

const program = findChromium();
const AXE = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const EVIL = 'evil.test';

describe('the pages of a consent', { skip: program ? false : 'no Chromium here: deploy/install-deps.sh --browser installs it' }, () => {
  let s, chromium, evil, evilPage = '';

  before(async () => {
    s = await startStage();
    evil = http.createServer((_, answer) => answer.setHeader('Content-Type', 'text/html').end(evilPage));
    await new Promise((resolve) => evil.listen(0, '127.0.0.1', resolve));
    chromium = await Chromium.start(program, [`--host-resolver-rules=MAP ${GOOGLE_HOST} 127.0.0.1, MAP ${EVIL} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1`]);
  });
  after(async () => {
    const ends = await Promise.allSettled([chromium?.stop(), evil?.close(), s?.stop()]);
    for (const { reason } of ends) if (reason) throw reason;
  });

  const visitor = async (width = 800) => chromium.page(width, await chromium.profile());
  const text = (page) => page.run('document.body.innerText');
  const heading = (page) => page.run('document.querySelector("h1")?.textContent');
  const click = (page, what) => page.follow(`document.querySelector(${JSON.stringify(what)}).click()`);
  const start = (page) => click(page, 'button.google');
  const allow = async (page, email, { analytics = true } = {}) => {
    assert.equal(await page.run('location.hostname'), GOOGLE_HOST);
    await page.run(`document.querySelector('input[value="${email}"]').checked = true; document.querySelector('[name=analytics]').checked = ${analytics}`);
    await click(page, '[value=allow]');
  };
  const goodAccess = async (page) => {
    await page.run(`${AXE}; 0`);
    const { violations } = await page.run('axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }).then((r) => ({ violations: r.violations.map((v) => [v.id, v.nodes.map((n) => n.html)]) }))');
    assert.deepEqual(violations, []);
    const { wide, width } = await page.run('({ wide: document.documentElement.scrollWidth, width: innerWidth })');
    assert.ok(wide <= width, `${wide} px of ${width}`);
  };
  const picture = (page, name) => page.picture(path.join(BUILD, 'connect', `${name}.png`));
  for (const width of [320, 800])
    for (const language of ['en', 'fr'])
      test(`from link to figures, ${width} px wide, in ${language}`, async () => {
        const d = s.dealer(), page = await visitor(width), name = (step) => `${step}-${width}-${language}`;
        await page.open(s.invite(d));
        if (language === 'fr') await click(page, 'a[lang=fr]');
        assert.equal(await page.run('document.documentElement.lang'), language);
        assert.ok((await text(page)).includes('Northgate Agency'));
        await goodAccess(page);
        await picture(page, name('1-invite'));
        await start(page);
        await allow(page, d.email);
        assert.equal(await page.run('location.href'), `${s.url}/consent`, 'nothing of the redirect stays in the address');
        assert.equal(await page.run('document.documentElement.lang'), language);
        assert.ok((await text(page)).includes(d.email));
        await goodAccess(page);
        await picture(page, name('2-confirm'));
        assert.ok(!s.connections().has(d.dealer_id), 'nothing is connected before it is confirmed');
        await click(page, 'button.main');
        assert.ok((await heading(page)).includes(d.name));
        assert.match(await text(page), language === 'en' ? /Yesterday: [\d,]+ sessions/ : /Hier : [\d\u202f]+ sessions/);
        await goodAccess(page);
        await picture(page, name('3-connected'));
        assert.equal(s.connections().get(d.dealer_id), 'ok');
        assert.deepEqual(page.complaints.filter((c) => !c.includes('/favicon.ico')), []);
        await page.close();
      });

  test('the keyboard alone is enough, and focus is visible', async () => {
    const d = s.dealer(), page = await visitor();
    const key = async (code) => { for (const type of ['keyDown', 'keyUp']) await page.send('Input.dispatchKeyEvent', { type, key: code, code, windowsVirtualKeyCode: { Tab: 9, Enter: 13 }[code], ...(code === 'Enter' && type === 'keyDown' && { text: '\r' }) }); };
    const tabTo = async (what) => {
      for (let i = 0; i < 12; i++) {
        await key('Tab');
        if (await page.run(`document.activeElement.matches(${JSON.stringify(what)})`)) return page.run('getComputedStyle(document.activeElement).outlineStyle');
      }
      throw new Error(`${what} is not reached by Tab`);
    };
    const press = async () => { const ready = new Promise((resolve) => { page.ready = resolve; }); await key('Enter'); await ready; };
    await page.open(s.invite(d));
    assert.equal(await tabTo('button.google'), 'solid');
    await press();
    await allow(page, d.email);
    assert.equal(await tabTo('button.main'), 'solid');
    await press();
    assert.match(await heading(page), /is connected/);
    await page.close();
  });

  test('cancel, the wrong account and an unticked box lead back', async () => {
    const d = s.dealers.at(-1), page = await visitor(); // one of the agency's three
    await page.open(s.invite(d));
    await start(page);
    await click(page, '[value=deny]');
    assert.match(await heading(page), /You declined/);
    await goodAccess(page);
    await picture(page, 'declined');
    await click(page, 'button.main'); // Try again
    await allow(page, 'nobody@example.com');
    assert.match(await heading(page), /no access to Google Analytics/);
    await click(page, 'button.main');
    await allow(page, d.email = `owner@${d.host}`, { analytics: false });
    assert.match(await heading(page), /permission for Google Analytics is missing/);
    await click(page, 'button.main');
    const other = s.dealers.at(-5);
    await allow(page, `owner@${other.host}`);
    assert.ok((await text(page)).includes(`owner@${other.host}`), 'the wrong account is shown');
    await click(page, 'button.plain'); // Use another account
    await allow(page, 'agency@example.com');
    assert.equal(await page.run('document.querySelectorAll("[type=radio]").length'), 3);
    await goodAccess(page);
    await picture(page, 'several');
    await page.run(`document.querySelector('[value="${d.property_id}"]').checked = true`);
    await click(page, 'button.main');
    assert.match(await heading(page), /is connected/);
    assert.deepEqual(page.complaints.filter((c) => !/403/.test(c)), []);
    await page.close();
  });

  test('a link that was used, and a redirect in another browser, connect nobody', async () => {
    const d = s.dealer(), page = await visitor(), link = s.invite(d);
    await page.open(link);
    await start(page);
    await page.run(`document.querySelector('input[value="${d.email}"]').checked = true`);
    const fields = await page.run('Object.fromEntries(new FormData(document.querySelector("form")))');
    const answer = await fetch(`${s.set.sim}/o/oauth2/v2/decide`, { method: 'POST', redirect: 'manual', body: new URLSearchParams({ ...fields, decision: 'allow' }) });
    const back = answer.headers.get('location');
    const stranger = await visitor();
    await stranger.open(back);
    assert.match(await heading(stranger), /took too long/);
    await stranger.open(link);
    await start(stranger); // a session of his own, and the code of another
    await stranger.open(back);
    assert.match(await heading(stranger), /another browser/);
    await picture(stranger, 'another-browser');
    await page.open(back);
    await click(page, 'button.main');
    assert.match(await heading(page), /is connected/);
    await stranger.open(link);
    assert.match(await heading(stranger), /can no longer be used/);
    await goodAccess(stranger);
    await picture(stranger, 'used');
    for (const p of [page, stranger]) await p.close();
  });

  test('no other site can frame a page, or send its forms', async () => {
    const d = s.dealer(), page = await visitor(), link = s.invite(d);
    const site = `http://${EVIL}:${evil.address().port}/`;
    evilPage = `<iframe src="${link}"></iframe>`;
    await page.open(site);
    await page.run('new Promise((resolve) => { if (document.readyState === "complete") resolve(0); else addEventListener("load", () => resolve(0)); })');
    assert.ok(page.complaints.some((c) => /frame-ancestors|X-Frame-Options/.test(c)), String(page.complaints));
    evilPage = `<form method=post action="${s.url}/start"><input name=invite value="${new URL(link).searchParams.get('invite')}"></form>`;
    await page.open(site);
    await page.follow('document.forms[0].submit()');
    assert.match(await heading(page), /did not come from our page/);
    assert.equal(await page.run('location.href'), `${s.url}/start`);
    // In the middle of a consent: the cookie of the session does not come with a foreign form.
    await page.open(link);
    await start(page);
    await allow(page, d.email);
    evilPage = `<form method=post action="${s.url}/finish"><input name=property value="${d.property_id}"></form>`;
    await page.open(site);
    await page.follow('document.forms[0].submit()');
    assert.match(await heading(page), /did not come from our page/);
    assert.ok(!s.connections().has(d.dealer_id));
    await page.close();
  });

  test('the test phase of an application is said', async () => {
    s.set.changeEnv('auth', { CONNECT_APP_TESTING: 'true' });
    await s.set.restart('auth');
    const page = await visitor();
    await page.open(s.invite(s.dealer()));
    assert.match(await text(page), /after 7 days/);
    await goodAccess(page);
    await picture(page, 'testing');
    await page.close();
  });
});
