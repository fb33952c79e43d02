/** Exit codes of `device-emulator`; scripts and CI may rely on them. */
export const EXIT = {
  /** Everything held. */
  ok: 0,
  /** The server answered, but an assertion of the scenario, or a conformance case, does not hold. */
  assertionFailed: 1,
  /** The command line, the scenario or the target cannot be used, or the run could not be carried out. */
  usage: 2,
  /** The emulator itself was too slow; the run says nothing about the server. */
  generatorInvalid: 3,
  /** Plan, devices and server do not agree. */
  auditFailed: 4,
  /** Ended by Ctrl-C; everything is saved. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
