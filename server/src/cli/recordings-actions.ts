import type { Command } from 'commander';
import {
  CutRecordingRequest,
  ListRecordingsRequest,
  Recording,
  RecordingServiceService as service,
} from '@curfew/proto';
import { outputOf, printList, printOne, protoJson, safeText, say } from '@curfew/shared/cli';
import { recordedCommand, recordingTable } from './recording-table.js';
import { everyPage, withServer } from './server-connection.js';
import { known } from './sessions-actions.js';
import type { ToolContext } from './tool-context.js';

const recordingJson = (recording: Recording): unknown => protoJson(Recording.toJSON(recording));

/** `sessions recordings ID`: every page. */
export async function listRecordings(context: ToolContext, command: Command, sessionId: string): Promise<void> {
  const items = await withServer(context, command, (server) =>
    everyPage(
      (pageToken) =>
        server.unary(
          service.listRecordings,
          ListRecordingsRequest.fromPartial({ sessionId, pageSize: 1000, pageToken }),
        ),
      ({ recordings }) => recordings,
    ),
  );
  await printList(context, outputOf(command).format, {
    items,
    json: recordingJson,
    table: (recordings, look) => recordingTable(recordings, context.clock.now(), look),
    none: 'nothing is recorded of it',
  });
}

/** `sessions cut REC`. */
export async function cutRecording(context: ToolContext, command: Command, recordingId: string): Promise<void> {
  const { recording } = await withServer(context, command, (server) =>
    server.unary(service.cutRecording, CutRecordingRequest.fromPartial({ recordingId })),
  );
  const cut = known(recording);
  say(context, `the device is told to end: ${safeText(recordedCommand(cut))}`);
  await printOne(context, outputOf(command).format, {
    json: recordingJson(cut),
    text: (look) => recordingTable([cut], context.clock.now(), look),
  });
}
