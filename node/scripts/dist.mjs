// Packs the package into target/dist, installs it into an empty folder with an empty cache, and runs the README's first
// snippet there. Usage: node scripts/dist.mjs LIBRARY NAME

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const [library, name] = process.argv.slice(2);
const root = fileURLToPath(new URL('..', import.meta.url));
const dist = resolve(root, '../target/dist');
const work = mkdtempSync(join(tmpdir(), 'lightning_db_dist_'));
const run = (cwd, program, ...args) => execFileSync(program, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
const size = (path) => `${(statSync(path).size / 1e6).toFixed(2)} MB`;

try {
  // The package in a folder of its own: the one binary of this build, and nothing that lies around.
  const source = join(work, 'package');
  mkdirSync(source);
  for (const part of ['package.json', 'index.mjs', 'index.d.mts', 'README.md', 'types']) {
    cpSync(join(root, part), join(source, part), { recursive: true });
  }
  copyFileSync(join(root, '../LICENSE'), join(source, 'LICENSE'));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  run(root, process.execPath, tsc, '-p', root, '--outDir', join(source, 'lib'), '--declaration', 'false', '--declarationDir', 'null');
  copyFileSync(library, join(source, name));
  if (process.platform !== 'win32') run(source, 'strip', process.platform === 'darwin' ? '-x' : '--strip-unneeded', name);
  const [{ filename, files, unpackedSize }] = JSON.parse(run(source, 'npm', 'pack', '--json', '--loglevel=error'));
  mkdirSync(dist, { recursive: true });
  copyFileSync(join(source, filename), join(dist, filename));
  console.log(`${filename}: ${size(join(dist, filename))}, ${files.length} files of ${(unpackedSize / 1e6).toFixed(2)} MB; library ${size(library)}, stripped ${size(join(source, name))}`);

  const folder = join(work, 'installed');
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  const flags = ['--cache', join(work, 'cache'), '--offline', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  run(folder, 'npm', 'install', join(dist, filename), ...flags);
  const [, snippet] = /^```js\n(.*?)^```$/ms.exec(readFileSync(join(root, 'README.md'), 'utf8'));
  writeFileSync(join(folder, 'snippet.mjs'), snippet);
  assert.equal(run(folder, process.execPath, 'snippet.mjs'), 'Alice\nundefined\nuser:1 = Alice\n');
  const required = "const { Database } = require('lightning-db'); Database.openSync('mydb').closeSync(); console.log('required')";
  assert.equal(run(folder, process.execPath, '-e', required), 'required\n');
  console.log('installed into an empty folder from an empty cache: the README runs, import and require both load');
} finally {
  rmSync(work, { recursive: true, force: true });
}
