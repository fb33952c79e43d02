/** For tests of apps: a phone in memory, against `startLab()` of `@uemkit/lab-server`. */
export { memoryContainerStorage } from './memory-container-storage.ts';
export { memoryDeviceKey } from './memory-device-key.ts';
export { quickStretching } from './quick-stretching.ts';
export { type TestLab, type TestPhone, type TestPhoneOptions, testPhone } from './test-phone.ts';
