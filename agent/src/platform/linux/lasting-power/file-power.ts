/** Who is somebody on this machine, as far as files that run with another's rights are concerned. */
export interface PowerfulIds {
  /** From here on accounts and groups are people's (login.defs(5), UID_MIN). */
  readonly ordinaryFrom: number;
  /** Those of them that are administrators, or whose members are. */
  readonly uids: readonly number[];
  readonly gids: readonly number[];
}

/** What a file says of the rights with which it runs. */
export interface FileRights {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** The attribute of capabilities(7), hex; '' for none. */
  readonly capabilities: string;
}

const [SETUID, SETGID, ANY_EXECUTE] = [0o4000, 0o2000, 0o111];
/** struct vfs_ns_cap_data: a third revision counts only below a user namespace whose root is the id at this place. */
const [REVISION_3, ROOT_AT] = [3, 20];

/**
 * Whether a file gives whoever runs it a power that ordinary people do not have. Setuid to oneself, setgid to a group of one's
 * own and capabilities below one's own namespace anybody may make, as many as they like, and without any session.
 */
export function givesPower({ mode, uid, gid, capabilities }: FileRights, ids: PowerfulIds): boolean {
  if ((mode & ANY_EXECUTE) === 0) return false;
  const isPowerful = (id: number, known: readonly number[]): boolean => id < ids.ordinaryFrom || known.includes(id);
  if ((mode & SETUID) !== 0 && isPowerful(uid, ids.uids)) return true;
  if ((mode & SETGID) !== 0 && isPowerful(gid, ids.gids)) return true;
  if (capabilities === '') return false;
  const root = namespaceRoot(Buffer.from(capabilities, 'hex'));
  return root === undefined || isPowerful(root, ids.uids);
}

function namespaceRoot(attribute: Buffer): number | undefined {
  if (attribute.length < ROOT_AT + 4 || attribute.readUInt8(3) !== REVISION_3) return undefined;
  return attribute.readUInt32LE(ROOT_AT);
}
