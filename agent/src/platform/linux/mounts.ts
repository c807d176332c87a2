/** A line of /proc/self/mountinfo (proc(5)). */
export interface Mount {
  readonly place: string;
  readonly type: string;
  readonly options: readonly string[];
}

/** The mounts of a /proc/self/mountinfo. What is not understood is left out. */
export const parseMounts = (mountinfo: string): Mount[] =>
  mountinfo.split('\n').flatMap((line) => {
    const [before, after] = line.split(' - ');
    const [, , , , place, options] = before?.split(' ') ?? [];
    const [type] = after?.split(' ') ?? [];
    if (place === undefined || type === undefined) return [];
    return [{ place: unescaped(place), type, options: options?.split(',') ?? [] }];
  });

/** Spaces and the like stand as octal numbers. */
const unescaped = (text: string): string =>
  text.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
