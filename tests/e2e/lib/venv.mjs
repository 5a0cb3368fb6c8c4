// A Python with a package of PyPI: one that the caller names, else a virtual environment of the cache.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { cached } from './cache.mjs';

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

const within = (folder) => path.join(folder, 'bin/python');

function make(folder, requirement, module) {
  run('python3', ['-m', 'venv', folder], MAKE_MS);
  run(within(folder), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--retries', '1', requirement], MAKE_MS);
  if (!works(within(folder), module)) throw new Error(`${module} cannot be imported`);
}

// Whether the Python is there still and finds the package; importing all of it takes a second.
function isGood(folder, module) {
  try {
    run(within(folder), ['-c', `import importlib.util, sys; sys.exit(importlib.util.find_spec(${JSON.stringify(module.split('.')[0])}) is None)`]);
    return true;
  } catch {
    return false;
  }
}

// { python }, or { why } there is none. named: [name of the variable, its value]; module: what must be
// importable.
export function pythonWith({ requirement, module, named: [variable, named] }) {
  if (named) return works(named, module) ? { python: named } : { why: `${named} (${variable}) cannot import ${module}` };
  try {
    return { python: within(cached(`python-${requirement}`, (folder) => make(folder, requirement, module), (folder) => isGood(folder, module))) };
  } catch (error) {
    const detail = String(error.stderr || error.message).trim().split('\n').at(-1);
    return { why: `${requirement} could not be installed from PyPI: ${detail}` };
  }
}
