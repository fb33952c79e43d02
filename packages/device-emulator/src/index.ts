export { type DeviceState, type InstalledApp, type RevisedDocument, type WorkSpace } from './operating-systems/device-state.ts';
