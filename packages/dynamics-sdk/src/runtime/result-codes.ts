/** Result codes with the names and numbers that Dynamics developers know (GDAppResultCode). Numbers never change their meaning. */
export const RESULT_CODES = {
  /** Success. */
  GDErrorNone: 0,
  /** The secure container cannot be unlocked. */
  GDErrorSecurityError: -100,
  /** Activation at the NOC failed; try again. */
  GDErrorActivationFailed: -101,
  /** Activation at UEM failed; try again. */
  GDErrorProvisioningFailed: -102,
  /** A push connection is needed and was not made; try again. */
  GDErrorPushConnectionTimeout: -103,
  /** No version of the app is entitled: the container is wiped. */
  GDErrorAppDenied: -104,
  /** Another version of the app is entitled: locked until this one is. */
  GDErrorAppVersionNotEntitled: -105,
  /** Nobody used the app for too long; the password lifts it. */
  GDErrorIdleLockout: -300,
  /** Blocked, by the app itself, the console or policy, until the block is lifted. */
  GDErrorBlocked: -301,
  /** Wiped by a command or by policy; begin anew with an activation. */
  GDErrorWiped: -302,
  /** Locked from the console, or by too many wrong passwords; the unlock key lifts it. */
  GDErrorRemoteLockout: -303,
  /** The password is too old or does not keep the policy; a new one lifts it. */
  GDErrorPasswordChangeRequired: -304,
  /** An activation with given credentials failed, and none of the following says why. */
  GDErrorProgrammaticActivationUnknown: -600,
  /** The same, without a connection to the NOC; try again. */
  GDErrorProgrammaticActivationNoNetwork: -601,
  /** The same, with credentials that are wrong, used or out of date; try again with other ones. */
  GDErrorProgrammaticActivationCredentialsFailed: -602,
  /** The same, with a server that did not answer, or not as it should; try again, later and later. */
  GDErrorProgrammaticActivationServerCommsFailed: -603,
} as const;

export type ResultName = keyof typeof RESULT_CODES;
