// Walks a JSON Schema beside a document that it accepts, and makes documents that differ from it in one
// place: by wrong types, lengths, ranges, letters, by keys that are missing, unknown or exclude each other.
// Everything comes from the schema, so a property that is added there is tried without a change here.
import Ajv from 'ajv/dist/2020.js';

const TYPES = [null, true, false, 0, -1, 1.5, 'x', '', [], {}, [1], [''], { x: 1 }];

export class Walker {
  constructor(schema, replaceExample = (value) => value) {
    this.schema = schema;
    this.replaceExample = replaceExample;
    this.ajv = new Ajv.default({ strict: false });
    this.compiled = new Map();
    this.described = [];
    this.describe(schema, '#');
  }

  // Collects every property that the schema describes, with its place: "#/$defs/dealer/properties/name".
  // What stands in a condition describes nothing.
  describe(node, pointer) {
    if (typeof node !== 'object') return;
    for (const list of ['allOf', 'anyOf', 'oneOf']) node[list]?.forEach((child, i) => this.describe(child, `${pointer}/${list}/${i}`));
    for (const key of ['then', 'else', 'items', 'additionalProperties']) if (node[key] !== undefined) this.describe(node[key], `${pointer}/${key}`);
    for (const [name, child] of Object.entries(node.$defs ?? {})) this.describe(child, `${pointer}/$defs/${name}`);
    for (const [name, child] of Object.entries(node.properties ?? {})) {
      if (typeof child === 'object') this.described.push([child, `${pointer}/properties/${name}`]);
      this.describe(child, `${pointer}/properties/${name}`);
    }
  }

  properties() {
    return this.described;
  }

  resolve(ref) {
    return ref.slice(2).split('/').reduce((node, key) => node[key], this.schema);
  }

  accepts(node, value) {
    if (!this.compiled.has(node)) {
      const alone = typeof node === 'object' ? { $defs: this.schema.$defs, ...node } : node;
      this.compiled.set(node, this.ajv.compile(alone));
    }
    return this.compiled.get(node)(value);
  }

  // Calls found(path, value, node, alternative) for each subschema that applies to each part of the value;
  // an alternative one would apply if the value were another.
  visit(found, value, node = this.schema, path = [], alternative = false) {
    if (typeof node !== 'object') return;
    found(path, value, node, alternative);
    const here = (child, other = alternative) => this.visit(found, value, child, path, other);
    if (node.$ref) here(this.resolve(node.$ref));
    for (const child of node.allOf ?? []) here(child);
    for (const child of [...(node.anyOf ?? []), ...(node.oneOf ?? [])]) here(child, alternative || !this.accepts(child, value));
    if (node.if !== undefined) {
      const holds = this.accepts(node.if, value);
      for (const [child, taken] of [[node.then, holds], [node.else, !holds]])
        if (child !== undefined) here(child, alternative || !taken);
    }
    if (alternative || value === null || typeof value !== 'object') return;
    if (Array.isArray(value)) value.forEach((item, i) => node.items && this.visit(found, item, node.items, [...path, i]));
    else
      for (const [key, item] of Object.entries(value)) {
        const child = node.properties?.[key] ?? (node.properties ? undefined : node.additionalProperties);
        if (child !== undefined) this.visit(found, item, child, [...path, key]);
      }
  }

  // What a subschema may be, by its examples, const and enum.
  examples(node, seen = new Set()) {
    if (typeof node !== 'object' || seen.has(node)) return [];
    seen.add(node);
    const own = [...(node.examples ?? []), ...(node.enum ?? []), ...('const' in node ? [node.const] : [])];
    const from = [node.$ref && this.resolve(node.$ref), node.then, node.else, ...(node.anyOf ?? []), ...(node.allOf ?? [])];
    const all = own.length > 0 ? own : from.filter(Boolean).flatMap((child) => this.examples(child, seen));
    return all.map(this.replaceExample);
  }

  // The parts of a document: { path, value, nodes, alternatives }.
  parts(document) {
    const parts = new Map();
    this.visit((path, value, node, alternative) => {
      const key = JSON.stringify(path);
      if (!parts.has(key)) parts.set(key, { path, value, nodes: [], alternatives: [] });
      parts.get(key)[alternative ? 'alternatives' : 'nodes'].push(node);
    }, document);
    return [...parts.values()];
  }

  // Yields [name, document].
  *mutants(document, { under = [], only = () => true } = {}) {
    for (const part of this.parts(document)) {
      if (!under.every((key, i) => part.path[i] === key) || !only(part, this)) continue;
      for (const [what, value] of this.changes(part)) yield [`${part.path.join('.')}: ${what}`, put(document, part.path, value)];
    }
  }

  *changes({ value, nodes, alternatives }) {
    for (const other of TYPES) yield [`is ${JSON.stringify(other)}`, other];
    for (const example of nodes.flatMap((node) => this.examples(node))) yield ['is an example', example];
    const known = nodes.flatMap((node) => [...(node.enum ?? []), ...('const' in node ? [node.const] : [])]);
    for (const word of known.filter((w) => typeof w === 'string')) for (const wrong of misspelt(word)) yield [`is off by a letter`, wrong];
    if (typeof value === 'string') yield* strings(value, nodes);
    else if (typeof value === 'number') yield* numbers(value, nodes);
    else if (Array.isArray(value)) yield* arrays(value, nodes);
    else if (value !== null && typeof value === 'object') yield* this.objects(value, nodes, alternatives);
  }

  *objects(value, nodes, alternatives) {
    for (const key of Object.keys(value)) {
      yield [`lacks ${key}`, without(value, key)];
      for (const wrong of misspelt(key)) yield [`${key} is misspelt`, { ...without(value, key), [wrong]: value[key] }];
    }
    for (const key of ['unknown', 'x y', 'é', '', '$schema', '__proto__x', 'X-Header']) yield [`has "${key}"`, { ...value, [key]: 'x' }];
    for (const node of [...nodes, ...alternatives])
      for (const [key, child] of Object.entries(node.properties ?? {})) {
        for (const example of this.examples(child)) yield [`has ${key}`, { ...value, [key]: example }];
        yield [`has ${key}: null`, { ...value, [key]: null }];
        // In place of each other key: what excludes what is seen from both sides.
        for (const gone of Object.keys(value))
          for (const example of this.examples(child).slice(0, 2)) yield [`has ${key}, not ${gone}`, { ...without(value, gone), [key]: example }];
      }
    for (const { propertyNames } of nodes)
      for (const n of propertyNames === undefined ? [] : [propertyNames.maxLength, propertyNames.maxLength + 1, 200])
        yield [`has a name of ${n} letters`, { ...value, ['X'.repeat(n)]: 'x' }];
    for (const { maxProperties } of nodes)
      for (const n of maxProperties === undefined ? [] : [maxProperties, maxProperties + 1])
        yield [`has ${n} members`, Object.fromEntries(Array.from({ length: n }, (_, i) => [`X-${i}`, 'x']))];
  }
}

const without = (object, gone) => Object.fromEntries(Object.entries(object).filter(([key]) => key !== gone));

export function put(document, path, value) {
  if (path.length === 0) return value;
  const [key, ...rest] = path;
  const copy = Array.isArray(document) ? [...document] : { ...document };
  copy[key] = put(document[key], rest, value);
  return copy;
}

function misspelt(word) {
  const swapped = word.length > 1 ? word[1] + word[0] + word.slice(2) : `${word}_`;
  return [...new Set([`${word}x`, word.slice(0, -1), swapped, word.toUpperCase(), ` ${word}`])].filter((w) => w !== word);
}

function* strings(v, nodes) {
  const edited = [` ${v}`, `${v} `, `${v}\t`, `${v}\n`, `\u0001${v}`, `${v}\u007f`, `${v}/`, `${v}é`, `~${v}`, `${v}:`, `${v}"`, `${v}@`,
    v.toUpperCase(), v.toLowerCase(), v.slice(1), v.slice(0, -1), v.replace('://', ':/'), v.replace('https:', 'http:'), v.replace('https:', 'HTTPS:'),
    v.replace(/^https?:\/\/[^/?]*/, 'http://127.0.0.1:8080'), v.replace(/^https?:\/\/[^/?]*/, 'http://127.0.0.1.evil.example'),
    v.replace(/^https?:\/\/[^/?]*/, 'http://localhost'), v.replace(/^https?:\/\/[^/?]*/, 'http://[::1]:99'), v.replace(/^https?:\/\/[^/?]*/, 'http://[::2]'),
    v.replace(/^https?:\/\/[^/?]*/, 'http://169.254.1.2'), v.replace(/^https?:\/\/[^/?]*/, 'http://[fd00:ec2::254]'),
    v.replace(/^https?:\/\/[^/?]*/, 'https://u:p@host.example'), v.replace(/^https?:\/\/[^/?]*/, 'https://host:port'),
    v.replace(/^https?:\/\/[^/?]*/, 'https://host:123456'), v.replace(/^https?:\/\/[^/?]*/, 'https://'), v.replace(/^https?:\/\/[^/?]*/, 'https://[::1'),
    v.replace(/^https?:\/\/[^/?]*/, 'https://[::1]x'), v.replace(/^https?:\/\/[^/?]*/, 'https://a[b]'), v.replace(/^https?:\/\/[^/?]*/, 'http://127.0.0.256'),
    v.replace(/^https?:\/\/[^/?]*/, `https://${'a'.repeat(255)}`), v.replace(/^https?:\/\/[^/?]*/, `https://${'a'.repeat(256)}`), 'ftp://host/', '0', '-'];
  for (const other of new Set(edited)) if (other !== v) yield [`is ${JSON.stringify(other).slice(0, 60)}`, other];
  // Around each bound, in the lengths of the whole and of what a pattern repeats.
  const bounds = new Set(nodes.flatMap((node) => [node.maxLength, ...[...(node.pattern ?? '').matchAll(/,(\d+)\}/g)].map((m) => Number(m[1]))]));
  for (const bound of [...bounds].filter(Boolean))
    for (let n = bound - 1; n <= bound + 11; n++) {
      if (n > bound + 1 && bound === Math.max(...[...bounds].filter(Boolean)) && bound > 100) break;
      const missing = n - v.length;
      if (missing <= 0) {
        yield [`has ${n} characters`, v.slice(0, n)];
        continue;
      }
      const middle = Math.ceil(v.length / 2);
      yield [`has ${n} characters`, v + (/\d$/.test(v) ? '7' : 'a').repeat(missing)];
      yield [`has ${n} characters, more in the middle`, v.slice(0, middle) + 'a'.repeat(missing) + v.slice(middle)];
      yield [`has ${n} characters, more in front`, 'a'.repeat(missing) + v];
    }
}

function* numbers(v, nodes) {
  const bounds = nodes.flatMap((node) => [node.minimum, node.maximum]).filter((n) => n !== undefined);
  for (const n of [v + 0.5, -v, 1e300, String(v), ...bounds.flatMap((b) => [b - 1, b - 0.5, b, b + 0.5, b + 1])]) yield [`is ${n}`, n];
}

// An item like another, but no two of them alike.
function alike(item, i) {
  if (typeof item === 'string') return /^\d+$/.test(item) ? String(10_000 + i) : item.includes('@') ? `a${i}${item}` : `${item}${i}`;
  if (item === null || typeof item !== 'object') return item;
  const copy = structuredClone(item);
  for (const key of ['id', 'dealer_id', 'account_id']) if (key in copy) copy[key] = `${copy[key]}${i}`;
  if ('property_id' in copy) copy.property_id = String(10_000 + i);
  if (Array.isArray(copy.properties)) copy.properties = [String(1_000_000 + i)];
  return copy;
}

function* arrays(v, nodes) {
  yield ['is empty', []];
  if (v.length === 0) return;
  yield ['repeats an item', [...v, v[0]]];
  for (let i = 0; i < v.length; i++) yield [`lacks item ${i}`, v.toSpliced(i, 1)];
  for (const bound of new Set(nodes.map((node) => node.maxItems).filter(Boolean)))
    for (const n of [bound, bound + 1])
      yield [`has ${n} items`, [...v, ...Array.from({ length: n - v.length }, (_, i) => alike(v.at(-1), i))]];
}
