import { type HeldAccessKey, keySchedule } from '@uemkit/protocol';
import { nodeCrypto } from '@uemkit/protocol/node';
import { fakeClock, seededEntropy } from '@uemkit/protocol/testing';
import { describe, expect, it } from 'vitest';
import type { Administration } from '../../src/admin/administration.ts';
import { type Lab, startLab } from '../../src/lab.ts';
import { type LabServer, startLabServer } from '../../src/lab-server.ts';
import { APP_ID, type AppWay, TestApp } from '../support/app-bench.ts';
import { type NocAnswers, pageApp, rawApp } from '../support/noc-client.ts';

const USER = 'ada@example.com';

/** A user with an app, and a typed access key. */
async function withKey(admin: Administration): Promise<HeldAccessKey> {
  const { guid } = admin.userByName(USER) ?? (await admin.createUser({ username: USER, email: USER }));
  if ([...admin.applications()].length === 0) {
    const application = await admin.createApplication({ applicationId: APP_ID, name: 'Mail', version: '1', platforms: ['ANDROID'] });
    await admin.assign({ kind: 'user', id: guid }, { kind: 'application', id: application.guid }, 'OPTIONAL');
  }
  const { accessKey } = await admin.createAccessKey(guid);
  return { kind: 'typed', accessKey: keySchedule.normalizeAccessKey(accessKey) };
}

/** A connection to real listeners; frames are asked for one by one. */
function wayOver(app: NocAnswers): AppWay {
  return {
    apps: 0,
    nowMs: () => Date.now(),
    async exchange(frame) {
      app.send(frame);
      const answer = await app.next();
      return answer === undefined ? undefined : Uint8Array.from([...answer.core, ...answer.trailer]);
    },
  };
}

describe('an app is activated (F3)', () => {
  it('over TLS and over a WebSocket; every step is in the journal, and no secret', async () => {
    const lab: LabServer = await startLabServer();
    const { ca, noc } = lab.connection;
    const ways = [await rawApp(Number(noc.split(':')[1]), ca), await pageApp(noc, ca)];
    for (const [index, connection] of ways.entries()) {
      const key = await withKey(lab.admin);
      const app = new TestApp(wayOver(connection), { key, userId: USER, instanceId: new Uint8Array(16).fill(index + 1) });
      expect(await app.run()).toBe('activated');
      expect(JSON.stringify(lab.journal.entries())).not.toContain(key.accessKey);
      connection.close();
    }
    const steps = lab.journal.entries().flatMap(({ role, step, answer }) => (step?.startsWith('F3') === true ? [`${role} ${step} ${answer}`] : []));
    const [first, second] = [steps.slice(0, steps.length / 2), steps.slice(steps.length / 2)];
    expect(first.slice(0, 6)).toEqual([
      'noc F3.5 acknowledgement',
      'noc F3.8 nocProvision',
      'uem F3.10 handshakeReply',
      'noc F3.10 handshakeReply',
      'uem F3.11 record',
      'noc F3.11 nocEnvelope',
    ]);
    // 0x34 goes its own way beside the last answer.
    expect(first.slice(6).sort()).toEqual(['noc F3.11 acknowledgement', 'noc F3.11 nocEnvelope', 'uem F3.11 record']);
    expect([...second].sort()).toEqual([...first].sort());
    await lab.close();
  });

  it('in memory, in virtual time; the NOC may be started again between any two frames, and UEM when it has answered the last one', async () => {
    const clock = fakeClock(Date.UTC(2026, 0, 1));
    const lab: Lab = await startLab({ clock, crypto: nodeCrypto(), entropy: seededEntropy('apps in memory') });
    const key = await withKey(lab.admin);
    let frames = 0;
    const LAST = 3;
    const way: AppWay = {
      apps: 0,
      nowMs: () => clock.nowMs(),
      async exchange(frame) {
        const answers: Uint8Array[] = [];
        const transport = lab.transport('app');
        const connection = await transport.openNoc({
          address: lab.connection.noc,
          trust: lab.trust,
          onFrame: (one) => void answers.push(one),
          onClose: () => {},
        });
        connection.send(frame);
        await clock.settle();
        connection.close();
        await lab.restart('noc');
        if (frames++ !== LAST) return answers[0];
        // The key is used, and the app has not heard of it.
        await lab.restart('uem');
        return undefined;
      },
    };
    const app = new TestApp(way, { key, userId: USER });
    expect([await app.run(), await app.run()]).toEqual(['lost', 'activated']);
    lab.assertNoUnknownRequests();
    await lab.close();
  });

  it('in memory: a NOC that is started again breaks connections, and no others', async () => {
    const lab = await startLab({ clock: fakeClock(0), entropy: seededEntropy('broken') });
    const ended: string[] = [];
    const open = () =>
      lab
        .transport()
        .openNoc({ address: lab.connection.noc, trust: lab.trust, onFrame: () => {}, onClose: (error) => void ended.push(error?.code ?? 'closed') });
    await open();
    await lab.restart('notification');
    expect(ended).toEqual([]);
    await lab.restart('noc');
    await Promise.resolve();
    expect(ended).toEqual(['ERR_TRANSPORT_CLOSED']);
    await expect(lab.transport().openNoc({ address: 'lab.invalid:1', trust: lab.trust, onFrame: () => {}, onClose: () => {} })).rejects.toMatchObject({
      code: 'ERR_TRANSPORT_CONNECT',
    });
    await expect(
      lab.transport().openNoc({ address: lab.connection.noc, trust: { roots: [], spkiPins: [new Uint8Array(32)] }, onFrame: () => {}, onClose: () => {} }),
    ).rejects.toMatchObject({ code: 'ERR_TRANSPORT_TLS' });
    await lab.close();
  });
});
