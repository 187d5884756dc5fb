// What is shipped: both kinds of module, types, the README, the examples, the error of the loader.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import * as module_ from 'lightning-db';

import { freshFolder } from './folder.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const examples = join(root, '../examples/node');
const require = createRequire(import.meta.url);
const tsc = join(root, 'node_modules/typescript/bin/tsc');

/** The small programs, and what they print. */
const EXAMPLES = {
  quickstart: /user:2 = Bob/,
  transfer: /together 2000/,
  prefix_scan: /Beloved, Ulysses/,
  backup: /monday/,
};

/** Runs a program in a folder and gives what it prints; it must print no error. */
function run(folder, ...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  assert.equal(status, 0, `${stdout}\n${stderr}`);
  assert.equal(stderr, '');
  return stdout;
}

test('nothing steers disks in a library for users', () => {
  assert.equal(require('../lib/native.js').native.testDisk, undefined);
});

/** A folder in which the package is installed. */
function installed(t) {
  const folder = freshFolder(t);
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(root, join(folder, 'node_modules/lightning-db'));
  return folder;
}

test('import and require give the same classes and the same names', () => {
  const required = require('lightning-db');
  const { default: whole, ...named } = module_;
  assert.equal(whole, required);
  assert.deepEqual(Object.keys(named).sort(), Object.keys(required).sort());
  for (const name of Object.keys(required)) assert.equal(named[name], required[name], name);
  assert.equal(required.version, require('lightning-db/package.json').version);
});

test('the generated files are those of the engine and of the sources', () => {
  execFileSync(process.execPath, [join(root, 'scripts/generate.mjs'), '--check'], { stdio: 'pipe' });
});

test('the types say what the calls do, strictly, in examples too', () => {
  const strict = ['--ignoreConfig', '--strict', '--noEmit', '--target', 'es2022', '--lib', 'es2022,esnext.disposable', '--types', 'node', '--skipLibCheck', 'false'];
  const modules = ['--module', 'nodenext', '--moduleResolution', 'nodenext'];
  run(root, tsc, ...strict, ...modules, 'test/types.ts', 'test/types.cts');
  const paths = ['folder', ...Object.keys(EXAMPLES)].map((name) => join(examples, `${name}.mjs`));
  const typeRoots = ['--typeRoots', join(root, 'node_modules/@types')];
  run(examples, tsc, ...strict, ...modules, ...typeRoots, '--allowJs', '--checkJs', '--noImplicitAny', 'false', ...paths);
});

test('the examples run, in a folder of their own and in a given one', (t) => {
  for (const [name, pattern] of Object.entries(EXAMPLES)) {
    const folder = freshFolder(t);
    assert.match(run(folder, join(examples, `${name}.mjs`), join(folder, 'work')), pattern);
    assert.equal(readdirSync(join(folder, 'work')).length > 0, true);
    assert.match(run(folder, join(examples, `${name}.mjs`)), pattern);
  }
});

test('the README runs, and prints what it says', (t) => {
  const blocks = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code);
  assert(blocks.length > 6);
  const folder = installed(t);
  writeFileSync(join(folder, 'readme.mjs'), blocks.join('\n'));
  const printed = run(folder, 'readme.mjs');
  const said = [...blocks.join('\n').matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, text]) => text);
  assert(said.length > 6);
  let at = 0;
  for (const line of said) {
    const next = printed.indexOf(`${line}\n`, at);
    assert(next >= at, `${line} is not in\n${printed}`);
    at = next;
  }
  assert(printed.includes('item:10\nitem:100\nitem:101\n'), printed);
});

test('a library that is not there is an error that says what was looked for', (t) => {
  const folder = installed(t);
  const script = "require('lightning-db')";
  const load = (code, LIGHTNING_DB_NATIVE) =>
    spawnSync(process.execPath, ['-e', code], { cwd: folder, encoding: 'utf8', env: { ...process.env, LIGHTNING_DB_NATIVE } });
  const missing = load(script, join(folder, 'nowhere.node'));
  assert.equal(missing.status, 1);
  assert.match(missing.stderr, /no native library for .*Looked for:\n.*nowhere\.node \(from LIGHTNING_DB_NATIVE\)/s);
  const elsewhere = load(`Object.defineProperty(process, 'platform', { value: 'plan9' }); ${script}`, '');
  assert.match(elsewhere.stderr, /no native library for plan9-.*There is no binary for it.*LIGHTNING_DB_NATIVE/s);
  // The one that is named is the one that is loaded.
  const named = join(folder, 'named.node');
  copyFileSync(join(root, readdirSync(root).find((name) => name.endsWith('.node'))), named);
  const own = load(`${script}; console.log(Object.keys(require.cache).filter((name) => name.endsWith('.node')).join())`, named);
  assert.equal(own.stdout, `${named}\n`, own.stderr);
});

test('what npm would ship is what is needed', (t) => {
  // A library of no bytes: npm would compress that of the dev profile, which is large.
  const copy = join(freshFolder(t), 'node');
  cpSync(root, copy, { recursive: true, filter: (path) => !path.endsWith('node_modules') && !path.endsWith('.node') });
  for (const name of readdirSync(root).filter((name) => name.endsWith('.node'))) writeFileSync(join(copy, name), '');
  const [{ files }] = JSON.parse(execFileSync('npm', ['pack', '--dry-run', '--json'], { cwd: copy, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  const names = files.map(({ path }) => path);
  for (const name of ['README.md', 'index.mjs', 'index.d.mts', 'lib/index.js', 'types/index.d.ts']) assert(names.includes(name), name);
  for (const name of names) assert.match(name, /^(README\.md|LICENSE|package\.json|index\.(mjs|d\.mts)|lib\/\w+\.js|types\/\w+\.d\.ts|lightning-db\.[\w-]+\.node)$/);
});
