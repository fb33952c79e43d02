import { toHex } from '@uemkit/protocol';
import { describe, expect, it } from 'vitest';
import type { DynamicsRuntimeOptions, NocTransport } from '../../src/index.ts';
import { PASSWORD } from '../support/device.ts';
import { APP_ID, type AppLab, appLab, type InstalledApp, installedApp } from '../support/lab-app.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const NEXT_PASSWORD = 'another horse 8';

interface World extends AppLab {
  readonly app: InstalledApp;
  readonly guid: string;
  readonly id: string;
  /** Gives the user a Dynamics profile, or changes the one that it has. */
  policy(content: object): Promise<void>;
  /** `update` while virtual time stands still. */
  update(app?: InstalledApp): Promise<readonly string[]>;
  end(): Promise<void>;
}

/** An app that is authorized, and has asked once. */
async function world(seed: string, more: Partial<DynamicsRuntimeOptions> = {}): Promise<World> {
  const lab = await appLab(seed);
  const { admin } = lab.lab;
  const app = await installedApp(lab, more);
  const [user] = [...admin.users()];
  const guid = user?.guid as string;
  let profileId: string | undefined;
  const opened = [app];
  const made: World = {
    ...lab,
    app,
    guid,
    id: '',
    async policy(content) {
      const profile = { kind: 'dynamics', name: 'Apps', content } as const;
      if (profileId !== undefined) return void (await admin.updateConfigurationProfile(profileId, profile));
      profileId = (await admin.createConfigurationProfile(profile)).profileId;
      await admin.assign({ kind: 'user', id: guid }, { kind: 'profile', id: profileId });
    },
    update: async (other = app) => (await lab.clock.hold(other.runtime.update())).changed,
    async end() {
      for (const { runtime } of opened) await runtime.close();
      await lab.lab.close();
    },
  };
  expect((await app.authorize(await lab.key())).state).toBe('authorized');
  await made.update();
  app.heard.length = 0;
  return { ...made, id: toHex(app.runtime.instanceId) };
}

const stateOf = ({ runtime }: InstalledApp): readonly string[] => [runtime.state, runtime.code];

describe('an app that asks what has changed (F5.3 to F5.5)', () => {
  it('hears of another policy, keeps it over a restart, and UEM knows that it has it', async () => {
    const { app, lab, clock, guid, id, policy, update, end } = await world('updates');
    expect(lab.admin.dynamicsApp(guid, id)).toMatchObject({ isCarriedOut: true, console: { isUnlockKeyHeld: true, said: { isCurrent: true } } });
    await policy({ idleLockMinutes: 5 });
    expect(await update()).toEqual(['policy']);
    expect([app.heard, app.runtime.getApplicationPolicy()]).toEqual([['policyupdate'], { dynamics: { idleLockMinutes: 5 } }]);
    expect(lab.admin.dynamicsApp(guid, id).console?.said).toMatchObject({ atMs: clock.nowMs(), isCurrent: true });
    await clock.advance(6 * MINUTE_MS);
    expect(stateOf(app)).toEqual(['locked', 'GDErrorIdleLockout']);
    expect(app.trace.filter(({ step }) => step.startsWith('F5')).map(({ from, step }) => `${from} ${step}`)).toContain('uem F5.4');
    await app.runtime.close();
    const again = await app.restart();
    expect(again.runtime.getApplicationPolicy()).toEqual({ dynamics: { idleLockMinutes: 5 } });
    await again.runtime.close();
    await end();
  });

  it('hears of its servers by `configupdate`, of a policy that is gone, and of nothing when nothing is another one', async () => {
    const { app, lab, policy, update, end } = await world('configuration');
    const { admin } = lab;
    const application = [...admin.applications()].find(({ applicationId }) => applicationId === APP_ID);
    await admin.createApplicationServer({
      name: 'Mail',
      applicationGuid: application?.guid as string,
      servers: [{ host: 'mail.example.com', port: 443, priority: 1 }],
    });
    await policy({ passwordMinLength: 8 });
    expect(await update()).toEqual(['configuration', 'policy']);
    expect(app.runtime.getApplicationConfig().appHost).toBe('mail.example.com');
    const [profile] = [...admin.configurationProfiles()];
    const [user] = [...admin.users()];
    await admin.unassign({ kind: 'user', id: user?.guid as string }, { kind: 'profile', id: profile?.profileId as string });
    expect([await update(), app.runtime.getApplicationPolicy(), await update()]).toEqual([['policy'], {}, []]);
    expect(app.heard).toEqual(['configupdate', 'policyupdate', 'policyupdate']);
    await end();
  });

  it('asks by itself: after `authorize`, then by the interval of its policy with up to a quarter of jitter, also while it is locked', async () => {
    const { app, lab, clock, guid, id, policy, end } = await world('timer');
    const asked = (): number => lab.admin.dynamicsApp(guid, id).console?.said?.atMs ?? 0;
    await clock.advance(2_000);
    const first = asked();
    expect(clock.nowMs() - first).toBeLessThan(1_300);
    await policy({ updateIntervalMinutes: 20, idleLockMinutes: 1 });
    await clock.advance(44 * MINUTE_MS);
    expect(asked()).toBe(first);
    await clock.advance(32 * MINUTE_MS);
    const second = asked();
    expect(second).toBeGreaterThan(first);
    expect(app.heard).toContain('policyupdate');
    await clock.advance(26 * MINUTE_MS);
    expect([asked() > second, ...stateOf(app)]).toEqual([true, 'locked', 'GDErrorIdleLockout']);
    await app.runtime.close();
    const last = asked();
    await clock.advance(DAY_MS);
    expect(asked()).toBe(last);
    await end();
  });

  it('comes again, later and later, while UEM is not there; nothing changes by that', async () => {
    const { app, lab, clock, end } = await world('away');
    lab.faults.add({ kind: 'drop', role: 'uem', service: 'px' });
    const tries = (): number => app.trace.filter(({ step, from }) => step === 'F10.3' && from === 'app').length;
    const before = tries();
    await clock.advance(10 * MINUTE_MS);
    // After 1 s, 1, 2 and 4 minutes, each with its jitter; by the interval alone it would be one.
    expect(tries() - before).toBeGreaterThanOrEqual(3);
    expect(tries() - before).toBeLessThanOrEqual(6);
    await expect(app.runtime.update()).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_(TRANSPORT|CONNECTION)/) });
    expect([...stateOf(app), app.heard]).toEqual(['authorized', 'GDErrorNone', []]);
    await end();
  });

  it('says what it cannot ask: before its activation, once it is wiped, once it is closed', async () => {
    const lab = await appLab('cannot');
    const app = await installedApp(lab);
    await expect(app.runtime.update()).rejects.toMatchObject({ code: 'ERR_USAGE_STATE' });
    await expect(app.runtime.unlock(PASSWORD)).rejects.toMatchObject({ code: 'ERR_USAGE_STATE', message: 'the container is closed; authorize opens it' });
    await app.authorize(await lab.key());
    await app.runtime.wipe();
    await expect(app.runtime.update()).rejects.toMatchObject({ code: 'ERR_APP_WIPED' });
    await app.runtime.close();
    await expect(app.runtime.update()).rejects.toMatchObject({ code: 'ERR_USAGE_STATE' });
    await lab.lab.close();
  });
});

describe('an administrator', () => {
  it('locks the app; its unlock key opens it once, with a new password, and the next lock has another key', async () => {
    const { app, lab, clock, guid, id, update, end } = await world('lock');
    await app.runtime.container?.values.put('note', Uint8Array.of(7));
    const lock = async (): Promise<void> => {
      await lab.admin.commandDynamicsApp(guid, id, { type: 'LOCK_APPLICATION' });
      expect(lab.admin.dynamicsApp(guid, id).isCarriedOut).toBe(false);
      expect(await update()).toEqual(['console']);
      expect([...stateOf(app), app.runtime.container]).toEqual(['locked', 'GDErrorRemoteLockout', undefined]);
      expect(lab.admin.dynamicsApp(guid, id)).toMatchObject({ isCarriedOut: true, console: { said: { report: { state: 'locked' } } } });
    };
    await lock();
    expect((await app.authorize(undefined, PASSWORD)).state).toBe('locked');
    // The screen for the password says what is wrong, and throws nothing.
    for (const answer of [app.runtime.unlock(PASSWORD), app.runtime.changePassword(PASSWORD, NEXT_PASSWORD)])
      expect(await clock.hold(answer)).toMatchObject({ state: 'locked', code: 'GDErrorRemoteLockout', number: -303 });
    // A lock that was carried out is not carried out again.
    expect(await update()).toEqual([]);
    const first = await lab.admin.unlockKeyOfDynamicsApp(guid, id);
    expect(await clock.hold(app.runtime.recover(first, NEXT_PASSWORD))).toMatchObject({ state: 'authorized', code: 'GDErrorNone' });
    expect(await app.runtime.container?.values.get('note')).toEqual(Uint8Array.of(7));
    expect(await update()).toEqual(['console']);
    expect(stateOf(app)).toEqual(['authorized', 'GDErrorNone']);
    await lock();
    const second = await lab.admin.unlockKeyOfDynamicsApp(guid, id);
    expect(second).not.toBe(first);
    expect(await clock.hold(app.runtime.recover(first, PASSWORD))).toMatchObject({ code: 'GDErrorRemoteLockout' });
    expect(await clock.hold(app.runtime.recover(second, 'third horse 99'))).toMatchObject({ state: 'authorized' });
    await end();
  });

  it('opens an app that too many wrong passwords have locked, by the key that it took in advance', async () => {
    const { app, lab, clock, guid, id, policy, update, end } = await world('exhausted');
    await policy({ passwordMaxTries: 2 });
    await update();
    for (const wrong of ['wrong horse 1', 'wrong horse 2']) await clock.hold(app.runtime.unlock(wrong));
    expect(stateOf(app)).toEqual(['locked', 'GDErrorRemoteLockout']);
    const key = await lab.admin.unlockKeyOfDynamicsApp(guid, id);
    expect(await clock.hold(app.runtime.recover(key, NEXT_PASSWORD))).toMatchObject({ state: 'authorized' });
    await end();
  });

  it('blocks and unblocks the app, over a restart; what the app has blocked itself stays', async () => {
    const { app, lab, guid, id, update, end } = await world('block');
    const block = { type: 'BLOCK_APPLICATION', title: 'Lost', body: 'Call the help desk.', actionId: 'lost' } as const;
    await lab.admin.commandDynamicsApp(guid, id, block);
    await update();
    expect([...stateOf(app), app.heard]).toEqual(['locked', 'GDErrorBlocked', ['locked GDErrorBlocked']]);
    await app.runtime.executeUnblock('lost');
    expect(stateOf(app)).toEqual(['locked', 'GDErrorBlocked']);
    await app.runtime.close();
    const again = await app.restart();
    expect((await again.authorize()).code).toBe('GDErrorBlocked');
    await again.runtime.executeBlock({ id: 'own', title: 'Own', message: 'Of the app' });
    await lab.admin.commandDynamicsApp(guid, id, { type: 'UNBLOCK_APPLICATION', actionId: 'lost' });
    await update(again);
    expect(stateOf(again)).toEqual(['locked', 'GDErrorBlocked']);
    await again.runtime.executeUnblock('own');
    expect(stateOf(again)).toEqual(['authorized', 'GDErrorNone']);
    await again.runtime.close();
    await end();
  });

  it('wipes the app: UEM hears that it is done, and knows the app no more; it begins anew as another one', async () => {
    const { app, lab, guid, id, key, update, end } = await world('wipe');
    await lab.admin.commandDynamicsApp(guid, id, { type: 'DELETE_APPLICATION' });
    expect(await update()).toEqual(['console']);
    expect([...stateOf(app), app.runtime.isActivated, lab.admin.dynamicsApps(guid)]).toEqual(['wiped', 'GDErrorWiped', false, []]);
    expect((await app.authorize(await key())).state).toBe('authorized');
    expect(lab.admin.dynamicsApps(guid).map(({ app: { instanceId } }) => instanceId)).toEqual([toHex(app.runtime.instanceId)]);
    await end();
  });

  it('withdraws the app from its user: it hears that no version is entitled, is wiped, and its link ends', async () => {
    const { app, lab, guid, update, end } = await world('unassigned');
    const application = [...lab.admin.applications()].find(({ applicationId }) => applicationId === APP_ID);
    await lab.admin.unassign({ kind: 'user', id: guid }, { kind: 'application', id: application?.guid as string });
    await update();
    expect([...stateOf(app), lab.admin.dynamicsApps(guid)]).toEqual(['wiped', 'GDErrorAppDenied', []]);
    await end();
  });
});

describe('entitlement', () => {
  it('of another version locks the app until it is withdrawn, and its data stay', async () => {
    const { app, lab, update, end } = await world('versions');
    await app.runtime.container?.values.put('note', Uint8Array.of(7));
    const known = [...lab.admin.applications()].find(({ applicationId }) => applicationId === APP_ID);
    const application = { applicationId: APP_ID, name: 'Mail', version: '1.0.0.0', platforms: ['ANDROID'] } as const;
    await lab.admin.updateApplication(known?.guid as string, { ...application, entitledVersions: ['2.0.0.0'] });
    expect(await update()).toEqual(['entitlements']);
    expect([...stateOf(app), app.heard]).toEqual(['locked', 'GDErrorAppVersionNotEntitled', ['locked GDErrorAppVersionNotEntitled', 'entitlementsupdate']]);
    await lab.admin.updateApplication(known?.guid as string, { ...application, entitledVersions: ['2.0.0.0', '1.0.0.0'] });
    await update();
    expect([...stateOf(app), app.heard.at(-1)]).toEqual(['authorized', 'GDErrorNone', 'entitlementsupdate']);
    expect(await app.runtime.container?.values.get('note')).toEqual(Uint8Array.of(7));
    await end();
  });
});

describe('days without contact', () => {
  it.each([
    ['block', ['locked', 'GDErrorBlocked'], ['authorized', 'GDErrorNone']],
    ['wipe', ['wiped', 'GDErrorWiped'], ['wiped', 'GDErrorWiped']],
  ] as const)(
    '%s as policy says; each answer of UEM is a contact, and nothing else is',
    async (noContactAction, overdue, back) => {
      const { app, lab, clock, policy, update, end } = await world(`contact ${noContactAction}`);
      await policy({ noContactDays: 3, noContactAction, updateIntervalMinutes: 120 });
      await update();
      // It asks by itself, so that days go by.
      await clock.advance(10 * DAY_MS);
      expect(stateOf(app)).toEqual(['authorized', 'GDErrorNone']);
      const away = lab.faults.add({ kind: 'drop', role: 'uem', service: 'px' });
      await clock.advance(2 * DAY_MS);
      expect(stateOf(app)).toEqual(['authorized', 'GDErrorNone']);
      await clock.advance(2 * DAY_MS);
      expect(stateOf(app)).toEqual(overdue);
      lab.faults.remove(away.id);
      await clock.advance(2 * HOUR_MS);
      expect(stateOf(app)).toEqual(back);
      await end();
    },
    60_000,
  );
});

describe('a crash', () => {
  /** How often the app may write down how far it has come with what UEM said, before its process ends. */
  it.each([
    ['before it is durable', 0],
    ['behind durable', 1],
    ['when the lock is carried out', 2],
  ])('%s repeats without harm: lock and block are there, and the unlock key opens', async (_when, writes) => {
    const { app, lab, clock, guid, id, end } = await world(`crash ${writes}`);
    await app.runtime.container?.values.put('note', Uint8Array.of(7));
    await lab.admin.commandDynamicsApp(guid, id, { type: 'LOCK_APPLICATION' });
    await lab.admin.commandDynamicsApp(guid, id, { type: 'BLOCK_APPLICATION', title: 'T', body: 'B', actionId: 'b' });
    let left = writes;
    app.store.beforeCommit = (keys) => {
      const isUpdate = keys.includes('dynamics/update');
      if (left === 0 && (isUpdate || writes > 0)) throw new Error('the process has died');
      if (isUpdate) left -= 1;
    };
    await clock.hold(app.runtime.update().catch(() => undefined));
    app.store.beforeCommit = undefined;
    expect(lab.admin.dynamicsApp(guid, id).isCarriedOut).toBe(false);
    const again = await app.restart();
    const result = await again.authorize();
    // What was not durable is not there yet; everything else is, before the app may do anything.
    expect(result.state === 'authorized').toBe(writes === 0);
    await clock.hold(again.runtime.update());
    expect(lab.admin.dynamicsApp(guid, id).isCarriedOut).toBe(true);
    expect(again.runtime.container).toBeUndefined();
    await clock.hold(again.runtime.recover(await lab.admin.unlockKeyOfDynamicsApp(guid, id), NEXT_PASSWORD));
    expect(stateOf(again)).toEqual(['locked', 'GDErrorBlocked']);
    await lab.admin.commandDynamicsApp(guid, id, { type: 'UNBLOCK_APPLICATION', actionId: 'b' });
    await clock.hold(again.runtime.update());
    expect(stateOf(again)).toEqual(['authorized', 'GDErrorNone']);
    expect(await again.runtime.container?.values.get('note')).toEqual(Uint8Array.of(7));
    await again.runtime.close();
    await end();
  });
});

describe('a NOC that attacks', () => {
  type Attack = (bytes: Uint8Array, sent: readonly Uint8Array[]) => readonly Uint8Array[];

  /** A transport whose link changes what comes from UEM, behind `px` too. */
  function attacked(inner: NocTransport, attack: () => Attack | undefined): NocTransport {
    return {
      openNoc: (request) => inner.openNoc(request),
      openLink(request) {
        const seen: Uint8Array[] = [];
        return (inner.openLink as NonNullable<NocTransport['openLink']>)({
          ...request,
          onBytes(bytes) {
            seen.push(bytes);
            for (const piece of attack()?.(bytes, seen) ?? [bytes]) request.onBytes(piece);
          },
        });
      },
    };
  }

  const flipped = (bytes: Uint8Array): Uint8Array => bytes.map((byte, at) => (at === bytes.length - 1 ? byte ^ 1 : byte));
  const isRecord = (bytes: Uint8Array): boolean => bytes[0] === 0x17;

  it.each<readonly [string, Attack]>([
    ['drops what UEM says', (bytes) => (isRecord(bytes) ? [] : [bytes])],
    ['changes it', (bytes) => [isRecord(bytes) ? flipped(bytes) : bytes]],
    ['says something of an earlier session', (bytes) => [isRecord(bytes) ? (old as Uint8Array) : bytes]],
    ['says that the link is unknown', (bytes) => [isRecord(bytes) ? (alert as Uint8Array) : bytes]],
  ])('that %s changes nothing, and is no contact', async (_what, attack) => {
    let now: Attack | undefined;
    const lab = await appLab('attack');
    const inner = lab.lab.transport('app') as NocTransport;
    const app = await installedApp(lab, { transport: attacked(inner, () => now) });
    await app.authorize(await lab.key());
    now = (bytes) => {
      if (isRecord(bytes)) old ??= bytes;
      return [bytes];
    };
    await lab.clock.hold(app.runtime.update());
    app.heard.length = 0;
    const [user] = [...lab.lab.admin.users()];
    const guid = user?.guid as string;
    const id = toHex(app.runtime.instanceId);
    await lab.lab.admin.commandDynamicsApp(guid, id, { type: 'DELETE_APPLICATION' });
    now = attack;
    const failed = app.runtime.update().then(
      () => undefined,
      (error: unknown) => error,
    );
    await lab.clock.advance(MINUTE_MS);
    expect(await failed).toMatchObject({ code: expect.stringMatching(/^ERR_/) });
    expect([...stateOf(app), app.heard, lab.lab.admin.dynamicsApp(guid, id).isCarriedOut]).toEqual(['authorized', 'GDErrorNone', [], false]);
    now = undefined;
    await lab.clock.hold(app.runtime.update());
    expect(app.runtime.state).toBe('wiped');
    await app.runtime.close();
    await lab.lab.close();
  });

  let old: Uint8Array | undefined;
  const alert = Uint8Array.of(1, 1, 0, 0, 0, 0, 0, 3, 0xa1, 0, 2);
});
