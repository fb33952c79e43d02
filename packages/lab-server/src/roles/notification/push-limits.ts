/** Bounds and times of the notification services. */
export interface PushLimits {
  /** Silence after which each end may take the connection for dead; the server pings in half of it. */
  readonly pingIntervalS: number;
  /** From the opening of a connection to its first frame. */
  readonly registerMs: number;
  /** A wake-up that a connected device has not taken after this time is stored, and its sender answered. */
  readonly takeMs: number;
  /** A device that takes no wake-up for so long is cut off; the wake-up is kept. */
  readonly acknowledgeMs: number;
  /** Bytes that a connection may leave unread; over it, it is cut off. */
  readonly unreadBytes: number;
  /** Open push connections. */
  readonly connections: number;
  /** Tokens that are known. */
  readonly tokens: number;
  /** A token that was not used for so long may make room for a new one. */
  readonly tokenLifeMs: number;
  /** A token that no notification has named may make room after this time, unless its device is connected. */
  readonly unnamedLifeMs: number;
  /** Notifications for one device in a minute; one more is throttled. */
  readonly perDevicePerMinute: number;
  /** Notifications of one sender in a minute; one more is throttled. */
  readonly perSenderPerMinute: number;
}

export const PUSH_LIMITS: PushLimits = {
  pingIntervalS: 120,
  registerMs: 15_000,
  takeMs: 1_000,
  acknowledgeMs: 30_000,
  unreadBytes: 65_536,
  connections: 100_000,
  tokens: 500_000,
  tokenLifeMs: 30 * 86_400_000,
  unnamedLifeMs: 3_600_000,
  perDevicePerMinute: 240,
  perSenderPerMinute: 600_000,
};

/** How often the one timer of all push connections fires. */
export const PUSH_TICK_MS = 5_000;
/** Devices come back often: when a token was last used is written at most so often. */
export const TOKEN_SEEN_MS = 86_400_000;
/** Wake-ups that one device may have been sent and not taken; more wait in the store. */
export const MAX_UNTAKEN = 120;
