import { keySchedule, ProtocolError } from '@uemkit/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { activationDelegate, type NocTransport } from '../../src/index.ts';
import { crypto } from '../support/device.ts';
import { APP_ID, type AppLab, appLab, type InstalledApp, installedApp } from '../support/lab-app.ts';
import { linkPair } from '../unit/services/services-bench.ts';

const SECOND_MS = 1_000;
const CHAT_APP = 'com.example.chat';
const signerHash = crypto.sha256(new TextEncoder().encode('vendor'));
const signers = [Buffer.from(signerHash).toString('hex')];
const idOf = (name: string): string => keySchedule.platformId('android', `com.example.${name}`, signerHash);
const [MAIL, CHAT] = [idOf('mail'), idOf('chat')];

let company: AppLab;
let mail: InstalledApp;
let chat: InstalledApp;
let failures: string[];
let isAgreed: boolean;
/** False: the NOC of the asked app cannot be reached. */
let isNocThere: boolean;

/** The chat app asks the mail app once; how that ended at the mail app. */
async function asks(): Promise<string> {
  failures = [];
  const { state } = await chat.authorize();
  await company.clock.settle();
  return state === 'authorized' ? state : (failures.at(-1) ?? state);
}

beforeEach(async () => {
  [isAgreed, isNocThere, failures] = [true, true, []];
  company = await appLab(`delegate ${expect.getState().currentTestName}`);
  const { lab } = company;
  const key = await company.key();
  const [{ guid: user } = { guid: '' }] = [...lab.admin.users()];
  const { guid } = await lab.admin.createApplication({
    applicationId: CHAT_APP,
    name: 'Chat',
    version: '1.0.0.0',
    platforms: ['ANDROID'],
    platformIds: [CHAT],
  });
  await lab.admin.assign({ kind: 'user', id: user }, { kind: 'application', id: guid }, 'OPTIONAL');
  const { profileId } = await lab.admin.createConfigurationProfile({ kind: 'dynamics', name: 'Delegates', content: { activationDelegates: [APP_ID] } });
  await lab.admin.assign({ kind: 'user', id: user }, { kind: 'profile', id: profileId });
  const real = lab.transport('mail') as NocTransport;
  const openLink: NocTransport['openLink'] = async (options) => {
    if (!isNocThere) throw new ProtocolError('ERR_TRANSPORT_CONNECT', 'nobody there');
    return (real.openLink as NonNullable<NocTransport['openLink']>)(options);
  };
  const transport = new Proxy(real, { get: (target, name) => (name === 'openLink' ? openLink : Reflect.get(target, name)) });
  const delegate = activationDelegate({ platformId: MAIL, signers, consent: () => isAgreed, limits: { requestsPerApp: 2 } });
  mail = await installedApp(company, { transport, delegate });
  expect((await mail.authorize(key)).state).toBe('authorized');
  mail.runtime.addEventListener('appfailed', ({ detail }) => void failures.push(`${detail.error.code}: ${detail.error.message}`));
  const link = {
    platformId: MAIL,
    async connect() {
      const { asking, offering } = linkPair();
      mail.runtime.acceptApp(offering, CHAT).catch(() => undefined);
      return asking;
    },
  };
  chat = await installedApp(company, {
    app: { appId: CHAT_APP, version: '1.0.0.0', platform: 'android 16' },
    siblings: { platformId: CHAT, signers, links: [link] },
  });
});
afterEach(async () => {
  await chat.runtime.close();
  await mail.runtime.close();
  await company.lab.close();
});

describe('an app that asks a sibling too often (F3.4)', () => {
  const [tooOften, unreached] = ['ERR_REJECTED_BUSY: the app asks too often', 'ERR_CONNECTION_NOC: the NOC was not reached'];

  it('is told to come again, and its user is not asked', async () => {
    isAgreed = false;
    const outcomes = [await asks(), await asks(), await asks()];
    const refused = 'ERR_REJECTED_CONSENT: the user does not want this app to get a key';
    expect(outcomes).toEqual([refused, refused, tooOften]);
    isAgreed = true;
    await company.clock.advance(590 * SECOND_MS);
    expect(await asks()).toBe(tooOften);
    await company.clock.advance(10 * SECOND_MS);
    expect(await asks()).toBe('authorized');
  });

  it('has what never reached UEM counted for ten seconds only', async () => {
    isNocThere = false;
    for (let round = 0; round < 4; round++) {
      expect([await asks(), await asks(), await asks()]).toEqual([unreached, unreached, tooOften]);
      await company.clock.advance(10 * SECOND_MS);
    }
    isNocThere = true;
    expect(await asks()).toBe('authorized');
  });

  it('has what UEM may have heard of counted as long as any other', async () => {
    const fault = company.lab.faults.add({ kind: 'drop', role: 'uem', service: 'px' });
    for (let request = 0; request < 2; request++) expect(await asks()).toBe('ERR_TRANSPORT_CLOSED: the connection closed before UEM answered');
    company.lab.faults.remove(fault.id);
    await company.clock.advance(10 * SECOND_MS);
    expect(await asks()).toBe(tooOften);
  });
});
