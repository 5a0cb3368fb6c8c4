// A set with the page for operators, over a world of some weeks.
import fs from 'node:fs';
import { freePort } from '../lib/ports.mjs';
import { startSet } from '../lib/set.mjs';
import { Mcp } from '../set/mcp.mjs';
import { simulator } from '../set/world.mjs';
import { authSettings, jwt, secret } from '../set/tokens.mjs';

export class Stage {
  static async start({ dealers = 24, sim = {} } = {}) {
    const s = new Stage();
    s.key = secret();
    s.port = await freePort();
    const settings = authSettings(s.key);
    s.set = await startSet({
      sim: { dealers, days: 100, ...sim },
      env: {
        ...settings,
        gateway: { ...settings.gateway, STATUS_LISTEN: `127.0.0.1:${s.port}`, ANALYTICS_MCP_TOOLSETS: 'all' },
        report: { REPORT_BACKOFF_MS: 20, REPORT_CACHE_TTL_S: 0 },
      },
    });
    s.sim = simulator(s.set.sim);
    return s;
  }

  get url() {
    return `http://127.0.0.1:${this.port}/status`;
  }

  // Id of the nth dealer, from 1.
  id(n) {
    this.ids ??= JSON.parse(fs.readFileSync(this.set.dealersFile, 'utf8')).dealers.map((d) => d.dealer_id);
    return this.ids[n - 1];
  }

  client(claims) {
    return Mcp.connect(this.set.url, { token: jwt(this.key, claims) });
  }

  // { status, type, text, headers, ms } of a page.
  async page(query = '', headers = {}) {
    const begun = performance.now();
    const answer = await fetch(this.url + query, { headers });
    return { status: answer.status, headers: answer.headers, text: await answer.text(), ms: performance.now() - begun };
  }

  // A page whose services were asked after a time: an answer is shown for a second.
  async pageSince(time) {
    let page;
    do page = await this.page();
    while (Date.parse(page.text.match(/asked at <time datetime="([^"]+)"/)[1]) < time);
    return page;
  }

  async json(query = '') {
    return JSON.parse((await this.page(query, { Accept: 'application/json' })).text);
  }

  // Faults of four dealers, seen by reports of all of them and a check of their data.
  async makeFaults() {
    const admin = await this.client({ role: 'admin' });
    await this.sim.fault({ dealer_id: this.id(4), kind: 'invalid_grant' });
    await this.sim.fault({ dealer_id: this.id(6), kind: '429_hourly' });
    await this.sim.fault({ dealer_id: this.id(7), kind: '403' });
    await admin.data('run_report_across_dealers', { dimensions: ['country'], metrics: ['sessions'], limit: 1 });
    await admin.data('check_data_health', { dealer_ids: [this.id(1), this.id(3)], limit: 500 });
    return admin;
  }

  stop() {
    return this.set.stop();
  }
}
