// Fenced blocks of a page, and whether what they printed is what the page shows.
import fs from 'node:fs';

// Fenced blocks: { kind, text, line }.
export function blocksOf(file) {
  const text = fs.readFileSync(file, 'utf8');
  const fence = /^( *)```(.*)\n([\s\S]*?)^\1```$/gm;
  return [...text.matchAll(fence)].map(({ 1: indent, 2: kind, 3: body, index }) => ({
    kind,
    text: body.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
    line: text.slice(0, index).split('\n').length,
  }));
}

// Whether each line shown is among the lines printed, in this order.
export function prints(printed, shown) {
  const escape = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  let lines = printed.split('\n');
  return shown.trimEnd().split('\n').every((line) => {
    const pattern = new RegExp(`^${line.split('...').map(escape).join('.*')}$`);
    const at = lines.findIndex((candidate) => pattern.test(candidate));
    lines = lines.slice(at + 1);
    return at >= 0;
  });
}

// The blocks whose kind a test takes, each with the output shown for it.
export function withOutput(blocks, takes) {
  return blocks.flatMap((block, i) =>
    takes(block.kind) ? [{ ...block, shown: blocks[i + 1]?.kind === 'text' ? blocks[i + 1].text : undefined }] : [],
  );
}
