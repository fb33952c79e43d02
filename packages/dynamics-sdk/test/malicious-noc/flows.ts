import { isProtocolError } from '@uemkit/protocol';
import { DOWN, FAR_HOST, type InstalledApp, UP, until, type World } from './world.ts';

const HOUR_MS = 3_600_001;

/** Code and step of an error; anything else is a bug. */
export function told(error: unknown): string {
  if (!isProtocolError(error)) throw error;
  return `${error.code} ${error.step}`;
}

/**
 * One question and its answer through the Proxy (F10). With `isAged` the keys of the session are an hour old before the question, so that both ends make new ones.
 * @throws Error when the app gets anything else than the beginning of the answer, or its end without all of it
 */
export async function talk({ runtime }: InstalledApp, { server, clock }: World, isAged = false): Promise<string> {
  const heard: Buffer[] = [];
  let outcome = 'ok';
  try {
    const stream = await runtime.connect({ host: FAR_HOST, port: server.port });
    if (isAged) clock.jumpWallClock(HOUR_MS);
    await new Promise<void>((resolve, reject) => {
      stream.on('data', (chunk: Buffer) => void heard.push(chunk));
      stream.once('end', resolve);
      stream.once('error', reject);
      stream.once('close', () => reject(new Error('closed without an error or an end')));
      stream.end(UP);
    });
  } catch (error) {
    outcome = told(error);
  }
  const read = Buffer.concat(heard);
  if (!(outcome === 'ok' ? DOWN : DOWN.subarray(0, read.length)).equals(read)) throw new Error(`the app read ${JSON.stringify(String(read))} (${outcome})`);
  return outcome;
}

/** The app asks UEM what has changed (F5.3 to F5.5). */
export async function update({ runtime }: InstalledApp): Promise<string> {
  try {
    return (await runtime.update()).isConfirmed ? 'ok' : 'unconfirmed';
  } catch (error) {
    return told(error);
  }
}

/** The app ends while its question is under way: how that is for the server. */
export async function closing({ runtime }: InstalledApp, { server, clock }: World): Promise<string> {
  const before = server.heard.length;
  const stream = await runtime.connect({ host: FAR_HOST, port: server.port });
  stream.on('error', () => {});
  stream.write(UP);
  const mine = (): World['server']['heard'][number] | undefined => server.heard[before];
  await until(() => mine()?.bytes.length === UP.length);
  // Everything before it has left: the close of the session goes out with the connection.
  await clock.settle();
  await runtime.close();
  await until(() => mine()?.end !== 'open');
  return mine()?.end as string;
}

/** What the server behind the Proxy was told is the beginning of what an app has said, and where it was told of the end, all of it. */
export function isTrue(heard: World['server']['heard'][number]): boolean {
  return (heard.end === 'ended' ? UP : UP.subarray(0, heard.bytes.length)).equals(heard.bytes);
}
