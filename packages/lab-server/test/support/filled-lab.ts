import { putDefaultConfiguration } from '../../src/configuration/default-configuration.ts';
import { putAppConsole } from '../../src/state/app-consoles.ts';
import { inboxIdAt, putInboxMail } from '../../src/state/inbox.ts';
import { AdminLab } from './admin-lab.ts';
import { A_DEFINITION } from './policy-definitions.ts';

/** A lab that has one of everything an administrator can name. */
export interface FilledLab {
  readonly lab: AdminLab;
  /** A user who has no device, in no group. */
  readonly withoutDevices: string;
  /** Parts of a path by their place (`/users/{guid}`), as they are named there. */
  readonly parts: Readonly<Record<string, string>>;
  /** The names that there are, and one that there is not. */
  readonly ids: readonly string[];
  /** Everything that is stored, and the faults in force. */
  state(): string;
}

const PROFILE = { createWorkSpace: false, encryptDevice: false, pollIntervalS: 900, pollJitterS: 60, allowedDevices: 5 };

/** @param path what the lab is for: keys and administrators cost the time of a password, and are made only where the path names one */
export async function filledLab(path: string): Promise<FilledLab> {
  const lab = await AdminLab.start();
  const { admin, store } = lab;
  await store.transaction((tx) => putDefaultConfiguration(tx, 0));
  const alice = await admin.createUser({ username: 'alice', email: 'alice@example.com' });
  const nobody = await admin.createUser({ username: 'without-devices' });
  await lab.addDevice(alice, 'd1', { activationType: 'mdm-controls' });
  const { commandId } = await admin.sendCommand('d1', { type: 'LOCK_DEVICE' });
  await admin.putProfile({ ...PROFILE, profileId: 'spare', name: 'Spare', activationType: 'mdm-controls' });
  const { mail } = await admin.sendActivationMail(alice.guid, { qrCode: {} });
  const keyId = path.includes('{accessKey}') ? (await admin.createAccessKey(alice.guid)).keyId : '0'.repeat(32);
  const helpDesk = path.includes('/administrators/{')
    ? (await lab.administrators.create({ username: 'helen', role: 'helpDesk' })).administrator.guid
    : 'nobody';
  await admin.putEmailTemplate({ templateId: 'own', name: 'Own', subject: 'Your device', text: '{{username}}', html: '<p>{{username}}</p>' });
  const inboxId = inboxIdAt(1, '0'.repeat(36));
  const arrived = { inboxId, from: 'uem@example.com', to: ['alice@example.com'], subject: 'x', receivedAtMs: 1, source: new Uint8Array(1) };
  await store.transaction((tx) => putInboxMail(tx, arrived));
  const fault = lab.faults.add({ kind: 'drop' });
  const { instanceId } = await lab.addApp(alice, '1'.repeat(32));
  const unlockKey = { id: new Uint8Array(16), key: '0123456789ABCDE' };
  await store.transaction((tx) => putAppConsole(tx, instanceId, { blocks: [], unlockKey, isUnlockKeyHeld: true, wipe: false }));

  const made = async (path: string, body: object): Promise<string> => {
    const { status, json, text } = await lab.ask('POST', path, body);
    if (status !== 201) throw new Error(text);
    return json.guid;
  };
  const group = await made('/groups', { name: 'Group' });
  const deviceGroup = await made('/deviceGroups', { name: 'List' });
  const policy = await made('/policies', { name: 'Policy', rules: { password: { required: true } } });
  const profile = await made('/profiles', { kind: 'dynamics', name: 'Dynamics', content: {} });
  const application = await made('/applications', { applicationId: 'com.example.one', name: 'One', version: '1', platforms: ['IOS'] });
  const served = await made('/applications', { applicationId: 'com.example.two', name: 'Two', version: '1', platforms: ['IOS'] });
  const server = await made('/applicationServers', { name: 'S', application: { guid: served }, servers: [{ host: 'a.example', port: 1, priority: 1 }] });

  const isAboutValues = path.includes('appPolic');
  if (isAboutValues || path.endsWith('/policyDefinition')) await admin.putPolicyDefinition(application, A_DEFINITION);
  const appPolicy = isAboutValues ? (await admin.createAppPolicy(application, { name: 'Values', values: { sound: true } })).appPolicyId : 'none';

  await lab.ask('POST', `/groups/${group}/users`, { users: [{ guid: alice.guid }] });
  await lab.ask('POST', `/deviceGroups/${deviceGroup}/devices`, { devices: [{ guid: 'd1' }] });

  const parts = {
    '/users/{guid}': alice.guid,
    '/userDevices/{device}': 'd1',
    '/devices/{device}': 'd1',
    '/commands/{command}': commandId,
    '/groups/{group}': group,
    '/deviceGroups/{group}': deviceGroup,
    '/policies/{policy}': policy,
    '/profiles/{profile}': profile,
    '/profiles/{guid}': 'spare',
    '/activationProfiles/{profile}': 'spare',
    '/applications/{application}': application,
    '/appPolicies/{appPolicy}': appPolicy,
    '/applicationServers/{server}': server,
    '/administrators/{guid}': helpDesk,
    '/emailTemplates/{template}': 'own',
    '/accessKeys/{accessKey}': keyId,
    '/dynamicsApps/{app}': instanceId,
    '/mails/{mail}': mail.mailId,
    '/inbox/{mail}': inboxId,
    '/faults/{id}': fault.id,
  };
  const { '/dynamicsApps/{app}': _app, '/appPolicies/{appPolicy}': _policy, ...others } = parts;
  const ids = [...new Set([...Object.values(others), nobody.guid, served, 'default', 'nothing'])];
  return { lab, withoutDevices: nobody.guid, parts, ids, state: () => lab.contents() + JSON.stringify(lab.faults.list()) };
}
