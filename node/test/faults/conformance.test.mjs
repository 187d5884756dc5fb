// Every conformance case with disks that fail, in both halves of the calls. Wants a library with the feature `faults`.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { freshFolder } from '../folder.mjs';
import { replay } from '../runner.mjs';

const folder = fileURLToPath(new URL('../../../bindings/conformance/faults', import.meta.url));
const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
const cases = files.flatMap((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')));
let replayed = 0;

assert(cases.length > 0);

for (const isSync of [false, true]) {
  for (const one of cases) {
    test(`${isSync ? 'sync' : 'promises'}: ${one.name}`, async (t) => {
      const own = freshFolder(t);
      await replay(one, own, isSync);
      assert.deepEqual(readdirSync(own), [], 'on the real disk');
      replayed += 1;
    });
  }
}

after(() => assert.equal(replayed, 2 * cases.length));
