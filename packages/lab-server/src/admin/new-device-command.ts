/** A command for one device (F5.1). */
export interface NewDeviceCommand {
  readonly type: string;
  /** Checked against the type. */
  readonly properties?: Readonly<Record<string, unknown>> | undefined;
  readonly expiresAtMs?: number | undefined;
}
