import { toHex } from '@uemkit/protocol';
import { expect, it } from 'vitest';
import { APP_ID, appLab, installedApp } from '../support/lab-app.ts';

const DEFINITION = `<?xml version="1.0" encoding="utf-8"?>
<apd:AppPolicyDefinition xmlns:apd="urn:AppPolicySchema1.good.com">
  <pview><title>Mail</title><pe ref="preview"/><pe ref="period"/><pe ref="folders"/></pview>
  <pview><sendto client="None"/><pe ref="note"/></pview>
  <setting name="preview"><checkbox><key>preview</key><label>Show previews</label><value>true</value></checkbox></setting>
  <setting name="period"><select><key>periodDays</key><label>Keep</label><value>-1</value><options ref="periods"/></select></setting>
  <setting name="folders"><multiselect><key>folders</key><label>Folders</label><options ref="all"/></multiselect></setting>
  <setting name="note"><text><key>note</key><label>For the console</label><value>x</value></text></setting>
  <dl name="periods" dtype="number"><dv><desc>For ever</desc><value>-1</value></dv><dv><desc>Half a day</desc><value>0.5</value></dv></dl>
  <dl name="all"><dv><value>inbox</value></dv><dv><value>sent</value></dv></dl>
</apd:AppPolicyDefinition>`;

it('an app gets the typed values of its definition with its activation, hears of others by `policyupdate`, and keeps them over a restart', async () => {
  const lab = await appLab('application policy');
  const { admin } = lab.lab;
  const application = [...admin.applications()].find(({ applicationId }) => applicationId === APP_ID)?.guid as string;
  const user = [...admin.users()][0]?.guid as string;
  await admin.putPolicyDefinition(application, DEFINITION);

  const app = await installedApp(lab);
  expect((await app.authorize(await lab.key())).state).toBe('authorized');
  const beginning = { preview: true, periodDays: -1, folders: [] };
  expect(app.runtime.getApplicationPolicy()).toEqual({ application: beginning });
  const update = async () => (await lab.clock.hold(app.runtime.update())).changed;
  expect(await update()).toEqual(['console']);
  app.heard.length = 0;

  const { appPolicyId } = await admin.createAppPolicy(application, { name: 'Short', values: { periodDays: 0.5, folders: ['sent'], preview: false } });
  expect(await update()).toEqual([]);
  await admin.assign({ kind: 'user', id: user }, { kind: 'appPolicy', id: appPolicyId });
  expect([await update(), app.heard]).toEqual([['policy'], ['policyupdate']]);
  const set = { preview: false, periodDays: 0.5, folders: ['sent'] };
  expect(app.runtime.getApplicationPolicy()).toEqual({ application: set });
  expect(admin.dynamicsApp(user, toHex(app.runtime.instanceId)).console?.said?.isCurrent).toBe(true);

  // A snapshot belongs to its reader.
  const snapshot = app.runtime.getApplicationPolicy() as { application: { folders: string[] } };
  snapshot.application.folders.push('inbox');
  expect(app.runtime.getApplicationPolicy()).toEqual({ application: set });

  await app.runtime.close();
  const again = await app.restart();
  expect(again.runtime.getApplicationPolicy()).toEqual({ application: set });
  await admin.unassign({ kind: 'user', id: user }, { kind: 'appPolicy', id: appPolicyId });
  await again.authorize();
  expect((await lab.clock.hold(again.runtime.update())).changed).toEqual(['policy']);
  expect(again.runtime.getApplicationPolicy()).toEqual({ application: beginning });
  await admin.deleteAppPolicy(application, appPolicyId);
  await admin.deletePolicyDefinition(application);
  expect([(await lab.clock.hold(again.runtime.update())).changed, again.runtime.getApplicationPolicy()]).toEqual([['policy'], {}]);
  await again.runtime.close();
  await lab.lab.close();
});
