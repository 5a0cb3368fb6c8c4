'use strict';
// What the pages share: the view's side of MCP Apps (revision 2026-01-26), which is JSON-RPC over
// postMessage with the host's window, and the parts of an answer that all pages show. Every text of
// an answer enters the page as textContent; nothing is fetched and nothing is asked of the server.

// ------------------------------------------------------------------ elements

function element(tag, className, text) {
  const e = document.createElement(tag);
  if (className) e.className = className;
  if (text !== undefined) e.textContent = text;
  return e;
}

function svg(tag, attributes, text) {
  const e = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes ?? {})) e.setAttribute(name, String(value));
  if (text !== undefined) e.textContent = text;
  return e;
}

// A legend of [draw(svg), words]: what the marks mean, without naming colours.
function legend(items) {
  const list = element('div', 'legend');
  for (const [mark, words] of items) {
    const item = element('span');
    const picture = svg('svg', { width: 26, height: 14, 'aria-hidden': 'true' });
    picture.append(...mark);
    item.append(picture, element('span', '', words));
    list.append(item);
  }
  return list;
}

// One row of a chart: { name, detail, value, tone, marks }, marks being elements of its track.
function row({ name, detail, value, tone, marks }) {
  const e = element('div', `row ${tone ?? ''}`.trim());
  const label = element('div', 'label');
  label.append(element('span', 'name', name));
  if (detail) label.append(element('span', 'detail', detail));
  const track = element('div', 'track');
  track.setAttribute('aria-hidden', 'true');
  track.append(...marks);
  e.setAttribute('role', 'listitem');
  e.append(label, track, element('div', 'value', value ?? ''));
  return e;
}

// An element of a track from one place to another, or at one place; both as parts of 1.
function mark(className, from, to) {
  const e = element('div', className);
  e.style.left = `${100 * from}%`;
  if (to !== undefined) e.style.width = `${100 * (to - from)}%`;
  return e;
}

// ------------------------------------------------------------------ answers

// Rows of a table { columns, rows } as objects; what is not known is left out.
function rowsOf(table) {
  if (!Array.isArray(table?.columns) || !Array.isArray(table?.rows)) return [];
  return table.rows.map((cells) =>
    Object.fromEntries(table.columns.map((name, i) => [name, cells[i]]).filter(([, v]) => v !== null && v !== undefined)));
}

function isNumber(v) {
  return typeof v === 'number' && Number.isFinite(v);
}

// ------------------------------------------------------------------ numbers and words

function rounded(v, digits) {
  return v.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits }).replace('-', '\u2212');
}

function signed(v, digits) {
  const text = rounded(v, digits);
  return v > 0 && Number(v.toFixed(digits)) !== 0 ? `+${text}` : text.replace(/^\u2212(0(\.0*)?)$/, '$1');
}

// How a metric reads, by its name in the answers (list_metrics explains each).
function figure(metric, v) {
  if (/_per_/.test(metric)) return rounded(v, 2);
  if (/_rate$|_reach$|^srp_to_vdp$|share$/.test(metric)) return `${rounded(100 * v, 1)} %`;
  return rounded(v, 0);
}

const SHORT = /\b(vdp|srp|suv|ev|phev|ice)\b/g;

function words(name) {
  const text = String(name).replaceAll('_', ' ').replace(SHORT, (word) => word.toUpperCase());
  return text.charAt(0).toUpperCase() + text.slice(1);
}

// A verdict as it stands in the answer: NO_CLEAR_DIFFERENCE, no_clear_change. Those that are not
// verdicts are left out.
function verdict(word) {
  const text = String(word ?? '').toLowerCase();
  return text === 'context_only' || text === 'not_judged' ? '' : text.replaceAll('_', ' ');
}

function sentence(parts) {
  return parts.filter(Boolean).join(' \u00b7 ');
}

// The smallest round number that is not below v.
const ENDS = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];

function roundUp(v, among = ENDS) {
  if (!(v > 0)) return 1;
  const unit = 10 ** Math.floor(Math.log10(v));
  return among.map((x) => x * unit).find((x) => x >= v * (1 - 1e-9));
}

// ------------------------------------------------------------------ the parts of every answer

const LISTED = 5;

function leftOut(coverage) {
  const names = (coverage?.failed ?? []).map((f) => f.name ?? f.dealer_id);
  const more = names.length > LISTED ? ` and ${names.length - LISTED} more` : '';
  const unseen = coverage?.failed_undisclosed ? `${coverage.failed_undisclosed} that you may not see` : '';
  return [names.slice(0, LISTED).join(', ') + more, unseen].filter(Boolean).join('; ');
}

function scope(answer) {
  const { period, coverage } = answer;
  return sentence([
    period?.start_date && `${period.start_date} to ${period.end_date}`,
    coverage && isNumber(coverage.ok) && `${coverage.ok} of ${coverage.asked} dealers`,
  ]);
}

function caveats(list) {
  const e = element('details', 'caveats');
  e.append(element('summary', '', `To keep in mind (${list.length})`));
  const items = element('ul', 'notes');
  items.append(...list.map((text) => element('li', '', text)));
  e.append(items);
  return e;
}

function plainText(result) {
  return (result?.content ?? []).filter((c) => c?.type === 'text').map((c) => element('p', '', c.text));
}

function fill(main, result, draw) {
  const answer = result?.structuredContent;
  if (result?.isError || typeof answer !== 'object' || answer === null) {
    main.append(...plainText(result));
    return;
  }
  if (answer.headline) main.append(element('h1', '', answer.headline));
  main.append(element('p', 'quiet', scope(answer)));
  const missing = leftOut(answer.coverage);
  if (missing) main.append(element('p', 'warning', `In no figure: ${missing}.`));
  const chart = element('div', 'chart');
  main.append(chart);
  draw(chart, answer);
  if (chart.childNodes.length === 0) chart.append(element('p', 'quiet', 'There is nothing to draw; the answer says why.'));
  const notes = [...(answer.notes ?? []), ...(answer.caveats ?? [])];
  if (notes.length > 0) main.append(caveats(notes));
}

// ------------------------------------------------------------------ host

// Speaks with the host until the page is closed; draw(chart, structuredContent) puts the picture
// into an empty element, and is called again when the width changes.
function runApp(name, draw) {
  const main = document.getElementById('answer');
  const post = (message) => window.parent.postMessage({ jsonrpc: '2.0', ...message }, '*');
  const notify = (method, params) => post({ method, params });
  let result = null;
  let size = { width: 0, height: 0 };

  function show() {
    main.replaceChildren();
    try {
      fill(main, result, draw);
    } catch (error) { // an answer of another version: the text stands for itself
      main.replaceChildren(element('p', 'quiet', 'This answer cannot be drawn here.'), ...plainText(result));
      notify('notifications/message', { level: 'error', logger: name, data: String(error) });
    }
    main.removeAttribute('aria-busy');
  }

  function applyContext(context) {
    const root = document.documentElement;
    if (context?.theme === 'light' || context?.theme === 'dark') root.style.colorScheme = context.theme;
    for (const [key, value] of Object.entries(context?.styles?.variables ?? {}))
      if (/^--[a-z0-9-]+$/.test(key) && typeof value === 'string') root.style.setProperty(key, value);
  }

  const handlers = {
    'ui/notifications/tool-result': (params) => { result = params; show(); },
    'ui/notifications/tool-cancelled': () => {
      main.replaceChildren(element('p', 'quiet', 'The call was cancelled.'));
    },
    'ui/notifications/host-context-changed': applyContext,
  };

  function reply(message) {
    const known = message.method === 'ping' || message.method === 'ui/resource-teardown';
    if (known) post({ id: message.id, result: {} });
    else post({ id: message.id, error: { code: -32601, message: 'Method not found' } });
  }

  function initialized(context) {
    applyContext(context);
    notify('ui/notifications/initialized', {});
    new ResizeObserver(measure).observe(document.body);
  }

  function measure() {
    const now = { width: window.innerWidth, height: Math.ceil(document.body.getBoundingClientRect().height) };
    const wider = now.width !== size.width;
    if (!wider && now.height === size.height) return;
    if (wider && size.width > 0 && result !== null) show();
    size = { width: now.width, height: Math.ceil(document.body.getBoundingClientRect().height) };
    notify('ui/notifications/size-changed', size);
  }

  window.addEventListener('message', ({ source, data }) => {
    if (source !== window.parent || data?.jsonrpc !== '2.0') return;
    if (data.method === undefined) {
      if (data.id === 1 && data.result) initialized(data.result.hostContext);
    } else if (data.id !== undefined) reply(data);
    else handlers[data.method]?.(data.params);
  });

  post({
    id: 1,
    method: 'ui/initialize',
    params: {
      protocolVersion: '2026-01-26',
      appInfo: { name, version: '1' },
      appCapabilities: { availableDisplayModes: ['inline', 'fullscreen'] },
    },
  });
}
