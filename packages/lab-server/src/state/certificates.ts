import type { ReadView, WriteView } from '../store/lab-store.ts';
import { type Table, table } from './table.ts';

/** A certificate that this UEM issued to a device. */
export interface CertificateRecord {
  /** Hex, lower case, as in the certificate. */
  readonly serial: string;
  readonly deviceId: string;
  readonly der: Uint8Array;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly issuedAtMs: number;
  /** Hex of SHA-256 of the renewal request that it answers: the same request gets it again. */
  readonly requestHash?: string | undefined;
  readonly revokedAtMs?: number | undefined;
  readonly revocationReason?: string | undefined;
}

const certificates: Table<CertificateRecord> = table('certificate');

export function putCertificate(tx: WriteView, certificate: CertificateRecord): void {
  certificates.put(tx, certificate.serial, certificate);
}

export function certificateBySerial(view: ReadView, serial: string): CertificateRecord | undefined {
  return certificates.get(view, serial);
}

/** Marks a certificate revoked; the first reason stays. */
export function revokeCertificate(tx: WriteView, serial: string, reason: string, nowMs: number): void {
  const certificate = certificates.get(tx, serial);
  if (certificate === undefined || certificate.revokedAtMs !== undefined) return;
  certificates.put(tx, serial, { ...certificate, revokedAtMs: nowMs, revocationReason: reason });
}

/** Forgets a certificate of a device that is forgotten: its serial number is unknown from then on. */
export function deleteCertificate(tx: WriteView, serial: string): void {
  certificates.delete(tx, serial);
}
