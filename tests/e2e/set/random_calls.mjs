// Random questions about one dealer and the others of its region, as the callers that the product has: an
// admin sees every dealer, a group some of the region, a dealer only itself. In every third call a dealer
// fails; an admin's first two calls are about a week in which a dealer lost days: about it, and about another
// of its region. AMCP_TRUTH_CALLS sets how many calls a tool gets (15 without it, 100 in the long run), SEED which.
import assert from 'node:assert/strict';
import { objects } from '../lib/answer.mjs';
import { draws } from './draws.mjs';
import { Mcp } from './mcp.mjs';
import { authSettings, jwt, secret } from './tokens.mjs';
import { finishedSunday, lost } from './truth.mjs';
import { compact, daysBefore, startOverWorld, todayIn } from './world.mjs';

export const RUNS = Math.ceil(Number(process.env.AMCP_TRUTH_CALLS ?? 15) / 3); // for each of three callers

// Equal within what two ways of adding and integrating differ by.
export function same(actual, expected, where) {
  if (typeof expected === 'number') {
    assert.ok(typeof actual === 'number', `${where}: ${actual} instead of ${expected}`);
    const tolerance = Number.isInteger(expected) ? 1e-9 * Math.max(1, Math.abs(expected)) : 1e-7 * Math.abs(expected) + 1e-10;
    assert.ok(Math.abs(actual - expected) <= tolerance, `${where}: ${actual} instead of ${expected}`);
  } else if (expected?.oneOf !== undefined) {
    assert.ok(expected.oneOf.includes(actual), `${where}: ${actual} instead of ${expected.oneOf.join(' or ')}`);
  } else if (Array.isArray(expected)) {
    assert.equal(actual.length, expected.length, `${where}: number of items`);
    expected.forEach((item, i) => same(actual[i], item, `${where}[${i}]`));
  } else if (expected !== null && typeof expected === 'object') {
    const keys = (o) => Object.keys(o).filter((key) => o[key] !== undefined && o[key] !== null && o[key] !== '').sort();
    assert.deepEqual(keys(actual), keys(expected), `${where}: keys`);
    for (const key of keys(expected)) same(actual[key], expected[key], `${where}.${key}`);
  } else {
    assert.equal(actual, expected, where);
  }
}

class Comparisons {
  #draws = draws(Number(process.env.SEED ?? 11));
  #clients = {};
  #views = { group: ['d01', 'd13'], dealer: ['d13'] }; // of West: the rest has enough owners
  #skip = 0;
  #asked = new Set();
  same(answer, truth, rows, where) {
    const table = answer[rows] ?? answer;
    const list = table.columns === undefined ? [] : objects(table);
    const { [rows]: expected, ...facts } = truth;
    for (const [name, value] of Object.entries(facts)) same(answer[name] ?? undefined, value, `${where}: ${name}`);
    same(list, expected, `${where}: ${rows}`);
  }
  pick = (n) => this.#draws.pick(n);
  async start() {
    const key = secret();
    this.s = await startOverWorld({ sim: { plant: ['self_referral:d13', 'gap:d23'] }, env: {
      ...authSettings(key),
      report: { REPORT_BACKOFF_MS: 20, REPORT_CACHE_TTL_S: 0 },
      aggregate: { AGGREGATE_CELLS_PER_DAY: 100000 },
    } });
    this.world = this.s.world;
    const connect = (claims) => Mcp.connect(this.s.set.url, { token: jwt(key, claims) });
    this.#clients = {
      admin: await connect({ sub: 'root', role: 'admin' }),
      group: await connect({ sub: 'g', role: 'group', dealers: this.#views.group }),
      dealer: await connect({ sub: 'd', role: 'dealer', dealers: this.#views.dealer }),
    };
  }
  client(viewer) {
    return this.#clients[viewer];
  }
  async stop() {
    await this.s?.stop();
  }
  // A dealer and seven days in which it lost so many that it has no rates.
  #lostWeek() {
    for (let back = 4; back < 280; back++) {
      const end_date = daysBefore(todayIn('UTC'), back), start_date = daysBefore(end_date, 6);
      const dealer = this.world.dealers.find((d) => lost(this.world, d, { from: compact(start_date), to: compact(end_date) }).few);
      if (dealer) return { dealer, date_range: { start_date, end_date } };
    }
    assert.fail('no dealer of the world lost days');
  }
  #question(viewer, i, view, most) {
    const subject = this.#draws.one(view), date_range = this.#period(viewer, most);
    if (viewer !== 'admin' || i > 1) return { subject, date_range };
    const { dealer, date_range: week } = this.#lostWeek();
    const another = this.world.ofRegion(dealer.region).find((d) => d !== dealer);
    return { subject: (i === 0 ? dealer : another).dealer_id, date_range: week };
  }
  // Any days for an admin; for the others whole weeks, another period each time, because what was once
  // released stays as it was.
  // `most` weeks at most, for questions that read as many days before.
  #period(viewer, most) {
    if (viewer === 'admin') {
      const end = daysBefore(todayIn('UTC'), 4 + this.pick(120));
      return { start_date: daysBefore(end, [1, 6, 27, 55, 90, 181][this.pick(most < 9 ? 5 : 6)]), end_date: end };
    }
    if (most < 9) return this.#twoPeriods(viewer, most);
    const end = daysBefore(finishedSunday(), 7 * (this.#skip++ % 20));
    const weeks = 8 + this.#skip;
    return { start_date: daysBefore(end, 7 * weeks - 1), end_date: end };
  }
  // Weeks, of which neither they nor those before them were part of an earlier question.
  #twoPeriods(viewer, most) {
    for (;;) {
      const weeks = 1 + this.pick(2 * most), back = this.pick(20);
      const spans = [back, back + weeks].map((at) => `${viewer} ${weeks} ${at}`);
      if (spans.some((span) => this.#asked.has(span))) continue;
      spans.forEach((span) => this.#asked.add(span));
      const end = daysBefore(finishedSunday(), 7 * back);
      return { start_date: daysBefore(end, 7 * weeks - 1), end_date: end };
    }
  }
  // Nothing that names a dealer outside the view is in the bytes of an answer.
  #assertNoName(raw, outside, where) {
    for (const d of outside) {
      const { host } = this.world.one('SELECT host FROM properties WHERE property_id = ?', d.property_id);
      for (const word of [d.name, d.account_id, String(d.property_id), host, d.owner])
        assert.ok(!raw.includes(word), `${where}: shows "${word}"`);
      assert.ok(!new RegExp(`\\b${d.dealer_id}\\b`).test(raw), `${where}: shows "${d.dealer_id}"`);
    }
  }
  async run(viewer, n, check, most = 99) {
    for (let i = 0; i < n; i++) {
      const view = this.#views[viewer] ?? this.world.dealers.map((d) => d.dealer_id);
      const { subject, date_range } = this.#question(viewer, i, view, most);
      const cohort = this.world.ofRegion(this.world.dealer(subject).region);
      const others = cohort.filter((d) => d.dealer_id !== subject);
      const broken = i % 3 === 2 ? this.#draws.one(others) : null;
      if (broken) await this.s.sim.fault({ dealer_id: broken.dealer_id, kind: '403' });
      const members = cohort.filter((d) => d !== broken).map((dealer) => ({ dealer, visible: view.includes(dealer.dealer_id) }));
      const where = `${viewer}, call ${i} about ${subject} ${JSON.stringify(date_range)} without ${broken?.dealer_id}`;
      const ask = (tool, args) => this.#clients[viewer].data(tool, { subject, date_range, ...args });
      try {
        const { coverage, alone } = await check(ask, { subject, members, date_range }, i, where);
        this.#assertNoName(this.#clients[viewer].log.at(-1), cohort.filter((d) => !view.includes(d.dealer_id)), where);
        // `alone`: a question that asks the subject only.
        assert.equal(coverage.asked, alone ? 1 : cohort.length, where);
        assert.equal(coverage.ok, alone ? 1 : members.length, where);
      } finally {
        await this.s.sim.clear();
        await this.s.sim.resetQuota();
      }
    }
  }
}
export const comparisons = () => new Comparisons();
