// A Python with a package of PyPI: one that the caller names, else a virtual environment that is made
// once.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const MAKE_MS = 300_000; // Google's packages are large

const run = (program, args, timeout = 30_000) => execFileSync(program, args, { timeout, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });

function works(python, module) {
  try {
    run(python, ['-c', `import ${module}`]);
    return true;
  } catch {
    return false;
  }
}

function make(folder, requirement) {
  fs.mkdirSync(folder, { recursive: true });
  run('python3', ['-m', 'venv', folder], MAKE_MS);
  run(path.join(folder, 'bin/pip'), ['install', '--quiet', '--disable-pip-version-check', '--retries', '1', requirement], MAKE_MS);
}

// { python }, or { why } there is none. named: [name of the variable, its value]; module: what must be
// importable.
export function pythonWith({ folder, requirement, module, named: [variable, named] }) {
  if (named) return works(named, module) ? { python: named } : { why: `${named} (${variable}) cannot import ${module}` };
  const python = path.join(folder, 'bin/python');
  if (fs.existsSync(python) && works(python, module)) return { python };
  try {
    make(folder, requirement);
  } catch (error) {
    const detail = String(error.stderr || error.message).trim().split('\n').at(-1);
    return { why: `${requirement} could not be installed from PyPI: ${detail}` };
  }
  return works(python, module) ? { python } : { why: `${requirement} was installed but cannot be imported` };
}
