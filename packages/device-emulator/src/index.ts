export type { DeviceState, InstalledApp, RevisedDocument, WorkSpace } from './operating-systems/device-state.ts';
