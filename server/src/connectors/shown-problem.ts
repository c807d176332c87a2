import { safeText } from '@curfew/shared';

/** Of what the other side says, this many characters are shown. */
const SHOWN_CHARACTERS = 200;
/** What is shorter is no secret, and would be found in every text. */
const SHORTEST_SECRET = 4;

/** What the other side said, fit for logs and eyes: one line, cut, without the secrets that it may have repeated. */
export function shownProblem(text: string, secrets: readonly string[]): string {
  const masked = secrets
    .filter(({ length }) => length >= SHORTEST_SECRET)
    .sort((a, b) => b.length - a.length)
    .reduce((shown, secret) => shown.replaceAll(secret, '[masked]'), text);
  return safeText(masked.replace(/\s+/g, ' ').trim().slice(0, SHOWN_CHARACTERS));
}
