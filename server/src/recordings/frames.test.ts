import assert from 'node:assert/strict';
import fc from 'fast-check';
import { framed, framesOf, messagesIn, piecesBeyond } from './frames.js';
import type { Frames } from './recording.js';

const fine = () => undefined;
const messages = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 20 });

describe('frames', () => {
  it('come apart as they were put together, and in pieces that are the whole', async () => {
    await fc.assert(
      fc.asyncProperty(messages, fc.nat(20), fc.nat(60), async (given, first, size) => {
        const bytes = Buffer.concat(given.map(framed));
        const frames = (await framesOf(bytes, fine)) as Frames;
        assert.deepEqual(
          [...messagesIn(bytes)].map((one) => [...one]),
          given.map((one) => [...one]),
        );
        const skip = Buffer.concat(given.slice(0, first).map(framed)).length;
        const pieces = piecesBeyond(frames, skip, size) ?? assert.fail();
        assert.deepEqual(Buffer.concat(pieces), bytes.subarray(skip));
        for (const piece of pieces) {
          const held = [...messagesIn(piece)];
          assert.ok(piece.length > 0 && (piece.length <= size || held.length === 1));
        }
      }),
    );
  });

  it('are refused when one is not whole, wherever it is cut', async () => {
    const bytes = Buffer.concat([framed(Buffer.from('abc')), framed(Buffer.from('de'))]);
    for (let length = 1; length < bytes.length; length++) {
      const made = await framesOf(bytes.subarray(0, length), fine);
      if (length === 7) assert.notEqual(typeof made, 'string');
      else assert.match(typeof made === 'string' ? made : '', /is not whole$/, String(length));
    }
    const huge = Buffer.from('ffffffff00', 'hex');
    assert.equal(await framesOf(huge, fine), 'the event at byte 0 is not whole');
  });

  it('are refused with what is wrong with one', async () => {
    const bytes = Buffer.concat([framed(Buffer.from('abc')), framed(Buffer.from('de'))]);
    const problem = await framesOf(bytes, (message) => (message.length === 2 ? 'is too short' : undefined));
    assert.equal(problem, 'the event at byte 7 is too short');
  });

  it('do not begin inside a message', async () => {
    const frames = (await framesOf(Buffer.concat([framed(Buffer.from('abc')), framed(Buffer.of())]), fine)) as Frames;
    assert.deepEqual(piecesBeyond(frames, 7, 100)?.length, 1);
    assert.equal(piecesBeyond(frames, 6, 100), undefined);
    assert.deepEqual(piecesBeyond(frames, 11, 100), []);
  });
});
