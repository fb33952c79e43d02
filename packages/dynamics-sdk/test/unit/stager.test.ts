import { secret, utf8 } from '@uemkit/protocol';
import { nodeCrypto } from '@uemkit/protocol/node';
import { seededEntropy } from '@uemkit/protocol/testing';
import { expect, it } from 'vitest';
import { Group } from '../../src/container/group.ts';
import { ContainerKeys } from '../../src/container/keys.ts';
import { Ledger } from '../../src/container/ledger.ts';
import { MAX_REMEMBERED_BYTES, MAX_REMEMBERED_CONTENT_BYTES } from '../../src/container/limits.ts';
import { KnownNames } from '../../src/container/names.ts';
import { RememberedContents } from '../../src/container/remembered.ts';
import { BUCKETS } from '../../src/container/rows.ts';
import { Stager } from '../../src/container/stager.ts';

it('a record of a commit does not overwrite the content that another one of it stands on', () => {
  const crypto = nodeCrypto();
  const keys = new ContainerKeys(crypto, secret<'container root'>(new Uint8Array(32).fill(1)));
  const [names, contents] = [new KnownNames(keys), new RememberedContents()];
  const stager = new Stager({ entropy: seededEntropy('stager'), keys, names, contents });
  const known = names.of('v', 'changed');
  known.mark = keys.mark(known.row, 1);
  known.place = contents.add(utf8('oldest'));
  names.of('v', 'large').mark = null;
  for (let bytes = 0; bytes + MAX_REMEMBERED_CONTENT_BYTES < MAX_REMEMBERED_BYTES; bytes += MAX_REMEMBERED_CONTENT_BYTES) {
    contents.add(new Uint8Array(MAX_REMEMBERED_CONTENT_BYTES));
  }
  let seen: Uint8Array | undefined;
  const commit = {
    records: [
      { space: 'v', name: 'large', content: new Uint8Array(MAX_REMEMBERED_CONTENT_BYTES) },
      {
        space: 'v',
        name: 'changed',
        content: (current: Uint8Array | undefined) => {
          seen = current;
          return { content: utf8('new') };
        },
      },
    ],
  } as const;
  const group = new Group(new Ledger(1));
  expect(stager.lacking(commit, [group], new Uint8Array(BUCKETS).fill(1))).toBeUndefined();
  stager.stage(commit, group, undefined);
  expect(seen).toEqual(utf8('oldest'));
  stager.settle(group);
  expect(contents.read(known.place)).toEqual(utf8('new'));
});
