import type * as wire from '@uemkit/protocol/wire';
import type { PushService } from '@uemkit/uem-client';

/** One app on the device. */
export interface InstalledApp {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  /** UEM put it there; it belongs to the work side of the device. */
  readonly managed: boolean;
  /** The user has used it, so that there are data in it. */
  readonly hasData: boolean;
}

/** Operating systems that can be emulated. */
export type SystemId = wire.PlatformId;

/** Who is woken by a notification, contacts UEM and carries commands out (F5.2). */
export type Agent = 'uem-client' | 'mdm-daemon' | 'enterprise-management-agent';

/** Identifiers of the hardware that a kind of device has. */
export type HardwareIdentifier = 'imei' | 'udid' | 'wifiMacAddress';

/** What UEM may touch on a device of one activation type. */
export interface ActivationTypeDefinition {
  readonly name: string;
  /** In one line, for people: what UEM may touch. */
  readonly touches: string;
  /** The activation makes a work space. */
  readonly workSpace: boolean;
  /** The user has a personal side beside what UEM manages. False: the work space is the whole device. */
  readonly personalSide: boolean;
  /** The activation makes sure that the device is encrypted. */
  readonly encryptsDevice: boolean;
  /** UEM may lock the device. */
  readonly locksDevice: boolean;
  /** UEM may set and clear the device password. */
  readonly controlsDevicePassword: boolean;
  /** UEM configures the device and puts work data on it, which it may delete. False: the device is only known. */
  readonly managed: boolean;
  /** UEM controls the device as a whole, not only a work side of it. */
  readonly controlsDevice: boolean;
  /** UEM may delete all device data, personal data included. */
  readonly deletesDevice: boolean;
  /** UEM sees the apps outside the work space too. */
  readonly seesPersonalApps: boolean;
  /** UEM sees identifiers of the hardware, which tell the person. */
  readonly seesHardware: boolean;
  /** Newest major version of the operating system that can be activated so; absent: any. */
  readonly lastMajorVersion?: number | undefined;
}

/** One operating system as data; behaviour that differs by system is decided by these fields alone. */
export interface SystemDefinition {
  readonly id: SystemId;
  readonly title: string;
  /** `osFamilyName` in the REST API. */
  readonly family: string;
  readonly agent: Agent;
  /** Notification service of the platform. */
  readonly pushService: PushService;
  readonly activationTypes: readonly ActivationTypeDefinition[];
  /** A lock command may bring a new device password. */
  readonly lockMaySetPassword: boolean;
  /** UEM can have the device password cleared. */
  readonly clearsDevicePassword: boolean;
  /** UEM can have a new device password made and the device locked with it. */
  readonly takesGeneratedPassword: boolean;
  /** A work space beside the personal side can be locked, disabled and given a new password apart from the device. */
  readonly managesWorkSpace: boolean;
  /** An organisation may own such devices as supervised ones, which it controls further. */
  readonly supervisable: boolean;
  /** UEM can have the data of all managed apps deleted while the device stays activated. */
  readonly wipesApplications: boolean;
  /** The UEM Client is on the device and gives its logs away. */
  readonly givesLogs: boolean;
  /** Dynamics apps on the device take commands through the UEM Client. */
  readonly dynamicsApps: boolean;
  readonly hardware: readonly HardwareIdentifier[];
  /** Oldest first. */
  readonly versions: readonly string[];
  readonly models: readonly string[];
  readonly storageMiB: readonly number[];
  /** On each device. */
  readonly commonApps: readonly InstalledApp[];
  /** Each on a quarter of the devices, chosen by seed. */
  readonly rareApps: readonly InstalledApp[];
  /** Put on the work side by activation. */
  readonly workApps: readonly InstalledApp[];
}

/** The activation type called `name`, or undefined when the system has none of that name. */
export function activationTypeOf(system: SystemDefinition, name: string): ActivationTypeDefinition | undefined {
  return system.activationTypes.find((type) => type.name === name);
}
