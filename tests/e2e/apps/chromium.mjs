// A headless Chromium over its DevTools protocol: pages, their frames, pictures, and every complaint.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

// The shell without a window takes half the processor time of the whole browser; both draw alike.
const NAMES = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

// The program; undefined when there is none.
export function findChromium() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  const folders = (process.env.PATH ?? '').split(':');
  return NAMES.flatMap((name) => folders.map((folder) => path.join(folder, name))).find((file) => fs.existsSync(file));
}

const ARGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--hide-scrollbars', '--remote-debugging-port=0',
  '--force-color-profile=srgb', '--disable-background-networking', '--disable-component-update', '--disable-extensions',
  // Nothing but this machine can be reached; a view stays in its page's process, where it can be looked into.
  '--no-proxy-server', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
  '--disable-features=IsolateSandboxedIframes,BackForwardCache,Translate,OptimizationHints',
];

export class Chromium {
  #process;
  #folder;
  #socket;
  #next = 1;
  #waiting = new Map();
  #listeners = new Set();
  #idle = []; // pages of the first profile that were closed

  // `args` come after those above: a switch that is in both counts as it is here.
  static async start(program, args = []) {
    const c = new Chromium();
    c.#folder = fs.mkdtempSync(path.join(os.tmpdir(), 'amcp-chromium-'));
    c.#process = spawn(program, [...ARGS, ...args, `--user-data-dir=${c.#folder}`, 'about:blank'], { stdio: ['ignore', 'ignore', 'pipe'] });
    const address = await new Promise((resolve, reject) => {
      let text = '';
      c.#process.stderr.on('data', (piece) => {
        text += piece;
        const found = text.match(/DevTools listening on (ws:\S+)/);
        if (found) resolve(found[1]);
      });
      c.#process.once('exit', () => reject(new Error(`Chromium ended: ${text}`)));
      c.#process.once('error', reject);
    });
    c.#socket = new WebSocket(address);
    c.#socket.addEventListener('message', ({ data }) => c.#receive(JSON.parse(data)));
    await new Promise((resolve, reject) => {
      c.#socket.addEventListener('open', resolve, { once: true });
      c.#socket.addEventListener('error', reject, { once: true });
    });
    return c;
  }

  #receive(message) {
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (waiting && message.error) waiting.reject(new Error(`${waiting.method}: ${message.error.message}`));
    else if (waiting) waiting.resolve(message.result);
    else for (const listener of this.#listeners) listener(message);
  }

  send(method, params = {}, sessionId) {
    const id = this.#next++;
    this.#socket.send(JSON.stringify({ id, method, params, sessionId }));
    return new Promise((resolve, reject) => this.#waiting.set(id, { method, resolve, reject }));
  }

  // A profile of its own, with no cookie of another; for page().
  async profile() {
    return (await this.send('Target.createBrowserContext')).browserContextId;
  }

  // A page, `width` wide, on which nothing of an earlier one is left. Without a profile it may be one that was
  // closed: a new one takes as long as drawing a page.
  async page(width, browserContextId) {
    const kept = browserContextId === undefined ? this.#idle.pop() : undefined;
    const page = kept ?? (await this.#newPage(browserContextId));
    await page.resize(width);
    return page;
  }

  async #newPage(browserContextId) {
    const { targetId } = await this.send('Target.createTarget', { url: 'about:blank', browserContextId });
    const { sessionId } = await this.send('Target.attachToTarget', { targetId, flatten: true });
    const keep = async () => {
      await page.clear();
      this.#idle.push(page);
    };
    const end = () => this.send('Target.closeTarget', { targetId });
    const page = new Page((method, params) => this.send(method, params, sessionId), browserContextId === undefined ? keep : end);
    this.#listeners.add((message) => message.sessionId === sessionId && page.receive(message));
    for (const domain of ['Page', 'Runtime', 'Log']) await page.send(`${domain}.enable`);
    return page;
  }

  async stop() {
    const p = this.#process;
    const ended = p.exitCode !== null || p.signalCode !== null || new Promise((resolve) => p.once('exit', resolve));
    this.#socket.close();
    p.removeAllListeners('error');
    p.kill();
    await ended;
    // Its helpers end a moment after it, and write until then.
    fs.rmSync(this.#folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}

class Page {
  constructor(send, close) {
    this.send = send;
    this.close = close;
    this.complaints = []; // of the console, of uncaught errors, of the Content-Security-Policy
    this.contexts = new Map(); // of each frame
  }

  receive({ method, params }) {
    if (method === 'Log.entryAdded' && params.entry.level === 'error') this.complaints.push(`${params.entry.source}: ${params.entry.text}${params.entry.url ? ` (${params.entry.url})` : ''}`);
    if (method === 'Runtime.exceptionThrown') this.complaints.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
    if (method === 'Runtime.consoleAPICalled' && ['error', 'warning', 'assert'].includes(params.type)) this.complaints.push(JSON.stringify(params.args));
    if (method === 'Page.domContentEventFired') this.ready?.();
    if (method === 'Runtime.executionContextCreated' && params.context.auxData?.isDefault)
      this.contexts.set(params.context.auxData.frameId, params.context.id);
  }

  resize(width) {
    return this.send('Emulation.setDeviceMetricsOverride', { width, height: 900, deviceScaleFactor: 1, mobile: false });
  }

  async #evaluate(expression, contextId) {
    const { result, exceptionDetails } = await this.send('Runtime.evaluate', { expression, contextId, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  // The value of an expression in the page; a promise is waited for.
  run(expression) {
    return this.#evaluate(expression);
  }

  // The same in the page's only frame.
  async runInView(expression) {
    const { frameTree } = await this.send('Page.getFrameTree');
    return this.#evaluate(expression, this.contexts.get(frameTree.childFrames[0].frame.id));
  }

  // As it was when new.
  async clear() {
    await this.open('about:blank');
    await this.send('Emulation.setEmulatedMedia', { features: [] });
    this.complaints = [];
  }

  // Until the page itself is there; its frame may still load.
  async open(url) {
    const ready = new Promise((resolve) => { this.ready = resolve; });
    await this.send('Page.navigate', { url });
    await ready;
  }

  // Runs an expression that leads to another page, a click say, and waits until that is there.
  async follow(expression) {
    const ready = new Promise((resolve) => { this.ready = resolve; });
    await this.run(`setTimeout(() => { ${expression} }, 0); 0`);
    await ready;
  }

  // All of the page as PNG.
  async picture(file) {
    const { cssContentSize } = await this.send('Page.getLayoutMetrics');
    const clip = { x: 0, y: 0, width: cssContentSize.width, height: cssContentSize.height, scale: 1 };
    const { data } = await this.send('Page.captureScreenshot', { captureBeyondViewport: true, clip });
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, Buffer.from(data, 'base64'));
  }
}
