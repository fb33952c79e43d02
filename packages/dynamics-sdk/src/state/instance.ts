import { type Entropy, ProtocolError, type Store, type StoreWrite } from '@uemkit/protocol';

const INSTANCE_KEY = 'dynamics/instance';
const INSTANCE_BYTES = 16;

/** What a wipe deletes of it: the next activation is another installation. */
export const FORGET_INSTANCE: StoreWrite = { key: INSTANCE_KEY, value: null };

/** Id of this installation, 16 bytes: made once, durable before it is shown to anybody. @throws ProtocolError `ERR_STORE_READ`, `ERR_STORE_WRITE` */
export async function instanceOf(store: Store, entropy: Entropy): Promise<Uint8Array> {
  const known = await store.get(INSTANCE_KEY);
  if (known !== undefined) {
    // check: length of the instance id
    if (known.length !== INSTANCE_BYTES) throw new ProtocolError('ERR_STORE_READ', 'the instance id is damaged');
    return known;
  }
  const made = entropy.randomBytes(INSTANCE_BYTES);
  await store.commit([{ key: INSTANCE_KEY, value: made }]);
  return made;
}
