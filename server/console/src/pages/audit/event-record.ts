/** A record as text to read: its JSON with one fact a line; as it is when it is no JSON. */
export function recordText(record: string | undefined): string {
  let text = '';
  try {
    const bytes = Uint8Array.from(atob(record ?? ''), (letter) => letter.charCodeAt(0));
    text = new TextDecoder().decode(bytes);
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** The kinds of events that can be picked, by how their types begin. */
export const TYPE_BEGINNINGS = [
  'session.',
  'request.',
  'device.',
  'join_token.',
  'user.',
  'sign_in.',
  'password.',
  'totp.',
  'api_token.',
  'policy.',
  'channel.',
  'server.',
] as const;
