// Every conformance case, once through the promises and once through the calls with Sync in their names.

import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { freshFolder } from './folder.mjs';
import { replay } from './runner.mjs';

const folder = fileURLToPath(new URL('../../bindings/conformance', import.meta.url));
const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
const cases = files.flatMap((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')));
const replayed = { promises: 0, sync: 0 };

assert.equal(new Set(cases.map(({ name }) => name)).size, cases.length, 'names are unique');

for (const isSync of [false, true]) {
  const way = isSync ? 'sync' : 'promises';
  for (const [index, one] of cases.entries()) {
    test(`${way}: ${one.name}`, async (t) => {
      const own = join(freshFolder(t), String(index));
      mkdirSync(own);
      await replay(one, own, isSync);
      replayed[way] += 1;
    });
  }
}

after(() => {
  console.log(`conformance: ${replayed.promises} cases through promises, ${replayed.sync} sync, of ${cases.length}`);
  assert.deepEqual(replayed, { promises: cases.length, sync: cases.length });
});
