import type { InstalledApp } from './system-definition.ts';

/** An app that came with the device or that its user installed. */
export function personalApp(id: string, name: string, version: string): InstalledApp {
  return { id, name, version, managed: false, hasData: true };
}

/** An app that UEM puts on the device. */
export function workApp(id: string, name: string, version: string): InstalledApp {
  return { id, name, version, managed: true, hasData: true };
}
