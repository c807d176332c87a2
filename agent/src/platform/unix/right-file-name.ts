/** The name of a right's file: injective, without a dot (sudo skips names with one) and without any user's text. */
export const rightFileName = (uid: number, sessionId: string): string => `${uid}-${sessionId}`;

/** Reads a file name back, or undefined when it is none of ours. */
export function parseRightFileName(name: string): { readonly uid: number; readonly sessionId: string } | undefined {
  const [, uid, sessionId] = /^([1-9][0-9]{0,9})-(ses-[0-9a-z]{20})$/.exec(name) ?? [];
  return uid === undefined || sessionId === undefined ? undefined : { uid: Number(uid), sessionId };
}
