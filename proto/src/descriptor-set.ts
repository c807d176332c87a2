import { fileURLToPath } from 'node:url';

/** The path of the compiled schema (a FileDescriptorSet), for reflection, request rules and dynamic clients. */
export const descriptorSetPath = fileURLToPath(new URL('../descriptors.binpb', import.meta.url));
