import { type Api, answered } from './api.ts';
import { type Event, follow, newestEvent } from './events.ts';

/** Events that end a command. */
const ENDS: readonly Event['type'][] = ['COMMAND_COMPLETED', 'COMMAND_FAILED', 'COMMAND_CANCELLED'];

/** What became of the devices of a group. */
export interface Locked {
  readonly completed: number;
  readonly others: readonly Event[];
}

/** Puts people into a group of this name, which is made when there is none. */
export async function groupOf(api: Api, name: string, users: readonly string[]): Promise<string> {
  const { groups } = await answered('groups', api.GET('/groups', { params: { query: { query: `name=${name}` } } }));
  const group = groups[0]?.guid ?? (await answered('group', api.POST('/groups', { body: { name } }))).guid;
  for (let at = 0; at < users.length; at += 500) {
    const some = users.slice(at, at + 500).map((guid) => ({ guid }));
    await answered('members', api.POST('/groups/{group}/users', { params: { path: { group } }, body: { users: some } }));
  }
  return group;
}

/** Locks every device of the group by one call, and follows the events until each has ended. */
export async function lockGroup(api: Api, group: string, say: (line: string) => void): Promise<Locked> {
  const before = await newestEvent(api);
  const body = { commands: [{ type: 'LOCK_DEVICE', properties: { message: 'Please come to the service desk' } }], group: { guid: group } };
  const answer = await answered('deviceCommands', api.POST('/deviceCommands', { body }));
  say(`  ${answer.sent} devices got the command, ${answer.refused} did not`);
  const open = new Set(answer.devices.flatMap(({ commands = [] }) => commands));
  const others: Event[] = [];
  let completed = 0;
  if (open.size === 0) return { completed, others };
  for await (const event of follow(api, before)) {
    const guid = event.command?.guid;
    if (guid === undefined || !open.has(guid)) continue;
    say(`  ${event.time} ${event.type} ${event.device?.guid}`);
    if (!ENDS.includes(event.type)) continue;
    open.delete(guid);
    if (event.type === 'COMMAND_COMPLETED') completed += 1;
    else others.push(event);
    if (open.size === 0) break;
  }
  return { completed, others };
}
