import { type PeerIdentity, ProtocolError, userIdHash, wire } from '@uemkit/protocol';
import { nodeCrypto } from '@uemkit/protocol/node';
import { fakeClock, seededEntropy } from '@uemkit/protocol/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { createRingJournal, type RingJournal } from '../../src/journal/journal.ts';
import { createInfrastructureRole } from '../../src/roles/infrastructure/infrastructure.ts';
import type { Role, RoleAnswer, RoleName, ServiceName } from '../../src/roles/role.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';

const crypto = nodeCrypto();
const device: PeerIdentity = { kind: 'anonymous', source: '127.0.0.1' };

let store: MemoryStore;
let journal: RingJournal;
let caller: RoleName | { readonly refused: string };
let passedOn: Uint8Array[];
let notificationAnswer: () => Promise<RoleAnswer>;

function start(seed = 'infrastructure', provider = crypto): Promise<Role> {
  return createInfrastructureRole({
    clock: fakeClock(Date.UTC(2026, 0, 1)),
    crypto: provider,
    entropy: seededEntropy(seed),
    store,
    journal,
    guard: { roleOf: () => caller },
    notification: {
      request(_service, frame) {
        passedOn.push(frame);
        return notificationAnswer();
      },
    },
  });
}

const ask = (role: Role, service: ServiceName, frame: Uint8Array): Promise<RoleAnswer> => role.handle({ service, frame, peer: device });

async function register(role: Role, tenantId: string, users: readonly string[], more: Partial<wire.RegisterUsers> = {}): Promise<RoleAnswer> {
  const add = users.map((user) => userIdHash(crypto, user));
  return ask(
    role,
    'registrations',
    wire.registerUsers.encode({ tenantId, activationAddress: `${tenantId}.example:443`, add, remove: [], spkiPins: [], ...more }),
  );
}

async function discover(role: Role, userId: string): Promise<{ readonly frame: Uint8Array; readonly tenantId: string }> {
  const answer = await ask(role, 'discovery', wire.discoveryRequest.encode({ versions: [1], userId }));
  if (answer.status !== 'answered') throw new Error(answer.status);
  return { frame: answer.frame, tenantId: wire.discoveryResponse.decode(wire.parseFrame(answer.frame)).tenantId };
}

const nameOf = (answer: RoleAnswer): string | undefined => (answer.status === 'answered' ? wire.peekFrameName(answer.frame) : answer.status);

beforeEach(() => {
  store = new MemoryStore();
  journal = createRingJournal();
  caller = 'uem';
  passedOn = [];
  notificationAnswer = async () => ({ status: 'answered', frame: wire.notifyResult.encode({ statuses: ['stored'] }) });
});

describe('discovery (F1.3)', () => {
  it('does the same work for a user that does not exist, so that time tells nothing', async () => {
    const calls: string[] = [];
    const counting = new Proxy(crypto, {
      get: (provider, name: keyof typeof crypto) => {
        calls.push(name);
        return provider[name];
      },
    });
    const role = await start('infrastructure', counting);
    for (const tenant of ['north', 'south', 'west']) await register(role, tenant, [`alice@${tenant}`]);
    const work = async (userId: string): Promise<readonly string[]> => {
      calls.length = 0;
      await discover(role, userId);
      return [...calls];
    };
    expect(await work('nobody')).toContain('hmacSha256');
    expect(await work('alice@south')).toEqual(await work('nobody'));
  });

  it('finds the tenant of a registered user', async () => {
    const role = await start();
    await register(role, 'north', ['alice']);
    await register(role, 'south', ['bob']);
    expect((await discover(role, 'alice')).tenantId).toBe('north');
    expect((await discover(role, 'bob')).tenantId).toBe('south');
  });

  it('answers an unknown user in the same form and length, always the same, over a restart too', async () => {
    const role = await start();
    await register(role, 'north', ['alice']);
    await register(role, 'south', ['bob']);
    const first = await discover(role, 'mallory');
    expect(first.frame).toHaveLength((await discover(role, 'alice')).frame.length);
    expect(await discover(role, 'mallory')).toEqual(first);
    expect(await discover(await start('another start'), 'mallory')).toEqual(first);
    expect(journal.entries().at(-1)).toMatchObject({ answer: 'discoveryResponse', reason: 'unknown user', userId: 'mallory', step: 'F1.3' });
  });

  it('spreads unknown users over the tenants', async () => {
    const role = await start();
    await register(role, 'north', ['alice']);
    await register(role, 'south', ['bob']);
    const tenants = new Set<string>();
    for (let user = 0; user < 40; user++) tenants.add((await discover(role, `unknown-${user}`)).tenantId);
    expect([...tenants].sort()).toEqual(['north', 'south']);
  });

  it('is busy while no tenant has registered', async () => {
    expect((await ask(await start(), 'discovery', wire.discoveryRequest.encode({ versions: [1], userId: 'alice' }))).status).toBe('busy');
  });

  it('refuses versions that it does not know, and user ids that are not canonical', async () => {
    const role = await start();
    await register(role, 'north', ['alice']);
    expect(nameOf(await ask(role, 'discovery', wire.discoveryRequest.encode({ versions: [2], userId: 'alice' })))).toBe('alert');
    expect(nameOf(await ask(role, 'discovery', wire.discoveryRequest.encode({ versions: [1], userId: 'Alice' })))).toBe('alert');
  });
});

describe('registrations (F1.1)', () => {
  it('survive a restart', async () => {
    await register(await start(), 'north', ['alice']);
    await register(await start(), 'south', []);
    expect((await discover(await start(), 'alice')).tenantId).toBe('north');
  });

  it('a whole list replaces what was there before, of this tenant only', async () => {
    const role = await start();
    await register(role, 'north', ['alice', 'anna']);
    await register(role, 'south', ['bob']);
    await register(role, 'north', ['anna'], { replaceAll: true });
    const known = async (user: string): Promise<boolean> => {
      await discover(role, user);
      return journal.entries().at(-1)?.reason === undefined;
    };
    expect([await known('alice'), await known('anna'), await known('bob')]).toEqual([false, true, true]);
  });

  it('a user who moved is not removed by the tenant of before', async () => {
    const role = await start();
    await register(role, 'north', ['alice']);
    await register(role, 'south', ['alice']);
    await register(role, 'north', [], { remove: [userIdHash(crypto, 'alice')] });
    expect((await discover(role, 'alice')).tenantId).toBe('south');
  });

  it.each([['infrastructure'], ['notification'], [{ refused: 'no role certificate' }]] as const)('are taken from UEM only, not from %o', async (who) => {
    const role = await start();
    caller = who;
    expect(nameOf(await register(role, 'north', ['alice']))).toBe('alert');
    expect((await ask(role, 'discovery', wire.discoveryRequest.encode({ versions: [1], userId: 'alice' }))).status).toBe('busy');
  });

  it('are not acknowledged when they cannot be stored', async () => {
    const role = await start();
    store.fault = 'read-only';
    expect((await register(role, 'north', ['alice'])).status).toBe('busy');
  });
});

describe('notifications (F5.2)', () => {
  const frame = wire.notify.encode({ notifications: [{ token: new Uint8Array(32), wakeUpId: new Uint8Array(16), expiresAtEpochS: 0, sentAtEpochMs: 0 }] });

  it('go on to the notification service as they are, and its answer comes back', async () => {
    expect(nameOf(await ask(await start(), 'notifications', frame))).toBe('notifyResult');
    expect(passedOn).toEqual([frame]);
  });

  it.each<[string, () => Promise<RoleAnswer>]>([
    ['is not reachable', () => Promise.reject(new ProtocolError('ERR_TRANSPORT_CONNECT', 'no connection'))],
    ['is busy', async () => ({ status: 'busy', retryAfterS: 9 })],
    ['answers an alert', async () => ({ status: 'answered', frame: wire.alert.encode({ code: 'authFailed' }) })],
  ])('are never lost in silence: busy when the service %s', async (_what, answer) => {
    notificationAnswer = answer;
    expect((await ask(await start(), 'notifications', frame)).status).toBe('busy');
  });

  it('are taken from UEM only', async () => {
    const role = await start();
    caller = { refused: 'no role certificate' };
    expect(nameOf(await ask(role, 'notifications', frame))).toBe('alert');
    expect(passedOn).toEqual([]);
  });
});

describe('bad input', () => {
  it('an unknown frame or service is loud in the journal', async () => {
    const role = await start();
    expect(nameOf(await ask(role, 'discovery', wire.poll.encode({ reason: 'schedule' })))).toBe('alert');
    expect((await ask(role, 'device', new Uint8Array(3))).status).toBe('malformed');
    expect(() => journal.assertNoUnknownRequests()).toThrow(/2 unknown requests, the first: poll to infrastructure\/discovery/);
  });

  it('10,000 random byte strings change nothing', async () => {
    const role = await start();
    const before = store.commits;
    const random = seededEntropy('random');
    const services: readonly ServiceName[] = ['discovery', 'registrations', 'notifications'];
    for (let round = 0; round < 10_000; round++) {
      const bytes = random.randomBytes(random.below(80));
      // Half of them look like a frame at first sight.
      if (round % 2 === 0 && bytes.length > 8) bytes.set([1, 0x60 + (round % 4), 0, 0, 0, 0, 0, bytes.length - 8]);
      const answer = await ask(role, services[round % 3] as ServiceName, bytes);
      expect(['malformed', 'alert']).toContain(nameOf(answer));
    }
    expect(store.commits).toBe(before);
  });
});
