import { parseConnection } from '../admin/connection-file.ts';
import type { OwnLab, OwnSite } from './cli-io.ts';
import { LAB_COMMAND, type LabMessage } from './lab-child.ts';
import { startOwnProcess } from './own-process.ts';
import { SITE_COMMAND, type SiteMessage } from './site-child.ts';

/** Starts a lab server in a process of its own. @throws ProtocolError `ERR_USAGE_STATE` when it does not start */
export async function startLabProcess(binFile: string, folder: string): Promise<OwnLab> {
  const { ready, processId, stop } = await startOwnProcess<LabMessage>(binFile, [LAB_COMMAND, folder], 'the lab server');
  return { connection: parseConnection(JSON.stringify(ready.connection), folder), processId, stop };
}

/** Starts the HTTP server of apps in a process of its own, at the port of `url` if there is one. @throws ProtocolError `ERR_USAGE_STATE` when it does not start */
export async function startSiteProcess(binFile: string, url: string | undefined): Promise<OwnSite> {
  const port = url === undefined ? '0' : new URL(url).port;
  const { ready, stop } = await startOwnProcess<SiteMessage>(binFile, [SITE_COMMAND, port], 'the HTTP server of the apps');
  return { url: `http://127.0.0.1:${ready.port}`, stop };
}
