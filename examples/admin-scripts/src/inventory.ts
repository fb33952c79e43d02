import { writeFile } from 'node:fs/promises';
import { type Api, answered } from './api.ts';
import { csvRow } from './csv.ts';
import type { components } from './generated/admin-api.d.ts';

type Device = components['schemas']['UserDevice'];

const PAGE = 500;

/** Writes all active devices as CSV, page by page; gives their number. */
export async function exportInventory(api: Api, file: string): Promise<number> {
  await writeFile(file, csvRow(['device', 'username', 'os', 'osVersion', 'model', 'activated', 'lastContact', 'state']));
  let offset = 0;
  for (;;) {
    const query = { max: PAGE, offset, sortBy: 'username' };
    const { devices } = await answered('devices', api.GET('/devices', { params: { query } }));
    await writeFile(file, devices.map(rowOf).join(''), { flag: 'a' });
    offset += devices.length;
    if (devices.length < PAGE) return offset;
  }
}

function rowOf({ guid, user, device, state, lastContactTime = '' }: Device): string {
  const { os, osVersion, hardwareModel, activationDate = '' } = device;
  return csvRow([guid, user.username, os, osVersion, hardwareModel, activationDate, lastContactTime, state]);
}
