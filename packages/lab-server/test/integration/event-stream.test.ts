import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LabServer, startLabServer } from '../../src/lab-server.ts';
import { LabDevice, overHttps, qrSecret } from '../support/lab-device.ts';
import { ask } from '../support/raw-client.ts';

let folder: string;
let lab: LabServer;
const start = async (): Promise<void> => {
  lab = await startLabServer({ folder });
};
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'uemkit-events-'));
});
afterEach(async () => {
  await lab.close();
  rmSync(folder, { recursive: true, force: true });
});

const options = (): { ca: string; headers: Record<string, string> } => {
  const { ca, administrator } = lab.connection;
  const authorization = `Basic ${Buffer.from(`${administrator.username}:${administrator.password}`).toString('base64')}`;
  return { ca, headers: { authorization, accept: 'application/x-ndjson' } };
};
const url = (query = ''): string => `${lab.connection.admin}/${lab.connection.tenantId}/api/v1/events${query}`;

interface Following {
  readonly response: IncomingMessage;
  readonly sent: ClientRequest;
  // biome-ignore lint/suspicious/noExplicitAny: lines of several shapes
  next(): Promise<any>;
}

/** A client that knows nothing of the server: HTTP and lines. */
async function follow(query = ''): Promise<Following> {
  const sent = request(url(query), { ...options(), agent: false });
  sent.on('error', () => {});
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const lines = createInterface({ input: response })[Symbol.asyncIterator]();
  return {
    response,
    sent,
    async next() {
      const { done, value } = await lines.next();
      return done === true ? undefined : JSON.parse(value);
    },
  };
}

describe('the stream of events over a real socket', () => {
  it('follows a device from its activation to the end of its command, and goes on after a restart where it was', async () => {
    await start();
    const stream = await follow();
    expect([stream.response.statusCode, stream.response.headers['content-type']]).toEqual([200, 'application/x-ndjson']);
    const user = await lab.admin.createUser({ username: 'alice' });
    const device = new LabDevice(overHttps(lab.connection));
    await device.activate(qrSecret((await lab.admin.createQrCode(user.guid)).content));
    const { commandId } = await lab.admin.sendCommand(device.deviceId, { type: 'LOCK_DEVICE' });
    await device.poll();
    const seen = [];
    for (;;) {
      const event = await stream.next();
      seen.push(event);
      if (event.type === 'COMMAND_SENT' && event.command.guid === commandId) break;
    }
    expect(seen.map(({ sequence }) => sequence)).toEqual(seen.map((_, index) => index + 1));
    expect(seen.map(({ type }) => type)).toEqual(expect.arrayContaining(['USER_CREATED', 'DEVICE_ACTIVATED', 'COMMAND_QUEUED']));

    await lab.close();
    const { last } = await (async () => {
      for (;;) {
        const line = await stream.next();
        if (line.type === 'END') return line;
      }
    })();
    expect(await stream.next()).toBeUndefined();
    await start();
    await lab.admin.createUser({ username: 'bob' });
    const again = await follow(`?after=${last}`);
    expect(await again.next()).toMatchObject({ sequence: Number(last.split('-')[1]) + 1, type: 'USER_CREATED' });
    again.sent.destroy();
  });

  it('tells a reader that is ahead of a restored backup to begin anew, also when as many events have come since', async () => {
    await start();
    await lab.admin.createUser({ username: 'alice' });
    await lab.close();
    const backup = mkdtempSync(join(tmpdir(), 'uemkit-backup-'));
    cpSync(folder, backup, { recursive: true });
    await start();
    const stream = await follow();
    const { position: before } = await stream.next();
    for (const username of ['bob', 'carol']) await lab.admin.createUser({ username });
    await stream.next();
    const { sequence, position: lost } = await stream.next();
    stream.sent.destroy();
    await lab.close();
    rmSync(folder, { recursive: true });
    cpSync(backup, folder, { recursive: true });
    rmSync(backup, { recursive: true });
    await start();
    for (const username of ['dave', 'erin', 'frank']) await lab.admin.createUser({ username });
    const { ca, headers } = options();
    const page = async (after: string) => {
      const { status, body } = await ask(url(`?after=${after}`), { ca, headers: { ...headers, accept: 'application/json' } });
      return { status, json: JSON.parse(Buffer.from(body).toString()) };
    };
    expect(sequence).toBe(3);
    expect(await page(lost)).toMatchObject({ status: 410, json: { id: 'POSITION_UNKNOWN' } });
    // The reader that has not come as far has missed nothing.
    const { status, json } = await page(before);
    expect([status, json.events.map((event: { readonly sequence: number }) => event.sequence)]).toEqual([200, [2, 3, 4]]);
  });

  it('is ended in order when the server stops: the last line, and the end of the answer', async () => {
    await start();
    const stream = await follow();
    const ended = once(stream.response, 'end');
    const last = stream.next();
    const closing = lab.close();
    expect(await last).toMatchObject({ type: 'END', reason: 'SERVER_STOPS' });
    expect(await stream.next()).toBeUndefined();
    await ended;
    expect(stream.response.complete).toBe(true);
    await closing;
  });

  it('gives the place of a reader who leaves to another one', async () => {
    await start();
    const readers = await Promise.all(Array.from({ length: 32 }, () => follow()));
    const { ca, headers } = options();
    expect((await ask(url(), { ca, headers })).status).toBe(503);
    for (const { sent } of readers) sent.destroy();
    let status = 503;
    while (status === 503) {
      const stream = await follow();
      status = stream.response.statusCode ?? 0;
      stream.sent.destroy();
    }
    expect(status).toBe(200);
  });
});
