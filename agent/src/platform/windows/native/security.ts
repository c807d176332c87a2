import { pointerIn, pointerRoom, systemLibrary, type Handle } from './library.js';

const advapi32 = systemLibrary('advapi32.dll');
const toDescriptor = advapi32<boolean>(
  'bool __stdcall ConvertStringSecurityDescriptorToSecurityDescriptorW(const char16_t *text, uint32 revision, void *descriptor, void *size)',
);

/** SECURITY_ATTRIBUTES (minwinbase.h) with what an SDDL text says; they and what they point to are never freed. */
export function securityAttributes(sddl: string): Buffer {
  const attributes = Buffer.alloc(24);
  attributes.writeUInt32LE(24, 0);
  attributes.writeBigUInt64LE(securityDescriptor(sddl) ?? 0n, 8);
  return attributes;
}

/** Errors: the text is no SDDL. */
function securityDescriptor(sddl: string): Handle {
  const descriptor = pointerRoom();
  if (!toDescriptor(sddl, 1, descriptor, null)) throw new TypeError(`'${sddl}' is no security descriptor`);
  return pointerIn(descriptor, 0);
}
