// The runner of the cases fails where a case is wrong: a slip in a case must not pass for a success.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { freshFolder } from './folder.mjs';
import { replay } from './runner.mjs';

const WRONG = {
  'a figure that is none': [{ op: 'stats', is: { total_kees: null } }],
  'a figure of another value': [{ op: 'stats', is: { total_keys: 7 } }],
  'damage past the end': [{ op: 'write_file', path: 'f', bytes: 'abc' }, { op: 'damage', file: 'f', offset: 3, xor: 1 }],
  'damage in front of the start': [{ op: 'write_file', path: 'f', bytes: 'abc' }, { op: 'damage', file: 'f', offset: -4, xor: 1 }],
  'damage that changes nothing': [{ op: 'write_file', path: 'f', bytes: 'abc' }, { op: 'damage', file: 'f', offset: 0, xor: 0 }],
  'digits that are none': [{ op: 'put', key: { hex: '00fg' }, value: '' }],
  'half a byte': [{ op: 'put', key: { hex: '00f' }, value: '' }],
  'a field beside hex': [{ op: 'put', key: { hex: '00', times: 2 }, value: '' }],
  'a field beside repeat and times': [{ op: 'put', key: { repeat: 'a', times: 2, hexx: '' }, value: '' }],
  'an op that is none': [{ op: 'putt', key: 'a', value: 'b' }],
  'a field that the op has not': [{ op: 'put', key: 'a', value: 'b', levle: 'strong' }],
  'an error that does not come': [{ op: 'put', key: 'a', value: 'b', error: 'Closed' }],
  'a get without a result': [{ op: 'get', key: 'a' }],
};

for (const [name, steps] of Object.entries(WRONG)) {
  test(`a case with ${name} fails`, async (t) => {
    await assert.rejects(replay({ name, steps }, freshFolder(t), true), assert.AssertionError);
  });
}

test('a case that is right passes', async (t) => {
  const steps = [
    { op: 'put', key: { hex: '00ff' }, value: { repeat: 'ab', times: 2 } },
    { op: 'get', key: { hex: '00ff' }, is: 'abab' },
    { op: 'stats', is: { background_error: null } },
    { op: 'write_file', path: 'f', bytes: 'abc' },
    { op: 'damage', file: 'f', offset: -3, xor: 255 },
  ];
  await replay({ name: 'right', steps }, freshFolder(t), true);
});
