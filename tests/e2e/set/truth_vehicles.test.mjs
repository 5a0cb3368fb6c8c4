// The vehicle tools against the same figures computed from the simulator's database, for random
// dealers and periods, with and without a dealer that fails. AMCP_TRUTH_CALLS: of each tool; 100 in
// the long run; SEED: which calls.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { objects } from '../lib/answer.mjs';
import { draws } from './draws.mjs';
import { Mcp } from './mcp.mjs';
import { authSettings, jwt, secret } from './tokens.mjs';
import { conversion, interest, movers, weeksThrough } from './truth_vehicles.mjs';
import { daysBefore, startOverWorld, todayIn } from './world.mjs';

const CALLS = Number(process.env.AMCP_TRUTH_CALLS ?? 15);
const { pick, one } = draws(Number(process.env.SEED ?? 7));

let s, client, world, today, viewers;

before(async () => {
  const key = secret();
  s = await startOverWorld({ env: { ...authSettings(key), report: { REPORT_BACKOFF_MS: 20, REPORT_CACHE_TTL_S: 0 } } });
  world = s.world;
  today = todayIn('UTC');
  const viewer = async (role, own) => ({
    client: await Mcp.connect(s.set.url, { token: jwt(key, { sub: role, role, ...(own && { dealers: own }) }) }),
    own: world.dealers.filter((d) => own === undefined || own.includes(d.dealer_id)),
  });
  viewers = [await viewer('admin'), await viewer('group', ['d01', 'd05', 'd09', 'd12', 'd13', 'd16', 'd18', 'd24']), await viewer('dealer', ['d13'])];
  client = viewers[0].client;
});
after(() => s?.stop());

// Equal within what two ways of adding and integrating differ by.
function same(actual, expected, where) {
  if (typeof expected === 'number' && !Number.isInteger(expected)) {
    assert.ok(typeof actual === 'number', `${where}: ${actual} instead of ${expected}`);
    assert.ok(Math.abs(actual - expected) <= 1e-7 * Math.abs(expected) + 1e-9, `${where}: ${actual} instead of ${expected}`);
  } else if (typeof expected === 'number') {
    assert.ok(Math.abs(actual - expected) <= 1e-9 * Math.max(1, Math.abs(expected)), `${where}: ${actual} instead of ${expected}`);
  } else if (Array.isArray(expected)) {
    assert.equal(actual.length, expected.length, `${where}: number of items`);
    expected.forEach((item, i) => same(actual[i], item, `${where}[${i}]`));
  } else if (expected !== null && typeof expected === 'object') {
    const keys = (o) => Object.keys(o).filter((key) => o[key] !== undefined && o[key] !== null).sort();
    assert.deepEqual(keys(actual), keys(expected), `${where}: keys`);
    for (const key of keys(expected)) same(actual[key], expected[key], `${where}.${key}`);
  } else {
    assert.equal(actual, expected, where);
  }
}

// Whom a call is about: everything that the caller may read, a region, or some dealers.
function someDealers(own) {
  const kind = pick(4);
  if (kind === 0 || own.length === 1) return { args: {}, dealers: own };
  if (kind === 1) {
    const { region } = one(own);
    return { args: { region }, dealers: own.filter((d) => d.region === region) };
  }
  const n = kind === 2 ? 1 + pick(3) : 5 + pick(12);
  const ids = new Set(Array.from({ length: n }, () => one(own).dealer_id));
  return { args: { dealer_ids: [...ids] }, dealers: world.dealers.filter((d) => ids.has(d.dealer_id)) };
}
function somePeriod() {
  const days = one([1, 2, 7, 28, 28, 56, 91]);
  const end = daysBefore(today, 4 + pick(120));
  return { start_date: daysBefore(end, days - 1), end_date: end };
}

// Runs a check over random calls of each caller in turn; in every fourth one of the dealers fails. Nothing
// of a dealer outside the caller's access is in the bytes of an answer.
async function overRandomCalls(n, check) {
  for (let i = 0; i < n; i++) {
    const { client: asker, own } = viewers[i % viewers.length];
    const { args, dealers } = someDealers(own);
    const broken = i % 4 === 3 && dealers.length > 1 ? one(dealers) : null;
    if (broken) await s.sim.fault({ dealer_id: broken.dealer_id, kind: '403' });
    try {
      const left = dealers.filter((d) => d !== broken);
      const coverage = await check(asker, args, left, `call ${i} ${JSON.stringify(args)} without ${broken?.dealer_id}`);
      assert.equal(coverage.asked, dealers.length);
      for (const d of world.dealers.filter((x) => !own.includes(x))) assert.ok(!asker.log.at(-1).includes(d.name), `call ${i}: ${d.name}`);
      assert.deepEqual((coverage.failed ?? []).map((f) => f.dealer_id), broken ? [broken.dealer_id] : []);
    } finally {
      await s.sim.clear();
      await s.sim.resetQuota();
    }
  }
}

test('interest_in_models_equals_sql_for_random_calls', async () => {
  await overRandomCalls(CALLS, async (asker, who, dealers, where) => {
    const args = { ...who, date_range: somePeriod(), limit: 1 + pick(40), offset: pick(3) * 5 };
    const answer = await asker.data('analyze_vehicle_interest', args);
    const truth = interest(world, dealers, args.date_range, args);
    where = `${where} ${JSON.stringify(args.date_range)}`;
    same(answer.totals, truth.totals, `${where}: totals`);
    same(objects(answer.models), truth.models, `${where}: models`);
    same(objects(answer.shares), truth.shares, `${where}: shares`);
    same(objects(answer.regions), truth.regions, `${where}: regions`);
    for (const axis of ['body_style', 'powertrain', 'condition']) {
      const parts = objects(answer.shares).filter((x) => x.axis === axis);
      assert.ok(Math.abs(parts.reduce((total, x) => total + x.share, 0) - 1) < 1e-12, `${where}: ${axis} adds up`);
    }
    return answer.coverage;
  });
});

test('leads_by_model_equal_sql_for_random_calls', async () => {
  await overRandomCalls(CALLS, async (asker, who, dealers, where) => {
    const args = { ...who, date_range: somePeriod(), limit: 1 + pick(60) };
    const answer = await asker.data('vehicle_lead_conversion', args);
    const truth = conversion(world, dealers, args.date_range, args);
    where = `${where} ${JSON.stringify(args.date_range)}`;
    assert.equal(answer.lead_event ?? null, truth.event, where);
    assert.equal(answer.tested ?? 0, truth.tested, `${where}: tested`);
    assert.equal(answer.unattributed?.leads ?? 0, truth.unattributed, `${where}: unattributed`);
    assert.equal(answer.unattributed?.of ?? 0, truth.leads, `${where}: leads`);
    same(objects(answer), truth.models, `${where}: models`);
    return answer.coverage;
  });
});

test('movers_equal_sql_for_random_calls', async () => {
  await overRandomCalls(CALLS, async (asker, who, dealers, where) => {
    const end = daysBefore(today, 4 + pick(200));
    const args = { ...who, date_range: { start_date: daysBefore(end, 30), end_date: end }, limit: 1 + pick(40) };
    // A day that is not over everywhere begins no week.
    const answer = await asker.data('vehicle_movers', args);
    const truth = movers(world, dealers, end, args);
    where = `${where} to ${end}`;
    assert.equal(answer.period.start_date, truth.weeks.start_date, where);
    assert.equal(answer.period.end_date, truth.weeks.end_date, where);
    assert.equal(answer.coverage.asked < 5, /with \d dealers?; at least 5 are needed; analyze_vehicle_interest/.test(answer.headline), `${where}: ${answer.headline}`);
    same(objects(answer.comparisons).map(({ before: b, after: a, ...rest }) => rest), truth.comparisons, `${where}: comparisons`);
    same(objects(answer.models), truth.models, `${where}: models`);
    return answer.coverage;
  });
});

test('without_arguments_the_last_four_complete_weeks_of_all_dealers_are_shown_in_four_kilobytes', async () => {
  const answer = await client.call('analyze_vehicle_interest', {});
  const { monday, end_date } = weeksThrough(daysBefore(todayIn('Etc/GMT+12'), 3));
  assert.equal(answer.data.period.end_date, end_date);
  assert.equal(answer.data.period.start_date, new Date((monday + 28) * 86_400_000).toISOString().slice(0, 10));
  assert.equal(answer.data.coverage.ok, world.dealers.length);
  assert.equal(answer.data.models.rows.length, 15);
  assert.equal(answer.data.next_offset, 15);
  assert.ok(Buffer.byteLength(answer.text) < 4096, `${Buffer.byteLength(answer.text)} bytes`);
});

test('what_a_property_has_registered_is_asked_once_for_all_tools', async () => {
  await client.data('analyze_vehicle_interest', {});
  await s.sim.resetStats();
  for (const tool of ['analyze_vehicle_interest', 'vehicle_lead_conversion', 'vehicle_movers']) await client.data(tool, {});
  const { properties } = await s.sim.stats();
  for (const d of world.dealers) {
    const { report_requests, admin_requests } = properties[d.property_id];
    assert.deepEqual([report_requests, admin_requests], [3, 0], d.dealer_id); // a batch for each tool
  }
});

// The dealers file with a change, in use.
async function changeDealers(edit) {
  const loads = async () => Number(/^auth_config_reloads_total\{result="ok"\} (\d+)/m.exec(await (await fetch(`${s.set.admin('auth')}/metrics`)).text())[1]);
  const file = JSON.parse(fs.readFileSync(s.set.dealersFile, 'utf8')), count = await loads();
  edit(file.dealers);
  fs.writeFileSync(s.set.dealersFile, JSON.stringify(file), { mode: 0o600 });
  for (let i = 0; i < 500 && (await loads()) === count; i++) await sleep(20);
  assert.ok((await loads()) > count, 'the dealers file was not loaded again');
}

test('a_websites_own_name_of_a_vehicle_counts_for_its_dealer_alone', async () => {
  const days = { start_date: daysBefore(today, 95), end_date: daysBefore(today, 5) };
  const views = async (id) => {
    const answer = await client.data('analyze_vehicle_interest', { dealer_ids: [id], date_range: days, limit: 200 });
    return { of: Object.fromEntries(objects(answer.models).map((m) => [m.model, m.views])), caveats: answer.caveats ?? [] };
  };
  const before = [await views('d01'), await views('d02')];
  const [model] = Object.keys(before[0].of);
  const { item_make: make, item_model: name } = world.one("SELECT item_make, item_model FROM vehicles WHERE item_make || ' ' || item_model = ? LIMIT 1", model);
  const target = make === 'Tesla' ? ['Ford', 'Ranger'] : ['Tesla', 'Model X'];
  await changeDealers((dealers) => {
    dealers.find((d) => d.dealer_id === 'd01').vehicle_overrides = [
      { value: name, make: target[0], model: target[1] }, { value: 'Nobody knows', make: 'Ford', model: 'Falcon' }];
  });
  const now = [await views('d01'), await views('d02')];
  assert.equal(now[0].of[model], undefined, model);
  assert.equal(now[0].of[target.join(' ')], before[0].of[model] + (before[0].of[target.join(' ')] ?? 0));
  assert.match(now[0].caveats.join(), /vehicle_overrides: 1 names no model of the catalogue: "Nobody knows" \(Ford Falcon\)/);
  assert.deepEqual(now[1].of, before[1].of);
  await changeDealers((dealers) => { delete dealers.find((d) => d.dealer_id === 'd01').vehicle_overrides; });
  assert.deepEqual((await views('d01')).of, before[0].of);
});

// Sessions of d01 that began on a vehicle's page whose path names it so; of new and used vehicles.
function landedOn(name, { start_date, end_date }) {
  const slug = name.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  const rows = world.all(`SELECT v.item_condition AS kind, count(*) AS n FROM sessions s JOIN pages p ON p.property_id = s.property_id AND p.path = s.landing_page
    JOIN vehicles v ON v.page_id = p.page_id WHERE s.property_id = ? AND s.date BETWEEN ? AND ? AND p.page_type = 'item' AND lower(p.path) LIKE '%-' || ? || '-%' GROUP BY 1`,
  world.dealer('d01').property_id, start_date.replaceAll('-', ''), end_date.replaceAll('-', ''), slug);
  const sum = (is) => rows.filter((row) => is(row.kind)).reduce((n, row) => n + row.n, 0);
  return { all: sum(() => true), new: sum((kind) => kind === 'new'), used: sum((kind) => kind !== 'new') };
}

test('a_websites_own_name_of_a_vehicle_counts_in_the_explanation_of_a_change_and_on_its_pages', async () => {
  const days = { start_date: daysBefore(today, 60), end_date: daysBefore(today, 5) };
  const target = ['Rolls-Royce', 'Phantom'];
  assert.equal(world.one('SELECT count(*) AS n FROM vehicles WHERE item_make = ?', target[0]).n, 0);
  const models = async () => {
    const answer = await client.data('explain_change', { subject: 'd01', date_range: days, metric: 'sessions' });
    return { of: Object.fromEntries(objects(answer.parts).filter((p) => p.axis === 'model').map((p) => [p.part, p.sessions])), caveats: answer.caveats ?? [] };
  };
  const pages = async () => {
    const answer = await client.data('compare_landing_pages', { subject: 'd01', date_range: days });
    return { of: objects(answer.pages ?? answer).filter((p) => p.type === 'vehicle').map((p) => [...p.page.split('/').slice(-2), p.sessions]), caveats: answer.caveats ?? [] };
  };
  const known = world.all("SELECT DISTINCT item_make || ' ' || item_model AS model, item_model AS name FROM vehicles WHERE length(item_model) > 3");
  const shown = Object.keys((await models()).of);
  const { model, name } = known.find((v) => shown.includes(v.model));
  await changeDealers((dealers) => {
    dealers.find((d) => d.dealer_id === 'd01').vehicle_overrides = [
      { value: name, make: target[0], model: target[1] }, { value: 'Nobody knows', make: 'Ford', model: 'Falcon' }];
  });
  const sessions = landedOn(name, days);
  assert.ok(sessions.all > 0, name);
  const parts = await models(), landing = await pages();
  assert.equal(parts.of[model], undefined, model);
  assert.equal(parts.of[target.join(' ')], sessions.all, `sessions that began on pages of ${model}`);
  const shownPages = landing.of.filter(([, page]) => page === 'rolls-royce-phantom');
  assert.ok(shownPages.length > 0, 'a page of the model');
  for (const [condition, , n] of shownPages) assert.equal(n, sessions[condition], condition);
  for (const { caveats } of [parts, landing])
    assert.match(caveats.join(), /vehicle_overrides: 1 names no model of the catalogue: "Nobody knows" \(Ford Falcon\)/);
  await changeDealers((dealers) => { delete dealers.find((d) => d.dealer_id === 'd01').vehicle_overrides; });
  assert.ok((await models()).of[model] !== undefined, model);
});

test('every_metric_of_the_vehicle_tools_is_explained', async () => {
  const names = new Set(objects((await client.data('list_metrics', {})).metrics).map((m) => m.metric));
  for (const name of ['share', 'vdp_sessions', 'reach', 'session_s', 'bounce', 'expected', 'ratio', 'q', 'leads_per_100_sessions'])
    assert.ok(names.has(name), name);
  const found = objects((await client.data('list_metrics', { query: 'LEAD' })).metrics);
  assert.ok(found.length > 0 && found.length < names.size);
});
