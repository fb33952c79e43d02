import { DOCUMENT_NAMES } from '../state/deliveries.ts';
import type { DeviceRecord } from '../state/devices.ts';
import { inventoryOf } from '../state/inventory.ts';
import type { WriteView } from '../store/lab-store.ts';
import { type AssignmentReader, assignmentReader } from './assigned-objects.ts';
import { type DeliverySurroundings, retarget } from './deliver.ts';
import { deviceFacts } from './device-facts.ts';
import { documentParts } from './documents.ts';
import { effectiveConfiguration } from './effective.ts';

/** Works out what one active device must be given (F5.2). True: something new waits for it, so it has to be woken. */
export function recomputeDevice(
  tx: WriteView,
  device: DeviceRecord,
  surroundings: DeliverySurroundings,
  reader: AssignmentReader = assignmentReader(tx),
): boolean {
  const facts = deviceFacts(device, inventoryOf(tx, device.deviceId));
  const effective = effectiveConfiguration(reader.inputOf(device, facts, false));
  const parts = documentParts(tx, effective);
  return DOCUMENT_NAMES.map((document) => retarget(tx, device.deviceId, document, parts[document], surroundings)).some((isNew) => isNew);
}
