import { z } from 'zod';
import { ConnectorError } from '../connector.js';
import type { JsonAnswer } from '../http/json-client.js';

/** A member of a group, as a subject. */
export interface ScimMember {
  readonly id: string;
  readonly label: string;
}

/** A group as read. Only people count as members; groups inside it are counted apart. */
export interface ScimGroup {
  readonly id: string;
  readonly name: string;
  readonly people: readonly ScimMember[];
  readonly groupsInside: number;
  /** For If-Match. Undefined when the server gives none. */
  readonly etag: string | undefined;
}

/** A person as read. Hostile text. */
export interface ScimUser {
  readonly id: string;
  readonly userName: string;
  readonly displayName: string;
  readonly externalId: string;
  readonly emails: readonly string[];
  readonly active: boolean;
}

/** One page of what a filter fits. */
export interface ScimPage<T> {
  readonly total: number;
  /** Of the first one, counted from 1. Undefined when the server does not say. */
  readonly startIndex: number | undefined;
  readonly resources: readonly T[];
}

const text = z.string().nullish();
const id = z.string().min(1);

const groupShape = z.object({
  id,
  displayName: text,
  members: z.array(z.object({ value: id, display: text, type: text })).nullish(),
  meta: z.object({ version: text }).nullish(),
});

const userShape = z.object({
  id,
  userName: text,
  displayName: text,
  externalId: text,
  active: z.boolean().nullish(),
  emails: z.array(z.object({ value: text })).nullish(),
});

const pageShape = z.object({
  totalResults: z.number().int().min(0),
  startIndex: z.number().int().nullish(),
  Resources: z.array(z.unknown()).nullish(),
});

const supported = z.object({ supported: z.boolean() }).nullish();
const configShape = z.object({ patch: supported, filter: supported, etag: supported });

/** What a server says that it can do. */
export type ScimFeatures = z.infer<typeof configShape>;

/** Reads a group. Errors: ConnectorError 'unreachable' when it is none. */
export function groupOf(answer: Pick<JsonAnswer, 'host' | 'body'>, etag?: string): ScimGroup {
  const { id: groupId, displayName, members, meta } = read(groupShape, answer, 'group');
  const isGroup = (type: string | null | undefined): boolean => type?.toLowerCase() === 'group';
  const people = new Map(
    (members ?? [])
      .filter(({ type }) => !isGroup(type))
      .map(({ value, display }) => [value, { id: value, label: display || value }]),
  );
  return {
    id: groupId,
    name: displayName ?? '',
    people: [...people.values()],
    groupsInside: (members ?? []).filter(({ type }) => isGroup(type)).length,
    etag: etag ?? (meta?.version || undefined),
  };
}

/** Reads a person. Errors: ConnectorError 'unreachable' when it is none. */
export function userOf(answer: Pick<JsonAnswer, 'host' | 'body'>): ScimUser {
  const user = read(userShape, answer, 'user');
  return {
    id: user.id,
    userName: user.userName ?? '',
    displayName: user.displayName ?? '',
    externalId: user.externalId ?? '',
    emails: (user.emails ?? []).flatMap(({ value }) => value ?? []),
    active: user.active ?? true,
  };
}

/** Reads a page of a list. Errors: ConnectorError 'unreachable' when it is none. */
export function pageOf<T>(answer: JsonAnswer, one: (answer: Pick<JsonAnswer, 'host' | 'body'>) => T): ScimPage<T> {
  const { totalResults, startIndex, Resources } = read(pageShape, answer, 'list');
  return {
    total: totalResults,
    startIndex: startIndex ?? undefined,
    resources: (Resources ?? []).map((body) => one({ host: answer.host, body })),
  };
}

/** Reads what a server can do. Errors: ConnectorError 'unreachable' when it does not say. */
export const featuresOf = (answer: JsonAnswer): ScimFeatures => read(configShape, answer, 'configuration');

function read<T>(shape: z.ZodType<T>, { host, body }: Pick<JsonAnswer, 'host' | 'body'>, what: string): T {
  const result = shape.safeParse(body);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new ConnectorError('unreachable', `${host} answered with no SCIM ${what}: ${issue?.path.join('.') ?? ''}`);
}
