import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { fakeClock } from '@uemkit/protocol/testing';
import { createTransport } from 'nodemailer';
import { beforeEach, expect, it } from 'vitest';
import { ConnectionSocket } from '../../src/node/connection-socket.ts';
import type { NodeDynamicsRuntime } from '../../src/node/index.ts';

const clock = fakeClock(0);
let isDestroyed: boolean;
let socket: ConnectionSocket;

/** A server that says what it hears. */
beforeEach(() => {
  isDestroyed = false;
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const destroy = (): void => {
    isDestroyed = true;
  };
  socket = new ConnectionSocket({ readable, writable, closed: new Promise(() => undefined), destroy }, clock);
});

it('says of itself what a socket says, as far as it knows it', async () => {
  socket.write('hello');
  expect(String((await once(socket, 'data'))[0])).toBe('hello');
  expect([socket.bytesWritten, socket.bytesRead, socket.bufferSize]).toEqual([5, 5, socket.writableLength]);
  expect([socket.connecting, socket.pending, socket.readyState, socket.timeout]).toEqual([false, false, 'open', 0]);
  expect([socket.address(), socket.remoteAddress, socket.remoteFamily, socket.remotePort]).toEqual([{}, undefined, undefined, undefined]);
  expect(socket.autoSelectFamilyAttemptedAddresses).toEqual([]);
  expect(socket.setTimeout(1_000).timeout).toBe(1_000);
  const late = once(socket, 'timeout');
  await clock.advance(1_000);
  await late;
  expect(() => socket.connect()).toThrow(expect.objectContaining({ code: 'ERR_USAGE_STATE' }));
});

it('ends its half, then is closed', async () => {
  socket.end();
  await once(socket, 'finish');
  expect(socket.readyState).toBe('readOnly');
  socket.resume();
  await once(socket, 'close');
  expect([socket.readyState, isDestroyed]).toEqual(['closed', true]);
});

it('is only read from when the other half has ended, and destroyed behind what was written', async () => {
  socket.write('last');
  socket.destroySoon();
  const heard = once(socket, 'data');
  socket.resume();
  expect(String((await heard)[0])).toBe('last');
  if (!socket.destroyed) await once(socket, 'close');
  expect(isDestroyed).toBe(true);
});

it('is destroyed at once when nothing is left to write, and by a reset', async () => {
  socket.end();
  await once(socket, 'finish');
  socket.destroySoon();
  expect(socket.destroyed).toBe(true);
  const [readable, writable] = [new ReadableStream<Uint8Array>(), new WritableStream<Uint8Array>()];
  const other = new ConnectionSocket({ readable, writable, closed: new Promise(() => undefined), destroy: () => undefined }, clock);
  expect(other.resetAndDestroy().destroyed).toBe(true);
});

/** `stream` of `ClientConfig` of `pg`. */
type PgStream = (() => Duplex) | Duplex;
/** What a `Connector` of `ioredis` resolves with. */
type IoredisStream = Socket | TLSSocket;

// The compiler is the judge: `pnpm types`.
it('fits, without a cast, where libraries take a connection', () => {
  type Connected = Awaited<ReturnType<NodeDynamicsRuntime['connect']>>;
  const pg = (connection: Connected): PgStream => connection;
  const ioredis = (connection: Connected): IoredisStream => connection;
  const mailer = (connection: Connected): unknown => createTransport({ host: 'mail.example.com', connection, tls: { servername: 'mail.example.com' } });
  const secured = (connection: Connected): TLSSocket => connectTls({ socket: connection, servername: 'ldap.example.com' });
  expect([pg, ioredis, mailer, secured]).toHaveLength(4);
});
