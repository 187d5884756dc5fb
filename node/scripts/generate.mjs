// Writes what is generated: `src-ts/generated.ts` from the tables of the native library, then `types/` from the sources.
// Needs the compiled `lib/` and the native library. Usage: node scripts/generate.mjs [--check]; with it, nothing is
// written, and a difference is an error.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(import.meta.url);

const TYPES = {
  'a whole number': 'number | bigint',
  'a number of seconds': 'number',
  'true or false': 'boolean',
};

const union = (names) => names.map((name) => `'${name}'`).join(' | ');

/** The words of a text such as `a, b or c`. */
const wordsOf = (takes) => takes.split(/, | or /);

function typeOf(takes) {
  if (TYPES[takes] !== undefined) return TYPES[takes];
  const words = wordsOf(takes);
  if (words.includes('strong')) return 'Consistency';
  if (words.length < 2 || !words.every((word) => /^[a-z-]+$/.test(word))) {
    throw new Error(`no type for an option that takes ${takes}`);
  }
  return union(words);
}

/** A `const enum`, which leaves nothing but its numbers. */
const numbers = (what, name, pairs) => [
  '',
  `/** @internal ${what} */`,
  `export const enum ${name} {`,
  ...pairs.map(([key, number]) => `  ${key} = ${number},`),
  '}',
];

/** Those that a keyspace takes; the tests hold the list against the engine. */
const KEYSPACE_OPTIONS = ['page_size', 'compression_type', 'compression_level', 'comparator'];

/** What the groups of figures are. */
const FIGURES = {
  Metrics:
    'Figures about the work of a database since it was opened. Rates, averages and quantiles are about the time since the last call that is at least'
    + ' 10 seconds old, or since the database was opened.',
  MemoryStats: 'Memory that a database uses, in bytes.',
};

/** What the groups of the native library's `wire` are. */
const WIRE = {
  Word: 'Places in the words that are shared with the native library.',
  Form: 'Bits of `Word.Form`.',
  Found: 'What the native library gives in place of a value that is not in memory, and of the length of one that is absent.',
  Target: 'Numbers that stand for the database itself, and for a keyspace of another handle of a database.',
  Packing: 'Packed writes: the length of what stands in front of a key, and the kinds.',
};

function tables({ kinds, options, figures, wire }) {
  assert.deepEqual(Object.keys(wire), Object.keys(WIRE));
  const levels = wordsOf(options.find(([name]) => name === 'default_level')[1]);
  return [
    '// Made by `make generate-node` from the tables of the native library.',
    '',
    '/** Name of a kind of error, the same in every language. */',
    'export type ErrorCode =',
    ...kinds.map(([, name], index) => `  | '${name}'${index === kinds.length - 1 ? ';' : ''}`),
    '',
    '/**',
    ' * How far a write has got when it is acknowledged: on stable storage (the default), with the operating system, or in',
    ' * memory, in order.',
    ' */',
    `export type Consistency = ${union(levels)};`,
    '',
    '/** Options of the engine. One that is left out has its default, or for a folder that is open in this process, the value in force. */',
    'export interface EngineOptions {',
    ...options.flatMap(([name, takes, about]) => [`  /** ${about} */`, `  ${name}?: ${typeOf(takes)};`]),
    '}',
    '',
    '/** Options of the engine that a keyspace has too; its `compression_type` may also be 0, which is none. */',
    `export type KeyspaceEngineOptions = Pick<EngineOptions, ${union(KEYSPACE_OPTIONS)}>;`,
    ...Object.entries(figures).flatMap(([type, names]) => [
      '',
      `/** ${FIGURES[type]} */`,
      `export interface ${type} {`,
      ...names.flatMap(([name, meaning]) => [`  /** ${meaning} */`, `  ${name}: number;`]),
      '}',
    ]),
    ...numbers('Numbers of the kinds of errors.', 'ErrorNumber', kinds.map(([number, name]) => [name, number])),
    ...Object.entries(wire).flatMap(([name, group]) => numbers(WIRE[name], name, Object.entries(group))),
    '',
  ].join('\n');
}

/** Removes the declarations that those of the entry do not need, and says in the others where they come from. */
function finish(folder) {
  const needed = new Set();
  const visit = (name) => {
    if (needed.has(name)) return;
    needed.add(name);
    const text = readFileSync(join(folder, `${name}.d.ts`), 'utf8');
    for (const [, next] of text.matchAll(/from '\.\/(\w+)'/g)) visit(next);
  };
  visit('index');
  for (const file of readdirSync(folder)) {
    const path = join(folder, file);
    if (needed.has(file.replace(/\.d\.ts$/, ''))) {
      writeFileSync(path, `// Made by \`make generate-node\` from src-ts.\n\n${readFileSync(path, 'utf8')}`);
    } else {
      rmSync(path);
    }
  }
}

/** Files of a folder with their text. */
const texts = (folder) => Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]));

function compile(...flags) {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '-p', root, ...flags], { stdio: 'inherit' });
}

/** Compares what would be written with what is there. */
function check(text) {
  const folder = mkdtempSync(join(tmpdir(), 'lightning_db_types_'));
  try {
    compile('--emitDeclarationOnly', '--declarationDir', folder);
    finish(folder);
    assert.equal(readFileSync(generated, 'utf8'), text, 'src-ts/generated.ts is not what the native library says');
    assert.deepEqual(texts(join(root, 'types')), texts(folder), 'types/ is not what the sources say');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const generated = join(root, 'src-ts/generated.ts');
const text = tables(require('../lib/native.js').native);
if (process.argv.includes('--check')) {
  check(text);
} else {
  writeFileSync(generated, text);
  rmSync(join(root, 'types'), { recursive: true, force: true });
  compile();
  finish(join(root, 'types'));
}
