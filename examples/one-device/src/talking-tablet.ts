import type { OperatingSystem } from '@uemkit/uem-client';

const info = { platform: 'android-enterprise', osVersion: '15', model: 'Example Tablet', clientVersion: '1.0' };

/** An operating system that keeps nothing and does what it is told. */
export const talkingTablet: OperatingSystem = {
  pushService: 'fcm',
  deviceInfo: () => info,
  configure: async () => ({ status: 'completed' }),
  async execute({ type }) {
    switch (type) {
      case 'LOCK_DEVICE':
        return { status: 'done' };
      case 'REQUEST_DEVICE_INFO':
        return { status: 'done', data: info };
      default:
        return { status: 'failed', message: `${type}: this tablet cannot do that` };
    }
  },
  deactivated: async () => undefined,
};
