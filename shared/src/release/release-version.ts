const PATTERN = /^(\d{1,6})\.(\d{1,6})\.(\d{1,6})$/;

/** Whether the text is the version of a release: three numbers. What comes from a checkout may be called anything else. */
export const isReleaseVersion = (text: string): boolean => PATTERN.test(text);

/** Whether a version is newer than another. What is no release's version is newer than nothing, and nothing is newer than it. */
export function isNewerVersion(version: string, than: string): boolean {
  const [left, right] = [PATTERN.exec(version), PATTERN.exec(than)];
  if (left === null || right === null) return false;
  for (const at of [1, 2, 3]) {
    const difference = Number(left[at]) - Number(right[at]);
    if (difference !== 0) return difference > 0;
  }
  return false;
}
