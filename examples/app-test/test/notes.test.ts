import { afterEach, beforeEach, expect, it } from 'vitest';
import { PASSWORD, type Phone, startPhone } from './phone.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

const begun = process.cpuUsage();
let phone: Phone;
beforeEach(async () => {
  phone = await startPhone();
  await phone.app.write('shopping', 'milk');
});
afterEach(() => phone.close());

it('is locked by an administrator, and opens with the unlock key of the help desk', async () => {
  const { app, lab, clock, user, instance } = phone;
  await lab.admin.commandDynamicsApp(user, instance, { type: 'LOCK_APPLICATION' });
  await clock.advance(2 * 60 * MINUTE_MS); // the app asks every hour, by itself
  expect(app.screen).toEqual({ name: 'helpDesk' });
  await expect(app.read('shopping')).rejects.toThrow('no notes');
  await clock.hold(app.unlock(PASSWORD));
  expect(app.screen).toEqual({ name: 'helpDesk' });

  const unlockKey = await lab.admin.unlockKeyOfDynamicsApp(user, instance);
  await clock.hold(app.recover(unlockKey, 'another horse 8'));
  expect(await app.read('shopping')).toBe('milk');
});

it('is wiped when the phone is lost: nothing of it opens any more, and the console says so', async () => {
  const { app, runtime, lab, clock, user, instance } = phone;
  await lab.admin.commandDynamicsApp(user, instance, { type: 'DELETE_APPLICATION' });
  await clock.advance(2 * 60 * MINUTE_MS);
  expect(app.screen).toEqual({ name: 'wiped' });
  expect([runtime.isActivated, runtime.container]).toEqual([false, undefined]);
  expect([...lab.admin.dynamicsApps(user)]).toEqual([]);

  // Another access key begins anew, with nothing of what was there.
  const { accessKey } = await lab.admin.createAccessKey(user);
  await clock.hold(app.start({ password: PASSWORD, credentials: { userId: 'ada@example.com', accessKey } }));
  expect(await app.read('shopping')).toBeUndefined();
});

it('goes on without network for the days that policy gives it, is blocked then, and comes back by itself', async () => {
  const { app, lab, clock } = phone;
  await phone.policy({ noContactDays: 3, noContactAction: 'block', updateIntervalMinutes: 1_440 });
  lab.faults.add({ kind: 'drop', role: 'uem', service: 'px' }); // UEM is not there for apps
  await clock.advance(2.9 * DAY_MS);
  expect(await app.read('shopping')).toBe('milk');
  await clock.advance(0.2 * DAY_MS);
  expect(app.screen).toEqual({ name: 'blocked', message: expect.stringContaining('has not reached its organisation') });

  lab.faults.clear();
  await clock.advance(2 * DAY_MS); // it asks once a day
  expect(await app.read('shopping')).toBe('milk');
});

it('keeps another policy from the moment on that it hears of it: it hides after five minutes, and the password shows it again', async () => {
  const { app, runtime, clock } = phone;
  await clock.advance(30 * MINUTE_MS);
  expect(app.screen).toEqual({ name: 'notes' });
  await phone.policy({ idleLockMinutes: 5 });
  expect(runtime.getApplicationPolicy()).toEqual({ dynamics: { idleLockMinutes: 5 } });
  runtime.activity();
  await clock.advance(4 * MINUTE_MS);
  expect(app.screen).toEqual({ name: 'notes' });
  await clock.advance(2 * MINUTE_MS);
  expect(app.screen).toEqual({ name: 'password' });
  await clock.hold(app.unlock('wrong horse 7'));
  expect(app.screen).toEqual({ name: 'password' });
  await clock.hold(app.unlock(PASSWORD));
  expect(await app.read('shopping')).toBe('milk');
});

it('took less than two seconds of a processor for a week of the app', () => {
  const { user, system } = process.cpuUsage(begun);
  console.log(`a week of the app took ${Math.round((user + system) / 1_000)} ms of a processor`);
  expect(user + system).toBeLessThan(2_000_000);
});
