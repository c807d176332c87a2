/** One metric that /metrics gives. */
export interface MetricDefinition {
  /** By the conventions of Prometheus: base units, '_total' for what only grows. */
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** Each of a closed list of values: never a person, a device, a reason or an address. */
  readonly labels: readonly string[];
  /** Upper bounds, of histograms alone. */
  readonly buckets?: readonly number[];
  readonly help: string;
}

/** Of what should be over at once, and may last as long as a device is away. */
const LONG_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3_600];
/** Of what the server does by itself. */
const SHORT_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
const UNITS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

/** Every metric. The page in docs/monitoring.md is made from this table. */
export const METRICS = [
  {
    name: 'curfew_session_end_seconds',
    type: 'histogram',
    labels: ['kind', 'reason'],
    buckets: LONG_SECONDS,
    help: "From the decision of a session's end, which is when it was accepted, until the device or resource has confirmed it. A revoke is reason=revoked.",
  },
  {
    name: 'curfew_session_start_seconds',
    type: 'histogram',
    labels: ['kind'],
    buckets: LONG_SECONDS,
    help: "From a session's beginning in the ledger until the device or resource has confirmed that the right is there.",
  },
  {
    name: 'curfew_sessions_ended_there_total',
    type: 'counter',
    labels: ['kind', 'reason'],
    help: 'Sessions whose end the device itself has decided: by the person, by its clock, by a refusal.',
  },
  { name: 'curfew_sessions', type: 'gauge', labels: ['kind', 'state'], help: 'Sessions that are not over.' },
  {
    name: 'curfew_session_oldest_end_seconds',
    type: 'gauge',
    labels: ['kind'],
    help: 'For how long the oldest end has been waiting for its confirmation. 0 when none waits.',
  },
  {
    name: 'curfew_requests',
    type: 'gauge',
    labels: ['state'],
    help: 'Access requests that wait: for a decision, or to be started.',
  },
  { name: 'curfew_devices', type: 'gauge', labels: [], help: 'Devices that are not removed.' },
  {
    name: 'curfew_devices_to_look_at',
    type: 'gauge',
    labels: [],
    help: 'Devices with findings or with an identity conflict.',
  },
  { name: 'curfew_links', type: 'gauge', labels: [], help: 'Devices whose link is up.' },
  { name: 'curfew_links_opened_total', type: 'counter', labels: [], help: 'Links that were opened.' },
  {
    name: 'curfew_links_closed_total',
    type: 'counter',
    labels: ['code'],
    help: 'Links that have ended, by the error code that this server ended them with; GONE where the device went.',
  },
  { name: 'curfew_push_queue_devices', type: 'gauge', labels: [], help: 'Devices that wait to be told of a change.' },
  {
    name: 'curfew_ledger_queue_units',
    type: 'gauge',
    labels: [],
    help: 'Changes that wait for their turn in the ledger.',
  },
  {
    name: 'curfew_ledger_wait_seconds',
    type: 'histogram',
    labels: ['lane'],
    buckets: SHORT_SECONDS,
    help: 'How long changes have waited for their turn in the ledger. lane=first is what takes rights away and confirms it.',
  },
  {
    name: 'curfew_ledger_group_units',
    type: 'histogram',
    labels: [],
    buckets: UNITS,
    help: 'How many changes became durable together.',
  },
  {
    name: 'curfew_ledger_group_seconds',
    type: 'histogram',
    labels: [],
    buckets: SHORT_SECONDS,
    help: 'How long a group of changes took, until it was durable.',
  },
  { name: 'curfew_ledger_bytes', type: 'gauge', labels: [], help: "The size of the ledger's files." },
  {
    name: 'curfew_ledger_rolled_back',
    type: 'gauge',
    labels: [],
    help: '1 while nothing is granted because devices have seen a newer ledger than this one.',
  },
  { name: 'curfew_audit_events', type: 'gauge', labels: [], help: 'Events in the audit log.' },
  { name: 'curfew_recordings_bytes', type: 'gauge', labels: [], help: 'The size of the files with recordings.' },
  {
    name: 'curfew_recordings_received_bytes_total',
    type: 'counter',
    labels: [],
    help: 'Bytes of events of recordings that devices have sent.',
  },
  { name: 'curfew_disk_free_bytes', type: 'gauge', labels: [], help: 'What is free on the disk of the data folder.' },
  {
    name: 'curfew_calls_total',
    type: 'counter',
    labels: ['method', 'code'],
    help: "Calls of the API that are over, by method and 'OK' or the code of the error.",
  },
  {
    name: 'curfew_call_seconds',
    type: 'histogram',
    labels: ['method'],
    buckets: SHORT_SECONDS,
    help: 'How long calls with one answer took. A revoke that waits for its confirmation is in it with its wait.',
  },
  {
    name: 'curfew_calls_at_work',
    type: 'gauge',
    labels: [],
    help: 'Calls that are at work now; limits.calls_at_once bounds them.',
  },
  {
    name: 'curfew_streams',
    type: 'gauge',
    labels: [],
    help: 'Streams of answers that are open: consoles and watchers.',
  },
  {
    name: 'curfew_unknown_connections',
    type: 'gauge',
    labels: [],
    help: 'Connections of the gRPC port on which nobody has said yet who they are; limits.unknown_connections bounds them.',
  },
  {
    name: 'curfew_waiting_connections',
    type: 'gauge',
    labels: [],
    help: 'Those of them that wait to be taken in, as when a whole fleet comes back at once.',
  },
  {
    name: 'curfew_connector_call_seconds',
    type: 'histogram',
    labels: ['kind', 'outcome'],
    buckets: LONG_SECONDS,
    help: 'How long calls of connectors took, and how they went.',
  },
  {
    name: 'curfew_connectors',
    type: 'gauge',
    labels: ['state'],
    help: 'Connectors: those that answer (well), those that last did not (failing), those that are left alone for a while (left_alone).',
  },
  {
    name: 'curfew_resource_differences',
    type: 'gauge',
    labels: ['kind'],
    help: 'Differences between resources and the ledger that are not settled.',
  },
  {
    name: 'curfew_channel_events_behind',
    type: 'gauge',
    labels: ['kind'],
    help: 'How many events of the audit log the slowest channel of a kind has yet to look at.',
  },
  {
    name: 'curfew_deliveries',
    type: 'gauge',
    labels: ['state'],
    help: 'Notices that have failed: those that are tried again (waiting), those that were given up (dead).',
  },
  {
    name: 'curfew_job_runs_total',
    type: 'counter',
    labels: ['task', 'outcome'],
    help: 'Runs of what is done every minute and every day.',
  },
  {
    name: 'curfew_traces_dropped_total',
    type: 'counter',
    labels: [],
    help: 'Spans of traces that were dropped: there were more than fit, or their collector did not take them.',
  },
  { name: 'curfew_ready', type: 'gauge', labels: [], help: 'Whether /readyz says that the server is ready.' },
  {
    name: 'curfew_build_info',
    type: 'gauge',
    labels: ['version', 'node'],
    help: 'Always 1; the labels say what runs.',
  },
  {
    name: 'curfew_event_loop_busy_seconds_total',
    type: 'counter',
    labels: [],
    help: 'Seconds in which the one thread that does everything was busy. A rate near 1 is all that it can do.',
  },
  {
    name: 'curfew_event_loop_delay_seconds',
    type: 'gauge',
    labels: [],
    help: 'The longest time since the last look at the metrics for which everything had to wait.',
  },
  { name: 'process_cpu_seconds_total', type: 'counter', labels: [], help: 'Processor time that the process has used.' },
  { name: 'process_resident_memory_bytes', type: 'gauge', labels: [], help: 'Memory that the process has.' },
  { name: 'process_start_time_seconds', type: 'gauge', labels: [], help: 'When the process began, since the epoch.' },
] as const satisfies readonly MetricDefinition[];

export type MetricName = (typeof METRICS)[number]['name'];
