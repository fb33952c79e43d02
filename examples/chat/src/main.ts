import { once } from 'node:events';
import type { NodeDynamicsRuntime } from '@uemkit/dynamics-sdk/node';
import { commandLine, companyCertificates, type InstalledApp, installApp, openCompany } from '@uemkit/example-company';
import { WebSocket } from 'ws';
import { startChat } from './chat-server.ts';

const APP_ID = 'com.example.chat';
const say = console.log;
const { target } = commandLine('example:chat [--target FILE]   two apps chat over WebSocket, through a server behind the firewall');

const company = await openCompany(target);
const certificates = await companyCertificates();
// The Proxy looks the name up, inside of the company; here it is one that every machine knows.
const host = 'localhost';
const chat = await startChat(await certificates.issue(host));
const apps: InstalledApp[] = [];
try {
  say('Two people get the app, which may reach the chat of the company through the Proxy');
  const ada = await phone('Ada');
  const bob = await phone('Bob');
  say('Ada and Bob open the chat, each by a WebSocket of ws with the agent of the runtime');
  const [adaHears, adaSays] = await join('Ada', ada.runtime);
  const [bobHears, bobSays] = await join('Bob', bob.runtime);
  await adaHears('Bob is here');
  adaSays('Lunch at noon?');
  await adaHears('Ada: Lunch at noon?');
  bobSays('Yes!');
  await Promise.all([adaHears('Bob: Yes!'), bobHears('Bob: Yes!')]);

  say('Bob has lost his phone: his app is wiped, and its connection ends with it');
  await bob.runtime.wipe();
  await adaHears('Bob has left');
  const refused = await once(open('Bob', bob.runtime), 'open').catch((error) => error);
  say(`Bob's phone tries again: ${refused.code}`);
  if (refused.code !== 'ERR_APP_WIPED') throw refused;
  say('Done.');
} catch (error) {
  console.error('It did not work:', error);
  process.exitCode = 1;
} finally {
  for (const app of apps) await app.uninstall();
  chat.close();
  await company.close();
}

/** Somebody's phone, with the app installed and activated. */
async function phone(name: string): Promise<InstalledApp> {
  const app = await installApp(company, { appId: APP_ID, ca: certificates.ca });
  apps.push(app);
  await app.activate(await company.invite({ appId: APP_ID, name: 'Chat', servers: [{ host, port: chat.port }] }));
  say(`  ${name} has typed an access key: activated`);
  return app;
}

function open(name: string, runtime: NodeDynamicsRuntime): WebSocket {
  return new WebSocket(`wss://${host}:${chat.port}/?name=${name}`, { agent: runtime.httpsAgent });
}

/** Opens the chat, and shows what is heard. @returns waits until something was heard; says something */
async function join(name: string, runtime: NodeDynamicsRuntime): Promise<[(text: string) => Promise<void>, (text: string) => void]> {
  const socket = open(name, runtime);
  const heard: string[] = [];
  socket.on('message', (data) => {
    say(`  ${name} hears   ${data}`);
    heard.push(String(data));
  });
  socket.on('close', (code) => say(`  ${name}'s socket is closed (${code})`));
  await once(socket, 'open');
  const hears = async (text: string): Promise<void> => {
    while (!heard.includes(text)) await once(socket, 'message', { signal: AbortSignal.timeout(30_000) });
  };
  return [hears, (text) => socket.send(text)];
}
