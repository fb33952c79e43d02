/** Pixels of one module, and modules of white around: what cameras and mail programs need. */
const MODULE_PIXELS = 6;
const QUIET_ZONE_MODULES = 4;

/** The picture of a QR code, as PNG (F1.1c). */
export async function qrPicture(content: string): Promise<Uint8Array> {
  const { default: qrcode } = await import('qrcode');
  return new Uint8Array(await qrcode.toBuffer(content, { type: 'png', errorCorrectionLevel: 'M', margin: QUIET_ZONE_MODULES, scale: MODULE_PIXELS }));
}
