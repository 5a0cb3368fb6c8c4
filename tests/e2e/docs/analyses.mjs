// What docs/ANALYSES.md shows of real answers: for each block the calls, and which lines and columns of their texts.
// Everything is asked about one day and world, so that the answers are the same on every other day.
export const DAY = '2026-11-30', SUNDAY = '2026-11-22'; // the last that Google has finished on it

// So many weeks, up to some before a Sunday.
const weeksTo = (sunday) => (n, before = 0) => {
  const day = (back) => new Date(Date.parse(sunday) - back * 86_400_000).toISOString().slice(0, 10);
  return { start_date: day(7 * (n + before) - 1), end_date: day(7 * before) };
};
const table = (columns, rows) => ({ columns: columns.split(' '), rows });
const first = (n) => (_, i) => i < n;
const among = (...names) => (row) => names.some((name) => row.includes(name));

// { heading, world (a planted one), calls: [[tool, arguments, what is shown]] }. `headline`: the first line. `facts`:
// lines by their names. Tables by columns that one of them has, with the rows that a function of (cells, place) takes.
export const blocksTo = (sunday, weeks = weeksTo(sunday)) => [
  { heading: 'Where does my traffic come from, and does it convert?', calls: [['compare_traffic_sources',
    { subject: 'd13', by: 'channel', date_range: weeks(13) }, { headline: true, tables: [
      table('source sessions share others_share leads expected index index_low index_high standing', among('Organic Search', 'Direct', 'Paid Social'))] }]] },
  { heading: 'Which landing pages over- or under-perform?', calls: [['compare_landing_pages',
    { subject: 'd13', date_range: weeks(52) }, { headline: true, tables: [
      table('page type sessions lead_sessions expected ratio ratio_low ratio_high q verdict', among('/used-vehicles/', '/service/', '/schedule-service/', '/finance/'))] }]] },
  { heading: 'Why did my leads drop?', calls: [['explain_change',
    { subject: 'd13', metric: 'sessions', date_range: weeks(13) }, { headline: true, tables: [
      table('axis part sessions_before sessions contribution explains beyond_market', among('Direct', 'Organic Search', 'desktop', 'list', 'Beaverton'))] }]] },
  { heading: 'How is my website performing relative to the region?', calls: [['benchmark_dealer',
    { subject: 'd01', date_range: weeks(13) }, { headline: true, tables: [
      table('metric value benchmark index index_low index_high rank of standing p50', among('shopper_rate', 'srp_to_vdp', 'leads_per_100_sessions')),
      table('metric mix_index mix_low mix_high gap_mix gap_rate change_percent others_change_percent', among('shopper_rate', 'srp_to_vdp', 'leads_per_100_sessions')),
      table('channel sessions share benchmark_share leads_per_100_sessions benchmark_leads_per_100_sessions', among('Organic Search', 'Paid Search'))] }]] },
  { heading: 'How is my trend against the region?', calls: [['compare_trends',
    { subject: 'd17', metric: 'srp_to_vdp', date_range: weeks(13) }, { headline: true, facts: ['trend'], tables: [
      table('label start_date value benchmark index index_low index_high holidays', among('2026-W46', '2026-W47')),
      table('against percent low_percent high_percent verdict market_percent relative_percent relative_verdict', () => true)] }]] },
  { heading: 'Which models are shoppers most engaged with across our sites?', calls: [['analyze_vehicle_interest', {}, { headline: true, facts: ['totals'], tables: [
    table('model body views share low high share_change_pp vdp_sessions reach session_s bounce dealers leads', first(3))] }]] },
  { heading: 'Top models by region; the share of SUVs, trucks, hybrids, EVs, new and used', calls: [['analyze_vehicle_interest', {}, { tables: [
    table('axis name views share', among('suv', 'sedan', 'truck', 'hybrid', 'ev', 'ice_or_unknown', 'new')),
    table('region rank model views share', (row) => row[1] === '1')] }]] },
  { heading: 'Which models get views but few leads?', calls: [['vehicle_lead_conversion', { date_range: weeks(26) }, { headline: true, facts: ['unattributed'], tables: [
    table('model vdp_sessions lead_sessions lead_rate expected ratio ratio_low ratio_high q verdict', among('Ford F-150', 'Jeep Grand Cherokee'))] }]] },
  { heading: 'Which models are rising or falling?', calls: [['vehicle_movers', {}, { headline: true, tables: [
    table('comparison model share_before share change_pp low_pp high_pp dealers_up dealers q verdict', first(2))] }]] },
  { heading: 'Any other figure, then and now, or of one dealer beside the others', calls: [
    ['run_report_across_dealers', { by: 'region', metrics: ['sessions', 'engagementRate'], date_range: weeks(13), compare_to: weeks(13, 13) },
      { tables: [table('of metric value before change_percent low_percent high_percent verdict', first(3))] }],
    ['run_report_across_dealers', { subject: 'd13', dimensions: ['deviceCategory'], metrics: ['sessions', 'engagementRate', 'averageSessionDuration'], date_range: weeks(26) },
      { tables: [table('deviceCategory metric value others index index_low index_high standing', (row) => row[0] !== 'desktop' && (row[0] === 'mobile' || row[1] === 'sessions'))] }]] },
  { heading: 'Which contacts count as leads?', calls: [['list_metrics', { query: 'leads_per_100_sessions' }, { tables: [
    table('dealers lead_event kind source beside names', (row) => Number(row[0]) <= 5)] }]] },
  { heading: 'Can the data be trusted?',
    world: { dealers: 12, regions: 1, days: 130, plant: ['bot_wave:d02', 'gap:d03', 'duplicates:d04', 'late_start:d05', 'consent_shift:d06', 'key_events:d07', 'self_referral:d08'] },
    calls: [['check_data_health', {}, { headline: true, tables: [table('dealer_id sign what unusable', among('suspect_traffic', 'gap', 'late_start', 'key_events'))] }]] },
];

const WIDTH = 112, CELL = 44;

// A text in lines of at most so many columns.
function wrap(text, width) {
  const lines = [''];
  for (const word of text.split(' ')) {
    if (lines.at(-1) !== '' && lines.at(-1).length + 1 + word.length > width) lines.push('');
    lines[lines.length - 1] += `${lines.at(-1) === '' ? '' : ' '}${word}`;
  }
  return lines;
}

// Rows of cells in aligned columns; long cells go on below.
function aligned(rows) {
  const width = rows[0].map((_, c) => Math.min(CELL, Math.max(...rows.map((row) => row[c].length))));
  return rows.flatMap((row) => {
    const cells = row.map((cell, c) => wrap(cell, width[c]));
    return Array.from({ length: Math.max(...cells.map((lines) => lines.length)) }, (_, i) =>
      cells.map((lines, c) => (lines[i] ?? '').padEnd(width[c])).join(' ').trimEnd());
  });
}

// The tables of the text of an answer: { columns, rows }.
function tablesOf(text) {
  const tables = [];
  let open;
  for (const line of text.split('\n')) {
    if (!line.includes('\t')) open = undefined;
    else if (open) open.rows.push(line.split('\t'));
    else tables.push((open = { columns: line.split('\t'), rows: [] }));
  }
  return tables;
}

// What a block shows of a text; an error when a line, column or row of it is not there.
export function shown(text, { headline, facts = [], tables = [] }) {
  const lines = headline ? wrap(text.split('\n')[0], WIDTH) : [];
  for (const name of facts) {
    const fact = text.split('\n').find((line) => line.startsWith(`${name}: `));
    if (fact === undefined) throw new Error(`the answer has no line "${name}"`);
    lines.push(...wrap(fact, WIDTH));
  }
  const parts = lines.length > 0 ? [lines] : [];
  for (const { columns, rows } of tables) {
    const all = tablesOf(text), found = all.find((t) => columns.every((c) => t.columns.includes(c)));
    if (found === undefined) throw new Error(`no table has ${columns}: ${all.map((t) => t.columns.join(' ')).join(' | ')}`);
    const kept = found.rows.filter(rows).map((row) => columns.map((c) => row[found.columns.indexOf(c)]));
    if (kept.length === 0) throw new Error(`no row of ${columns} is chosen`);
    parts.push(aligned([columns, ...kept]));
  }
  return parts;
}

// A page with other texts in the block of a heading.
export function withBlock(page, heading, text) {
  const at = page.indexOf(`\n## ${heading}\n`), from = page.indexOf('```\n', at), to = page.indexOf('\n```', from);
  if (at < 0 || from < 0 || to < 0) throw new Error(`docs/ANALYSES.md has no block below "${heading}"`);
  return { before: page.slice(from + 4, to), page: `${page.slice(0, from + 4)}${text}${page.slice(to)}` };
}
