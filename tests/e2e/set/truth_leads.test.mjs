// Leads, shopper sessions and their rates beside GA4's metrics, and dealers with several properties,
// against SQL over the world.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, describe, test } from 'node:test';
import { Mcp } from './mcp.mjs';
import { assertSame, daysOf, siteOf } from './truth.mjs';
import { daysBefore, startOverWorld, todayIn } from './world.mjs';

const KINDS = {
  calls: ['asc_click_to_call'],
  chats: ['asc_comm_submission'],
  appointments: ['asc_form_submission_sales_appt', 'asc_form_submission_service_appt', 'asc_form_submission_test_drive'],
};
const PAGES = ['asc_item_pageview', 'asc_itemlist_pageview'];
// Settings that the dealers file of the test gives, beside what the world's has.
const SETTINGS = { d05: { qualified_session: 'engaged' }, d06: { qualified_session: 'event:asc_click_to_call' }, d07: { qualified_session: 'vdp_view' } };
const TWO = { dealer: 'd02', other: 'd10' }; // the first has the property of the second as well

let s, world, client, range, earlier, agency;

before(async () => {
  s = await startOverWorld({ env: { report: { REPORT_LEASE_MS: 0 }, gateway: { ANALYTICS_MCP_TOOLSETS: 'all' } } });
  world = s.world;
  const today = todayIn('UTC');
  range = { start_date: daysBefore(today, 40), end_date: daysBefore(today, 6) };
  earlier = { start_date: daysBefore(today, 75), end_date: daysBefore(today, 41) };
  const response = await fetch(`${s.set.sim}/sim/service-accounts`, { method: 'POST', body: JSON.stringify({ dealer_id: '*' }) });
  agency = await response.json();
  s.set.secrets.addJson(JSON.stringify(agency));
  const file = JSON.parse(fs.readFileSync(s.set.dealersFile, 'utf8'));
  for (const d of file.dealers) Object.assign(d, SETTINGS[d.dealer_id]);
  const entry = (id) => file.dealers.find((d) => d.dealer_id === id);
  // A property belongs to one dealer: the second dealer gives its own away.
  entry(TWO.dealer).properties.push(...entry(TWO.other).properties);
  delete entry(TWO.dealer).oauth;
  entry(TWO.dealer).service_account = agency;
  file.dealers = file.dealers.filter((d) => d.dealer_id !== TWO.other);
  fs.writeFileSync(s.set.dealersFile, JSON.stringify(file), { mode: 0o600 });
  await s.set.restart('auth');
  client = await Mcp.connect(s.set.url);
  for (let i = 0; i < 200; i++) {
    const answer = await client.call('run_report', { dealer_id: 'd01', metrics: ['sessions'] });
    if (!answer.isError) return;
    await sleep(50);
  }
  assert.fail('the set did not come back after the restart of auth-svc');
});
after(() => s?.stop());

const list = (names) => names.map((n) => `'${n}'`).join(', ');
const DIMENSIONS = { sessionDefaultChannelGroup: 's.channel', deviceCategory: 's.device', date: 's.date' };

// The parts by the values of the dimensions: { 'Direct|mobile': { sessions, leads, ... } }.
function partsOf(dealer, { from, to }, dimensions) {
  const site = siteOf(world, dealer);
  const columns = dimensions.map((d) => DIMENSIONS[d]);
  const key = columns.length ? columns.join(" || '|' || ") : "''";
  const out = new Map();
  const put = (name, sql) => {
    for (const row of world.all(sql, dealer.property_id, from, to)) {
      if (!out.has(row.key)) out.set(row.key, { sessions: 0, engaged: 0, leads: 0, lead_sessions: 0, shopper_sessions: 0, calls: 0, chats: 0, appointments: 0 });
      out.get(row.key)[name] += row.n ?? 0;
    }
  };
  const where = 's.property_id = ? AND s.date BETWEEN ? AND ?';
  const events = (names, n) => `SELECT ${key} AS key, ${n} AS n FROM events e JOIN sessions s USING (session_id)
    WHERE e.property_id = ? AND e.date BETWEEN ? AND ? AND e.name IN (${list(names)}) GROUP BY 1`;
  put('sessions', `SELECT ${key} AS key, count(*) AS n FROM sessions s WHERE ${where} GROUP BY 1`);
  put('engaged', `SELECT ${key} AS key, sum(engaged) AS n FROM sessions s WHERE ${where} GROUP BY 1`);
  if (site.event) {
    put('leads', events([site.event], 'sum(e.count)'));
    put('lead_sessions', events([site.event], 'count(DISTINCT e.session_id)'));
  }
  for (const [kind, names] of Object.entries(KINDS)) put(kind, events(names, 'sum(e.count)'));
  const setting = SETTINGS[dealer.dealer_id]?.qualified_session ?? 'inventory_page';
  const shopping = setting === 'vdp_view' ? PAGES.slice(0, 1) : setting.startsWith('event:') ? [setting.slice(6)] : PAGES;
  if (setting === 'engaged') for (const row of out.values()) row.shopper_sessions = row.engaged;
  else put('shopper_sessions', events(shopping, 'count(DISTINCT e.session_id)'));
  return out;
}

const per = (of, by, scale = 100) => (by > 0 ? (scale * of) / by : 0);
const METRICS = {
  sessions: (p) => p.sessions,
  leads: (p) => p.leads,
  lead_sessions: (p) => p.lead_sessions,
  shopper_sessions: (p) => p.shopper_sessions,
  calls: (p) => p.calls,
  chats: (p) => p.chats,
  appointments: (p) => p.appointments,
  leads_per_100_sessions: (p) => per(p.leads, p.sessions),
  leads_per_100_shopper_sessions: (p) => per(p.leads, p.shopper_sessions),
  shopper_rate: (p) => per(p.shopper_sessions, p.sessions, 1),
};
const names = Object.keys(METRICS);
const values = (parts) => Object.values(METRICS).map((f) => f(parts));
const rowsOf = (parts) => [...parts].map(([key, p]) => [...(key === '' ? [] : key.split('|')), ...values(p)]);
const byKey = (n) => (a, b) => String(a.slice(0, n)) < String(b.slice(0, n)) ? -1 : 1;
const added = (maps) => {
  const out = new Map();
  for (const [key, p] of maps.flatMap((m) => [...m])) {
    const sum = out.get(key) ?? {};
    out.set(key, Object.fromEntries(Object.keys(p).map((name) => [name, (sum[name] ?? 0) + p[name]])));
  }
  return out;
};

async function report(args) {
  const answer = await client.call('run_report', args);
  assert.equal(answer.isError, false, answer.text);
  return answer.result.structuredContent;
}
const known = (d) => siteOf(world, d).event && siteOf(world, d).pages;

describe('run_report', () => {
  for (const dimensions of [[], ['sessionDefaultChannelGroup'], ['sessionDefaultChannelGroup', 'deviceCategory']])
    test(`own_metrics_of_every_dealer_equal_sql: by ${dimensions.join(', ') || 'nothing'}`, async () => {
      let told = 0;
      for (const d of world.dealers.filter((x) => known(x) && ![TWO.dealer, TWO.other].includes(x.dealer_id))) {
        const answer = await report({ dealer_id: d.dealer_id, dimensions, metrics: names, date_ranges: [range], limit: 1000 });
        const n = dimensions.length;
        assertSame(answer.rows.toSorted(byKey(n)), rowsOf(partsOf(d, daysOf(d, range), dimensions)).toSorted(byKey(n)), d.dealer_id);
        assert.deepEqual(answer.columns, [...dimensions, ...names]);
        assert.match(answer.caveats.join(), new RegExp(`Leads are ${siteOf(world, d).event} `));
        told += /configured lead event/.test(answer.caveats.join());
      }
      assert.equal(told, world.dealers.filter((d) => known(d) && d.lead_event && ![TWO.dealer, TWO.other].includes(d.dealer_id)).length);
    });

  test('a_property_without_a_dealer_is_read_by_the_settings_of_the_dealer_that_owns_it', async () => {
    for (const id of ['d01', 'd05', 'd06', 'd07']) {
      const d = world.dealer(id);
      const metrics = ['leads', 'shopper_sessions'];
      const by = await report({ property_id: String(d.property_id), metrics, date_ranges: [range] });
      assertSame(by.rows, [[...partsOf(d, daysOf(d, range), []).values()].map((p) => [p.leads, p.shopper_sessions])[0]], id);
      assert.equal(by.dealer_id, id);
    }
  });

  test('order_limit_and_offset_are_over_the_joined_rows', async () => {
    const d = world.dealer('d03');
    const order = [{ metric: { metric_name: 'leads' }, desc: true }];
    const all = rowsOf(partsOf(d, daysOf(d, range), ['date'])).map((row) => [row[0], row[2]]);
    all.sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
    const pages = [];
    for (let offset = 0, next = 1; next !== 0; offset = next) {
      const page = await report({ dealer_id: 'd03', dimensions: ['date'], metrics: ['leads'], date_ranges: [range], order_bys: order, limit: 10, offset });
      assert.equal(page.row_count, all.length);
      pages.push(...page.rows);
      next = page.next_offset ?? 0;
    }
    assertSame(pages, all, 'pages');
  });

  test('two_date_ranges_have_their_rows_side_by_side', async () => {
    const d = world.dealer('d04');
    const answer = await report({ dealer_id: 'd04', dimensions: ['deviceCategory'], metrics: ['leads', 'sessions', 'leads_per_100_sessions'], date_ranges: [range, earlier] });
    const expected = [range, earlier].flatMap((r) => [...partsOf(d, daysOf(d, r), ['deviceCategory'])].map(([key, p]) =>
      [key, `${r.start_date} to ${r.end_date}`, p.leads, p.sessions, per(p.leads, p.sessions)]));
    assertSame(answer.rows.toSorted(byKey(2)), expected.toSorted(byKey(2)), 'rows');
  });

  test('a_filter_holds_for_all_parts', async () => {
    const d = world.dealer('d08');
    const answer = await report({ dealer_id: 'd08', metrics: names, date_ranges: [range], dimension_filter: { field: 'deviceCategory', value: 'mobile' } });
    assertSame(answer.rows, [values(partsOf(d, daysOf(d, range), ['deviceCategory']).get('mobile'))], 'mobile');
  });

  test('other_names_are_read_and_what_cannot_be_joined_is_refused_by_name', async () => {
    const answer = await report({ dealer_id: 'd03', metrics: ['lead_events', 'qualified_sessions', 'leadSessions'], date_ranges: [range] });
    const p = partsOf(world.dealer('d03'), daysOf(world.dealer('d03'), range), []).get('');
    assertSame(answer.rows, [[p.leads, p.shopper_sessions, p.lead_sessions]], 'aliases');
    const refused = async (args, text) => {
      const bad = await client.call('run_report', { dealer_id: 'd03', metrics: ['leads'], date_ranges: [range], ...args });
      assert.equal(bad.isError, true);
      assert.match(bad.text, text);
    };
    await refused({ dimensions: ['eventName'] }, /eventName: cannot be used with leads/);
    await refused({ metric_aggregations: ['TOTAL'] }, /metric_aggregations: cannot be used with leads/);
    await refused({ metrics: ['leads', 'visitz'] }, /metrics\[1\]: .*visitz is not a valid metric/);
  });

  test('unknown_is_not_0', async () => {
    const d = world.dealers.find((x) => x.dealer_id !== TWO.other && !SETTINGS[x.dealer_id] && (!siteOf(world, x).pages || !siteOf(world, x).event));
    assert.ok(d);
    const metric = siteOf(world, d).event ? 'shopper_sessions' : 'leads';
    const answer = await client.call('run_report', { dealer_id: d.dealer_id, metrics: [metric], date_ranges: [range] });
    assert.equal(answer.isError, true);
    assert.match(answer.text, /is not known/);
  });

  test('key_events_are_not_leads_and_say_so', async () => {
    const answer = await report({ dealer_id: 'd03', metrics: ['keyEvents'], date_ranges: [range] });
    assert.match(answer.caveats.join(), /one contact may count several times.*leads/s);
  });
});

describe('a dealer with two properties', () => {
  const both = () => [world.dealer(TWO.dealer), world.dealer(TWO.other)];
  const people = (d) => {
    const { from, to } = daysOf(d, range);
    return world.one(`SELECT count(DISTINCT user_id) AS n FROM sessions WHERE property_id = ? AND date BETWEEN ? AND ?`, d.property_id, from, to).n;
  };

  test('counts_are_added_rates_pooled_and_people_are_of_the_default_property', async () => {
    const metrics = ['sessions', 'engagementRate', 'totalUsers'];
    const answer = await report({ dealer_id: TWO.dealer, metrics, date_ranges: [range] });
    const sum = added(both().map((d) => partsOf(d, daysOf(d, range), []))).get('');
    assertSame(answer.rows, [[sum.sessions, sum.engaged / sum.sessions, people(both()[0])]], 'rows');
    assert.match(answer.caveats.join(), /2 properties together/);
    assert.match(answer.caveats.join(), /default one \(\d+\) alone: totalUsers/);
  });

  test('leads_are_added_each_by_the_events_of_its_site', async () => {
    const answer = await report({ dealer_id: TWO.dealer, dimensions: ['sessionDefaultChannelGroup'], metrics: names, date_ranges: [range], limit: 100 });
    const parts = added(both().map((d) => partsOf(d, daysOf(d, range), ['sessionDefaultChannelGroup'])));
    assertSame(answer.rows.toSorted(byKey(1)), rowsOf(parts).toSorted(byKey(1)), 'rows');
  });

  test('a_named_property_is_read_alone', async () => {
    for (const d of both()) {
      const answer = await report({ dealer_id: TWO.dealer, property_id: String(d.property_id), metrics: ['sessions'], date_ranges: [range] });
      assertSame(answer.rows, [[partsOf(d, daysOf(d, range), []).get('').sessions]], d.dealer_id);
    }
  });

  test('what_cannot_be_added_up_is_of_the_default_property_and_says_so', async () => {
    const answer = await report({ dealer_id: TWO.dealer, metrics: ['sessions'], date_ranges: [range], metric_aggregations: ['TOTAL'] });
    assertSame(answer.rows, [[partsOf(both()[0], daysOf(both()[0], range), []).get('').sessions]], 'rows');
    assert.match(answer.caveats.join(), /this answer is about its default one/);
  });

  for (const [tool, args] of [['get_property_details', {}], ['get_custom_dimensions_and_metrics', {}], ['search_fields', { query: 'sessions' }],
    ['list_google_ads_links', {}], ['list_property_annotations', {}], ['list_key_events', {}], ['list_data_streams', {}], ['get_property_quotas', {}],
    ['check_compatibility', { metrics: ['sessions'] }], ['run_realtime_report', { metrics: ['activeUsers'] }],
    ['run_funnel_report', { funnel_steps: [{ event: 'session_start' }] }],
    ['batch_run_reports', { requests: [{ metrics: ['sessions'] }] }]])
    test(`which_property_was_read_is_said_once_unless_the_caller_named_it: ${tool}`, async () => {
      const said = async (more) => {
        const { isError, text, result } = await client.call(tool, { dealer_id: TWO.dealer, ...args, ...more });
        assert.ok(!isError, text);
        return (result.structuredContent.caveats ?? []).filter((c) => c.includes(`this answer is about its default one, properties/${both()[0].property_id}, alone`)).length;
      };
      assert.equal(await said({}), 1);
      assert.equal(await said({ property_id: String(both()[1].property_id) }), 0);
    });

  test('reports_over_dealers_add_them_up_and_verdicts_are_of_the_default_one', async () => {
    const sum = added(both().map((d) => partsOf(d, daysOf(d, range), []))).get('');
    const across = await client.data('run_report_across_dealers', { dealer_ids: [TWO.dealer, 'd01'], metrics: ['sessions'], date_range: range });
    assert.equal(across.dealers.find((d) => d.dealer_id === TWO.dealer).rows[0].metric_values[0], sum.sessions);
    assert.match(across.caveats.join(), /All properties of .* are added up/);
    // A verdict rests on one site and its events.
    const compared = await client.call('compare_dealer_sessions', { subject: TWO.dealer, dealer_ids: [TWO.dealer, 'd01', 'd03', 'd04'], date_range: range });
    assert.equal(compared.isError, false, compared.text);
    assert.match(compared.text, /Only the default one of several properties was read for: /);
    const own = partsOf(both()[0], daysOf(both()[0], range), []).get('').sessions;
    assert.match(compared.text, new RegExp(`^d02\\t[^\\n]*\\t${own}\\t`, 'm'));
  });
});

describe('chats and texts', () => {
  // [chats, live chats, texts] of a dealer by SQL, and whether comm_type is registered there.
  const messagesOf = (d) => {
    const { from, to } = daysOf(d, range);
    const count = (which) => world.one(`SELECT coalesce(sum(count), 0) AS n FROM events WHERE property_id = ? AND date BETWEEN ? AND ?
      AND name = 'asc_comm_submission' AND ${which}`, d.property_id, from, to).n;
    const registered = world.one(`SELECT count(*) AS n FROM custom_dimensions WHERE property_id = ? AND parameter = 'comm_type'`, d.property_id).n === 1;
    return { registered, chats: count('1'), live: count(`comm_type = 'chat'`), texts: count(`comm_type = 'sms'`) };
  };
  const members = () => world.dealers.filter((d) => ![TWO.dealer, TWO.other].includes(d.dealer_id));

  test('they_are_told_apart_where_comm_type_is_registered_and_the_others_are_named', async () => {
    const answer = await client.data('compare_dealer_sessions', { dealer_ids: members().map((d) => d.dealer_id), date_range: range, detail: 'all', limit: 100 });
    let told = 0, all = 0;
    for (const d of members()) {
      const truth = messagesOf(d), row = answer.dealers.find((x) => x.dealer_id === d.dealer_id);
      assert.equal(row.chats, truth.chats, d.dealer_id);
      const known = truth.registered && truth.chats > 0;
      assert.deepEqual([row.live_chats, row.texts], known ? [truth.live, truth.texts] : [undefined, undefined], d.dealer_id);
      told += known;
      all += truth.chats > 0;
    }
    assert.ok(told > 0 && all > told);
    const said = answer.caveats.join('\n');
    assert.match(said, new RegExp(`Chats include texts at ${all - told} of ${all} dealers`));
    for (const d of members()) {
      const { registered, chats } = messagesOf(d);
      if (chats > 0 && !registered) assert.ok(said.split('\n').find((c) => c.includes('register comm_type')).includes(d.name), d.dealer_id);
    }
  });

  test('the_scorecard_says_what_the_subjects_were', async () => {
    const d = members().find((x) => messagesOf(x).registered && messagesOf(x).chats > 0);
    const { chats, live, texts } = messagesOf(d);
    const answer = await client.call('benchmark_dealer', { subject: d.dealer_id, date_range: range });
    assert.equal(answer.isError, false, answer.text);
    const plural = (n, word) => `${n} ${word}${n === 1 ? '' : 's'}`;
    assert.ok(answer.text.includes(`by comm_type: ${plural(live, 'live chat')}, ${plural(texts, 'text')}${chats > live + texts ? `, ${chats - live - texts} of another kind` : '.'}`), answer.text);
  });
});

describe('run_report_across_dealers', () => {
  test('own_metrics_are_resolved_per_dealer_and_pooled_from_their_parts', async () => {
    const members = ['d01', 'd03', 'd04', 'd05', 'd06', 'd07', 'd08'].map((id) => world.dealer(id)).filter(known);
    const dimensions = ['deviceCategory'];
    const answer = await client.data('run_report_across_dealers', {
      dealer_ids: members.map((d) => d.dealer_id), dimensions, metrics: names, date_range: range, limit_per_dealer: 100, pooled_limit: 100,
    });
    const tables = members.map((d) => partsOf(d, daysOf(d, range), dimensions));
    const flat = (row) => [...row.dimension_values, ...row.metric_values];
    members.forEach((d, i) => {
      const dealer = answer.dealers.find((x) => x.dealer_id === d.dealer_id);
      assertSame(dealer.rows.map(flat).toSorted(byKey(1)), rowsOf(tables[i]).toSorted(byKey(1)), d.dealer_id);
    });
    assertSame(answer.pooled.map(flat).toSorted(byKey(1)), rowsOf(added(tables)).toSorted(byKey(1)), 'pooled');
    assert.deepEqual(answer.pooled_metrics, names);
  });
});

describe('where they are found', () => {
  test('list_metrics_and_search_fields_show_them', async () => {
    const listed = await client.data('list_metrics', { query: 'leads_per_100_sessions' });
    assert.match(JSON.stringify(listed), /run_report_across_dealers/);
    const { columns, rows } = await client.data('search_fields', { dealer_id: 'd01', query: 'leads', kind: 'METRIC' });
    assert.ok(rows.some((row) => row[columns.indexOf('api_name')] === 'leads'), JSON.stringify(rows));
  });
});
