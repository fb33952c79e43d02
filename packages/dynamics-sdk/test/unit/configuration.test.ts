import { ProtocolError } from '@uemkit/protocol';
import { seededEntropy } from '@uemkit/protocol/testing';
import { expect, it } from 'vitest';
import { applicationConfig, serversInOrder } from '../../src/configuration/application-config.ts';
import { rulesOf } from '../../src/configuration/rules.ts';
import { DEFAULT_PASSWORD_POLICY } from '../../src/index.ts';
import { codeOfActivation } from '../../src/runtime/failure-code.ts';

const server = (name: string, priority: number) => ({ server: name, port: 443, priority });

it('servers come by priority, and in any order within one', () => {
  const servers = [server('c', 2), server('a', 1), server('b', 1), server('d', 3)];
  const entropy = seededEntropy('servers');
  const orders = new Set(
    Array.from({ length: 64 }, () =>
      serversInOrder(entropy, servers)
        .map((one) => one.server)
        .join(''),
    ),
  );
  expect([...orders].sort()).toEqual(['abcd', 'bacd']);
  expect(servers[0]).toEqual(server('c', 2));
});

it('a configuration is a snapshot, without what is no server', () => {
  const document = { appServers: [server('a', 1), { server: 'b' }, 'c'], extraInfo: { a: 1 } };
  const config = applicationConfig(document) as unknown as { appServers: readonly object[]; extraInfo: { a: number } };
  expect(config.appServers).toEqual([server('a', 1)]);
  config.extraInfo.a = 2;
  expect(document.extraInfo.a).toBe(1);
});

it('rules have their defaults where policy says nothing that can be kept', () => {
  const plain = {
    runtime: { idleLockMs: undefined, whenExhausted: 'lock', noContact: undefined },
    password: { ...DEFAULT_PASSWORD_POLICY, maxAgeDays: undefined },
    updateIntervalMs: 3_600_000,
  };
  expect(rulesOf({})).toEqual(plain);
  expect(rulesOf({ dynamics: { idleLockMinutes: 0, noContactDays: 'three', passwordMaxTries: 101, passwordHistory: 1.5, whenExhausted: 'explode' } })).toEqual(
    plain,
  );
});

it.each([
  ['ERR_TRANSPORT_CONNECT', -601, -101],
  ['ERR_TRANSPORT_TIMEOUT', -603, -101],
  ['ERR_PEER_ALERT', -603, -101],
  ['ERR_REJECTED_BUSY', -603, -101],
  ['ERR_REJECTED_CREDENTIALS', -602, -101],
  ['ERR_REJECTED_EXPIRED', -602, -101],
  ['ERR_DEVICE_CONSENT', -600, -101],
  ['ERR_INTERNAL', -600, -101],
] as const)('%s of an activation has its code', async (code, programmatic, plain) => {
  const { RESULT_CODES } = await import('../../src/index.ts');
  const error = new ProtocolError(code, 'text');
  expect(RESULT_CODES[codeOfActivation('enterpriseActivation', error, true)]).toBe(programmatic);
  expect(RESULT_CODES[codeOfActivation('infrastructureActivation', error, false)]).toBe(plain);
  expect(RESULT_CODES[codeOfActivation('enterpriseActivation', error, false)]).toBe(-102);
});
