import { Writable } from 'node:stream';
import { eventKind } from '../event-kind.js';
import { addressOf, systemLibrary, type Handle } from './library.js';

const advapi32 = systemLibrary('advapi32.dll');
const registerEventSource = advapi32<Handle>(
  'void * __stdcall RegisterEventSourceW(const char16_t *server, const char16_t *source)',
);
const reportEvent = advapi32<boolean>(
  'bool __stdcall ReportEventW(void *log, uint16 type, uint16 category, uint32 id, void *user, uint16 count, uint32 size, void *texts, void *data)',
);

/** ReportEventW takes no text longer than this. */
const LONGEST = 31_839;
const EVENT_ID = 1;

/** The application log of Windows, as a place for lines of our log. */
export function eventLog(source: string): Writable {
  const log = registerEventSource(null, source);
  return new Writable({
    decodeStrings: false,
    write(line: string | Buffer, _encoding, done) {
      const text = String(line).trim();
      const bytes = Buffer.from(`${text.slice(0, LONGEST)}\0`, 'utf16le');
      const texts = Buffer.alloc(8);
      texts.writeBigUInt64LE(addressOf(bytes));
      reportEvent(log, eventKind(text), 0, EVENT_ID, null, bytes.length > 0 ? 1 : 0, 0, texts, null);
      done();
    },
  });
}
