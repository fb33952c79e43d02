import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shareOf } from '../../../../scripts/lib/test-sizes.ts';
import { PASSWORD } from '../support/admin-lab.ts';
import { type FilledLab, filledLab } from '../support/filled-lab.ts';
import { knownPath, OPERATIONS, type Operation, placesOf, requestOf, withJunk } from '../support/openapi-requests.ts';
import { A_DEFINITION } from '../support/policy-definitions.ts';

const SEED = 20_260_101;
/** Requests of one operation; each one has another field, part or parameter wrong, or none. */
const REQUESTS = 30;
/** Names of files and of functions, as a stack trace has them. */
const CODE = /\.ts:\d|node:internal|\bat \w+ \(/;
/** What stands in a field in turn; each field gets `JUNK_OF_A_FIELD` of them. */
const JUNK: readonly unknown[] = [
  null,
  -1,
  1.5,
  '',
  '\u0000',
  [],
  {},
  true,
  'x'.repeat(2_000),
  1e308,
  '__proto__',
  '../..',
  [[]],
  { a: { b: null } },
  '\ud800',
  '0',
];
const JUNK_OF_A_FIELD = 3;
/** What stands in a part of a path or a parameter in turn, as it is written in a target; each of them gets `TEXTS_OF_A_PARAMETER` of them. */
const TEXTS: readonly string[] = [
  '',
  '-1',
  '%00',
  '__proto__',
  '%ff',
  '1.5',
  'x'.repeat(2_000),
  '%',
  '..%2F..',
  '1e308',
  '%ED%A0%80',
  'toString',
  '0',
  '%20',
  'guid%3D*',
];
const TEXTS_OF_A_PARAMETER = 4;

const base64 = (text: string): string => Buffer.from(text).toString('base64');
/** Bodies of operations whose rules between fields, or whose names of what there is, let hardly any random body in. */
const bodies = ({ withoutDevices }: FilledLab): Readonly<Record<string, object>> => ({
  addFault: { kind: 'delay', delayMs: 5, role: 'uem', share: 0.5, seed: 1, count: 2 },
  addGroupDevices: { devices: [{ guid: 'd1' }] },
  addGroupUsers: { users: [{ guid: withoutDevices }] },
  authorize: { username: 'admin', password: base64(PASSWORD), provider: 'LOCAL' },
  createProfile: { kind: 'wi-fi', name: 'Office', content: { ssid: 'Office', security: 'WPA2_PERSONAL', preSharedKey: 'secret of the office' } },
  createAppPolicy: { name: 'Loud', values: { sound: true, colour: -1 } },
  putAppPolicy: { name: 'Loud', values: { sound: true, tabs: ['b'] } },
  putPolicyDefinition: { xml: A_DEFINITION },
  putApplication: { applicationId: 'com.example.one', name: 'One', version: '2', platforms: ['IOS'] },
  putMailSettings: { from: 'uem@example.com', smtp: { host: 'mail.example', port: 25, security: 'starttls', username: 'u', password: 'p' } },
  putProfile: { kind: 'dynamics', name: 'D', rank: 2, content: { enableLauncher: true } },
  replaceActivationPasswords: { activationPasswords: [{ qrCode: true, expireAfterUse: true, expiry: '2026-01-05T00:00:00Z' }] },
  sendApplicationCommand: { type: 'LOCK_APPLICATION' },
  sendCommand: { type: 'LOCK_DEVICE', properties: { message: 'Call us' }, expiry: '2026-01-05T00:00:00Z' },
  sendDeviceCommands: { commands: [{ type: 'LOCK_DEVICE', properties: { message: 'Call us' } }], devices: ['d1'] },
  sendDynamicsAppCommand: { type: 'BLOCK_APPLICATION', title: 'Lost', body: 'Call us', actionId: 'lost' },
  setActivationPasswords: { activationPasswords: [{ emailTemplate: { guid: 'activation' } }, { qrCode: true, emailTemplate: { guid: 'activation' } }] },
});

/** A lab in which the operation has something to work on. */
async function labFor(id: string, path: string): Promise<FilledLab> {
  const filled = await filledLab(path);
  if (id === 'deleteUser') return { ...filled, parts: { ...filled.parts, '/users/{guid}': filled.withoutDevices } };
  if (id.startsWith('unassign')) {
    const { status, text } = await filled.lab.ask('PUT', knownPath(path, filled.parts), id.includes('Application') ? { disposition: 'OPTIONAL' } : undefined);
    expect(status, text).toBe(200);
  }
  // A group that has members is in use.
  if (id === 'deleteGroup') await filled.lab.ask('DELETE', knownPath('/groups/{group}/users/{guid}', filled.parts));
  if (id === 'deleteDeviceGroup') await filled.lab.ask('DELETE', knownPath('/deviceGroups/{group}/devices/{device}', filled.parts));
  return filled;
}

/** A body that the operation takes. */
async function takenBody(id: string, method: string, path: string, operation: Operation): Promise<unknown> {
  const filled = await labFor(id, path);
  const known = bodies(filled)[id];
  for (const { body } of known === undefined ? fc.sample(requestOf(path, operation, filled), { seed: SEED, numRuns: 400 }) : [{ body: known }])
    if ((await filled.lab.ask(method, knownPath(path, filled.parts), body)).status < 400) return body;
  throw new Error(`${id} takes no body`);
}

const WITH_PARAMETERS = OPERATIONS.filter(([, , , { parameters = [] }]) => parameters.length > 0);
const WITH_BODY = OPERATIONS.filter(([, , , { requestBody }]) => requestBody !== undefined);

describe(`every field, part and parameter of the OpenAPI document (seed ${SEED})`, () => {
  it('covers every operation', () => {
    expect(OPERATIONS.length).toBeGreaterThan(120);
  });

  it.each(OPERATIONS)(
    '%s is answered below 500, without a trace of code; a refused request changes nothing, and one at least is taken',
    async (id, method, path, operation) => {
      const filled = await labFor(id, path);
      const { lab, state } = filled;
      let taken = 0;
      await fc.assert(
        fc.asyncProperty(requestOf(path, operation, filled, bodies(filled)[id]), async ({ target, body }) => {
          const before = state();
          const { status, text } = await lab.ask(method, target, body);
          expect(status).toBeLessThan(500);
          expect(text).not.toMatch(CODE);
          if (status >= 400) expect(state()).toBe(before);
          else taken += 1;
        }),
        { seed: SEED, numRuns: REQUESTS },
      );
      expect(taken).toBeGreaterThan(0);
    },
  );

  it.each(shareOf(WITH_BODY, 4))(
    'each field of %s alone holds what it must not: refused or taken, never a bug, and a refusal changes nothing',
    async (id, method, path, operation) => {
      const good = await takenBody(id, method, path, operation);
      const { lab, parts, state } = await labFor(id, path);
      for (const [index, place] of placesOf(operation.requestBody?.content['application/json']?.schema ?? {}).entries()) {
        for (let turn = 0; turn < JUNK_OF_A_FIELD; turn++) {
          const body = withJunk(good, place, JUNK[(index * JUNK_OF_A_FIELD + turn) % JUNK.length]);
          const before = state();
          const { status, text } = await lab.ask(method, knownPath(path, parts), body);
          expect([status < 500, place, text]).toEqual([true, place, text]);
          expect(text).not.toMatch(CODE);
          if (status >= 400) expect(state()).toBe(before);
        }
      }
    },
  );

  it.each(shareOf(WITH_PARAMETERS, 4))(
    'each part and parameter of %s alone holds what it must not: refused or taken, never a bug, and a refusal changes nothing',
    async (id, method, path, operation) => {
      const body = operation.requestBody === undefined ? undefined : await takenBody(id, method, path, operation);
      const { lab, parts, state } = await labFor(id, path);
      for (const [index, { name, in: place }] of (operation.parameters ?? []).entries()) {
        for (let turn = 0; turn < TEXTS_OF_A_PARAMETER; turn++) {
          const wrong = TEXTS[(index * TEXTS_OF_A_PARAMETER + turn + id.length) % TEXTS.length] as string;
          const target = place === 'path' ? knownPath(path.replace(`{${name}}`, wrong), parts) : `${knownPath(path, parts)}?${name}=${wrong}`;
          const before = state();
          const { status, text } = await lab.ask(method, target, body);
          expect([status < 500, target, text]).toEqual([true, target, text]);
          expect(text).not.toMatch(CODE);
          if (status >= 400) expect(state()).toBe(before);
        }
      }
    },
  );
});
