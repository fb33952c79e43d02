import { createServer } from 'node:net';
import { isProtocolError } from '@uemkit/protocol';
import { seededEntropy } from '@uemkit/protocol/testing';
import { expect, it } from 'vitest';
import { LISTENERS } from '../../src/data/lab-addresses.ts';
import { pickPorts } from '../../src/data/pick-ports.ts';

it('ports of a lab are its own, and none that the system gives to connections', async () => {
  const ports = Object.values(await pickPorts('127.0.0.1', seededEntropy('ports')));
  expect(new Set(ports).size).toBe(LISTENERS.length);
  for (const port of ports) {
    expect(port).toBeGreaterThanOrEqual(20_000);
    expect(port).toBeLessThan(32_768);
  }
});

it('a port that is taken is passed over', async () => {
  const { infrastructure, admin } = await pickPorts('127.0.0.1', seededEntropy('taken'));
  const squatters = [infrastructure, admin].map((port) => createServer().listen(port, '127.0.0.1'));
  await Promise.all(squatters.map((squatter) => new Promise((resolve) => squatter.once('listening', resolve))));
  const ports = Object.values(await pickPorts('127.0.0.1', seededEntropy('taken')));
  expect(ports).not.toContain(infrastructure);
  expect(ports).not.toContain(admin);
  expect(new Set(ports).size).toBe(LISTENERS.length);
  for (const squatter of squatters) squatter.close();
});

it('an address of another machine is refused', async () => {
  await expect(pickPorts('192.0.2.1', seededEntropy('elsewhere'))).rejects.toSatisfy(
    (error) => isProtocolError(error) && error.code === 'ERR_TRANSPORT_CONNECT',
  );
});
