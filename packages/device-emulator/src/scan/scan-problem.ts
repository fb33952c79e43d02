import { ProtocolError } from '@uemkit/protocol';

/** What is wrong with what the user points the camera at (F1.2). A closed set; `details.picture` of the error has it. */
export type ScanProblem =
  | 'noPicture'
  | 'notPng'
  | 'damagedPicture'
  | 'pictureTooLarge'
  | 'noQrCode'
  | 'severalQrCodes'
  | 'foreignQrCode'
  | 'expiredQrCode'
  | 'damagedMail';

const WORDS: Readonly<Record<ScanProblem, string>> = {
  noPicture: 'the mail has no picture',
  notPng: 'the picture is no PNG',
  damagedPicture: 'the picture is damaged',
  pictureTooLarge: 'the picture is too large',
  noQrCode: 'there is no QR code in the picture',
  severalQrCodes: 'there is more than one QR code in the picture',
  foreignQrCode: 'the QR code is not for an activation',
  expiredQrCode: 'the QR code is out of date',
  damagedMail: 'the mail cannot be read',
};

/** The error of a scan: `ERR_REJECTED_EXPIRED` for a code that is out of date, else `ERR_USAGE_ARGUMENT`; never with what was scanned, which is a secret. */
export function scanError(problem: ScanProblem): ProtocolError {
  const code = problem === 'expiredQrCode' ? 'ERR_REJECTED_EXPIRED' : 'ERR_USAGE_ARGUMENT';
  return new ProtocolError(code, WORDS[problem], { step: 'F1.2', details: { picture: problem } });
}
