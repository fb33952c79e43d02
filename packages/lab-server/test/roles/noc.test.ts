import { keySchedule, ProtocolError, toHex } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { beforeEach, describe, expect, it } from 'vitest';
import { MAX_MISSES_PER_SOURCE } from '../../src/roles/noc/misses.ts';
import { MAX_LINKS_PER_KEY } from '../../src/roles/noc/noc-keys.ts';
import { linkById, SESSION_KEPT_MS } from '../../src/roles/noc/noc-links.ts';
import { isProxyOf } from '../../src/roles/noc/noc-tenants.ts';
import { type BenchKey, crypto, NOW_MS, NocBench, OTHER_TOKEN_KEY, RELAYS, TENANT, USER } from '../support/noc-bench.ts';

let noc: NocBench;
let key: BenchKey;
beforeEach(async () => {
  noc = await NocBench.start();
  key = await noc.register('first');
});

const link = (linkId: Uint8Array) => noc.store.read((view) => linkById(view, toHex(linkId)));
const reasons = () => noc.journal.entries().flatMap(({ reason }) => reason ?? []);
const consume = ({ keyId }: BenchKey, linkId: Uint8Array) => noc.told('accessKeys', wire.nocKeyConsumed.encode({ keyId, linkId }));
const withdraw = ({ keyId }: BenchKey) => noc.told('accessKeys', wire.nocWithdrawKey.encode({ keyId }));

describe('a right access key (F3.7, F3.8)', () => {
  it('gets a link with a key of its own, connection data and a token that lives as long as the access key', async () => {
    const provision = await noc.verify(key);
    expect(provision).toMatchObject({ tenantId: TENANT, coreId: 'uem-lab', relayAddresses: RELAYS, tokenExpiryEpochS: NOW_MS / 1_000 + 600 });
    expect([provision.token.length, provision.masterLinkKey.length]).toEqual([keySchedule.TOKEN_BYTES, 32]);
    const again = await noc.verify(key);
    for (const name of ['linkId', 'masterLinkKey', 'token'] as const) expect(toHex(again[name])).not.toBe(toHex(provision[name]));
    expect(link(provision.linkId)).toMatchObject({ status: 'provisional', keyId: toHex(key.keyId), tenantId: TENANT });
    expect(noc.journal.entries().at(-1)).toMatchObject({
      role: 'noc',
      service: 'apps',
      step: 'F3.8',
      request: 'nocVerify',
      answer: 'nocProvision',
      userId: USER,
    });
  });

  it('is known to the NOC by its verifier alone', async () => {
    await noc.verify(key);
    expect(noc.contents()).not.toContain(toHex(key.akHash));
    expect(JSON.stringify(noc.journal.entries())).not.toContain(toHex(key.akHash));
  });

  it('survives a restart, with its tokens', async () => {
    const { token } = await noc.verify(key);
    await noc.restart();
    expect((await noc.verify(key)).token).toHaveLength(keySchedule.TOKEN_BYTES);
    expect(await noc.told('apps', noc.setUp(token))).toBe('handshakeReply');
  });

  it('has a bounded number of links; the oldest makes room', async () => {
    const provisions: wire.NocProvision[] = [];
    for (let index = 0; index <= MAX_LINKS_PER_KEY; index++) {
      provisions.push(await noc.verify(key));
      await noc.clock.advance(1);
    }
    expect(provisions.map(({ linkId }) => link(linkId) !== undefined)).toEqual([false, ...new Array(MAX_LINKS_PER_KEY).fill(true)]);
    expect(await noc.told('apps', noc.setUp(provisions[0]?.token as Uint8Array))).toBe('authFailed');
    expect(await noc.told('apps', noc.setUp(provisions[1]?.token as Uint8Array))).toBe('handshakeReply');
  });
});

describe('an access key that is not accepted', () => {
  it('looks the same whatever is wrong with it', async () => {
    const late = await noc.register('late', { lifeMs: 1_000 });
    const withdrawn = await noc.register('withdrawn');
    const used = await noc.register('used');
    const { linkId } = await noc.verify(used);
    await consume(used, linkId);
    await withdraw(withdrawn);
    await noc.clock.advance(1_000);
    const asked = [
      noc.verification({ akHash: new Uint8Array(32) }),
      noc.verification(key, 'bob@example.com'),
      noc.verification(late),
      noc.verification(withdrawn),
      noc.verification(used),
    ];
    const answers: string[] = [];
    for (const frame of asked) answers.push(toHex((await noc.ask('apps', frame)).core));
    expect(new Set(answers)).toEqual(new Set([toHex(wire.alert.encode({ code: 'authFailed' }))]));
  });

  it('charges its source and nobody else, until that source has to wait', async () => {
    const wrong = noc.verification({ akHash: new Uint8Array(32) });
    const codes = new Set<string>();
    for (let index = 0; index < MAX_MISSES_PER_SOURCE; index++) codes.add(await noc.told('apps', wrong, '192.0.2.9'));
    expect([...codes]).toEqual(['authFailed']);
    expect(await noc.told('apps', wrong, '192.0.2.9')).toBe('busy');
    // Also with a right key: whether it is right is not told.
    expect(await noc.told('apps', noc.verification(key), '192.0.2.9')).toBe('busy');
    expect(await noc.told('apps', noc.verification(key), '192.0.2.1')).toBe('nocProvision');
    await noc.clock.advance(600_000);
    expect(await noc.told('apps', wrong, '192.0.2.9')).toBe('authFailed');
  });

  it.each([
    ['a user id that is not in its one form', () => noc.verification(key, 'Ada@Example.com')],
    ['a message of UEM', () => noc.registration(key)],
    ['a poll', () => wire.poll.encode({ reason: 'request' })],
  ])('%s is refused as malformed', async (_what, frame) => {
    expect(await noc.told('apps', frame())).toBe('badMessage');
  });
});

describe('a set-up message (F3.9, F3.10)', () => {
  it('goes to UEM whole, with what the NOC knows of its token; the answer comes back byte for byte', async () => {
    const { token, linkId } = await noc.verify(key);
    const setUp = noc.setUp(token);
    const answer = await noc.ask('apps', setUp);
    expect(toHex(answer.core) + toHex(answer.trailer)).toBe(toHex(noc.reply()));
    expect(noc.asked.map(({ service }) => service)).toEqual(['setUp']);
    const told = wire.nocSetUp.decode(wire.parseFrame(noc.asked[0]?.frame as Uint8Array));
    expect(told).toEqual({ tokenId: token.slice(0, 16), keyId: key.keyId, linkId, tenantId: TENANT, setUp });
    expect(noc.journal.entries().at(-1)).toMatchObject({ step: 'F3.10', request: 'handshakeStart', answer: 'handshakeReply' });
  });

  it('is not forwarded without a token of this NOC that lives: one error for all', async () => {
    const { token, linkId } = await noc.verify(key);
    const said = { tokenId: token.slice(0, 16), linkId, expiryEpochS: NOW_MS / 1_000 + 600 };
    const flipped = (at: number): Uint8Array => token.map((byte, index) => (index === at ? byte ^ 1 : byte));
    const wrong = [
      token.slice(0, 55),
      Uint8Array.from([...token, 0]),
      flipped(0),
      flipped(20),
      flipped(39),
      flipped(55),
      keySchedule.sealNocToken(crypto, OTHER_TOKEN_KEY, said, TENANT),
    ];
    for (const one of wrong) expect(await noc.told('apps', noc.setUp(one))).toBe('authFailed');
    await noc.clock.advance(600_000);
    expect(await noc.told('apps', noc.setUp(token))).toBe('authFailed');
    expect(noc.asked).toEqual([]);
  });

  it('is not forwarded when its key was withdrawn', async () => {
    const { token } = await noc.verify(key);
    await withdraw(key);
    expect([await noc.told('apps', noc.setUp(token)), noc.asked]).toEqual(['authFailed', []]);
  });

  it('is not forwarded when the key was used over another link', async () => {
    const { token } = await noc.verify(key);
    await noc.clock.advance(1);
    const { linkId } = await noc.verify(key);
    await consume(key, linkId);
    expect([await noc.told('apps', noc.setUp(token)), noc.asked]).toEqual(['authFailed', []]);
  });

  it('is one of `sc`: a provisional link carries nothing else', async () => {
    const { token } = await noc.verify(key);
    expect([await noc.told('apps', noc.setUp(token, 'px')), noc.asked]).toEqual(['badMessage', []]);
  });

  it.each([
    ['is not there', async () => Promise.reject(new ProtocolError('ERR_TRANSPORT_CONNECT', 'down')), 'busy'],
    ['is busy', async () => ({ status: 'busy', retryAfterS: 1 }) as const, 'busy'],
    ['has a bug', async () => ({ status: 'failed' }) as const, 'failed'],
  ])('that meets a UEM which %s is %s', async (_what, uem, status) => {
    const { token } = await noc.verify(key);
    noc.uem = uem;
    await expect(noc.ask('apps', noc.setUp(token))).rejects.toMatchObject({ message: status });
    expect(await noc.told('apps', noc.verification(key))).toBe('nocProvision');
  });

  it('an alert of UEM is passed on, and opens no session', async () => {
    const { token } = await noc.verify(key);
    noc.uem = async () => ({ status: 'answered', frame: wire.alert.encode({ code: 'authFailed' }) });
    expect(await noc.told('apps', noc.setUp(token))).toBe('authFailed');
    expect(await noc.told('apps', noc.envelope())).toBe('authFailed');
    expect(noc.asked).toHaveLength(1);
  });
});

describe('an envelope (F3.11)', () => {
  const open = async (): Promise<wire.NocProvision> => {
    const provision = await noc.verify(key);
    await noc.ask('apps', noc.setUp(provision.token));
    const back = wire.nocEnvelope.encode({ sessionId: noc.sessionId, frame: Uint8Array.of(9) });
    noc.uem = async () => ({ status: 'answered', frame: back });
    return provision;
  };

  it('goes to UEM as it is, and the answer back as it is, also over another connection and after a restart', async () => {
    await open();
    await noc.restart();
    const answer = wire.nocEnvelope.decode(await noc.ask('apps', noc.envelope(), '192.0.2.77'));
    expect(answer.frame).toEqual(Uint8Array.of(9));
    expect(noc.asked.at(-1)).toEqual({ service: 'envelopes', frame: noc.envelope() });
  });

  it('passes only for a session that was opened here', async () => {
    await open();
    expect(await noc.told('apps', noc.envelope(new Uint8Array(16).fill(8)))).toBe('authFailed');
    expect(noc.asked.map(({ service }) => service)).toEqual(['setUp']);
  });

  it('passes no more when the link ended with its token', async () => {
    await open();
    await noc.clock.advance(600_000);
    expect(await noc.told('apps', noc.envelope())).toBe('authFailed');
  });

  it('passes for a day when the key was used, so that a lost last answer can be asked for', async () => {
    const { linkId } = await open();
    await consume(key, linkId);
    await noc.clock.advance(SESSION_KEPT_MS - 1);
    expect(await noc.told('apps', noc.envelope())).toBe('nocEnvelope');
    await noc.clock.advance(1);
    expect(await noc.told('apps', noc.envelope())).toBe('authFailed');
  });
});

describe('what UEM says about access keys', () => {
  it('is taken from UEM alone', async () => {
    noc.caller = { refused: 'no role certificate' };
    expect(await noc.told('accessKeys', noc.registration({ ...key, akHash: new Uint8Array(32) }))).toBe('authFailed');
    noc.caller = 'infrastructure';
    expect(await withdraw(key)).toBe('authFailed');
    expect(reasons()).toEqual(['no role certificate', 'role infrastructure may not do this']);
    expect(await noc.told('apps', noc.verification(key))).toBe('nocProvision');
  });

  it('may be said twice', async () => {
    expect(await noc.told('accessKeys', noc.registration(key))).toBe('acknowledgement');
    const { linkId } = await noc.verify(key);
    expect([await consume(key, linkId), await consume(key, linkId)]).toEqual(['acknowledgement', 'acknowledgement']);
    expect([await withdraw(key), await withdraw(key)]).toEqual(['acknowledgement', 'acknowledgement']);
    expect(link(linkId)).toMatchObject({ status: 'active' });
  });

  it('activates the link of that key and no other', async () => {
    const other = await noc.register('other');
    const mine = await noc.verify(key);
    const theirs = await noc.verify(other);
    await consume(key, theirs.linkId);
    expect(link(theirs.linkId)).toMatchObject({ status: 'provisional' });
    await consume(other, theirs.linkId);
    expect(link(theirs.linkId)).toMatchObject({ status: 'active' });
    // Its key was said to be used over a link that is not its own.
    expect(link(mine.linkId)).toBeUndefined();
  });

  it('an active link outlives its token and a withdrawal', async () => {
    const { linkId } = await noc.verify(key);
    await consume(key, linkId);
    await withdraw(key);
    await noc.clock.advance(600_000);
    expect(link(linkId)).toMatchObject({ status: 'active' });
  });

  it('forgets expired keys with those that come later', async () => {
    const { linkId } = await noc.verify(key);
    await noc.clock.advance(600_000);
    await noc.register('next');
    expect([noc.contents().includes(toHex(key.keyId)), link(linkId)]).toEqual([false, undefined]);
  });
});

describe('a NOC that is taken apart', () => {
  it('holds no key of what passes through it', async () => {
    const provision = await noc.verify(key);
    await noc.ask('apps', noc.setUp(provision.token));
    const held = noc.contents();
    // Its own link key is there, and nothing of the app’s key but the verifier.
    expect(held).toContain(toHex(provision.masterLinkKey));
    expect(held).toContain(toHex(keySchedule.nocVerifier(crypto, key.akHash)));
    expect(held).not.toContain(toHex(key.akHash));
  });
});

describe('UEM of another tenant', () => {
  const OTHER_KEY: BenchKey = { keyId: new Uint8Array(16).fill(4), akHash: new Uint8Array(32).fill(5) };

  it('registers nothing for this one, and takes the name of no key of it', async () => {
    noc.tenantId = 'other';
    expect(await noc.told('accessKeys', noc.registration(OTHER_KEY))).toBe('authFailed');
    expect(await noc.told('apps', noc.verification(OTHER_KEY))).toBe('authFailed');
    const theirs = wire.nocRegisterKey.decode(wire.parseFrame(noc.registration(OTHER_KEY)));
    expect(await noc.told('accessKeys', wire.nocRegisterKey.encode({ ...theirs, tenantId: 'other', keyId: key.keyId }))).toBe('authFailed');
    expect(await noc.told('accessKeys', wire.nocRegisterKey.encode({ ...theirs, tenantId: 'other' }))).toBe('acknowledgement');
    expect(await noc.told('apps', noc.verification(key))).toBe('nocProvision');
  });

  it('neither withdraws a key of this one nor says that it was used', async () => {
    const { linkId } = await noc.verify(key);
    noc.tenantId = 'other';
    expect([await withdraw(key), await consume(key, linkId)]).toEqual(['authFailed', 'authFailed']);
    // A link that nobody has would end the others of the key.
    expect(await consume(key, new Uint8Array(16).fill(9))).toBe('authFailed');
    // A key that this NOC does not know is nobody's; the link still is somebody's.
    expect(await consume(OTHER_KEY, linkId)).toBe('authFailed');
    expect(link(linkId)?.status).toBe('provisional');
    noc.tenantId = TENANT;
    expect(await consume(key, linkId)).toBe('acknowledgement');
    // With the verifier gone the links of a key say whose it is.
    noc.tenantId = 'other';
    expect(await withdraw(key)).toBe('authFailed');
    expect(reasons().at(-1)).toBe('the key is of another tenant');
  });

  it('does not say what Proxies and destinations this one has', async () => {
    const said = wire.nocTenant.encode({ tenantId: TENANT, proxyIds: ['proxy-1'], destinations: [] });
    noc.tenantId = 'other';
    expect(await noc.told('tenants', said)).toBe('authFailed');
    expect(noc.store.read((view) => isProxyOf(view, TENANT, 'proxy-1'))).toBe(false);
    noc.tenantId = TENANT;
    expect(await noc.told('tenants', said)).toBe('acknowledgement');
    expect(noc.store.read((view) => isProxyOf(view, TENANT, 'proxy-1'))).toBe(true);
  });
});

describe('a link that UEM ends (F10.2)', () => {
  const end = (linkId: Uint8Array): Promise<string> => noc.told('accessKeys', wire.nocEndLink.encode({ linkId }));
  /** An activated app with a session over its link. */
  const activated = async (): Promise<wire.NocProvision> => {
    const provision = await noc.verify(key);
    await noc.ask('apps', noc.setUp(provision.token));
    noc.uem = async () => ({ status: 'answered', frame: wire.nocEnvelope.encode({ sessionId: noc.sessionId, frame: Uint8Array.of(9) }) });
    await consume(key, provision.linkId);
    expect(await noc.told('apps', noc.envelope())).toBe('nocEnvelope');
    return provision;
  };

  it('is forgotten with its key before UEM hears yes; its token and sessions lead nowhere, also after a restart', async () => {
    const { linkId, masterLinkKey, token } = await activated();
    expect(noc.contents()).toContain(toHex(masterLinkKey));
    expect(await end(linkId)).toBe('acknowledgement');
    expect(noc.ended).toEqual([toHex(linkId)]);
    for (const restart of [async () => {}, () => noc.restart()]) {
      await restart();
      expect(noc.contents()).not.toContain(toHex(masterLinkKey));
      expect([link(linkId), await noc.told('apps', noc.envelope()), await noc.told('apps', noc.setUp(token))]).toEqual([undefined, 'authFailed', 'authFailed']);
    }
  });

  it('may be ended twice, and is not brought back by an older message that comes late', async () => {
    const { linkId } = await activated();
    expect([await end(linkId), await end(linkId)]).toEqual(['acknowledgement', 'acknowledgement']);
    await consume(key, linkId);
    expect(link(linkId)).toBeUndefined();
    expect(noc.contents()).not.toContain(toHex(linkId).concat(' '));
    expect(await end(new Uint8Array(16).fill(9))).toBe('acknowledgement');
  });

  it('that of another tenant stays, and so does what is open over it', async () => {
    const { linkId } = await activated();
    noc.tenantId = 'other';
    expect(await end(linkId)).toBe('authFailed');
    expect(reasons().at(-1)).toBe('the link is of another tenant');
    expect([link(linkId)?.status, noc.ended, await noc.told('apps', noc.envelope())]).toEqual(['active', [], 'nocEnvelope']);
  });

  it('is ended by UEM alone', async () => {
    const { linkId } = await activated();
    for (const caller of ['infrastructure', { refused: 'no role certificate' }] as const) {
      noc.caller = caller;
      // Also of a link that is not there: nobody else learns whether it is.
      expect([await end(linkId), await end(new Uint8Array(16).fill(9))]).toEqual(['authFailed', 'authFailed']);
    }
    expect([link(linkId)?.status, noc.ended]).toEqual(['active', []]);
  });
});
