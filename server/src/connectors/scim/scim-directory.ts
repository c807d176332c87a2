import { ConnectorError } from '../connector.js';
import type { JsonAnswer, JsonClient } from '../http/json-client.js';
import { featuresOf, groupOf, pageOf, userOf } from './scim-answers.js';
import type { ScimFeatures, ScimGroup, ScimUser } from './scim-answers.js';
import { equals, type ScimAttribute } from './scim-filter.js';

/** How many a page is asked to hold, and how many are read before a filter counts as not understood. */
const PAGE = 100;
const MOST_FOUND = 500;
const NOT_FOUND = 404;
/** Of servers that do not say what they can do. */
const SILENT = [400, 403, NOT_FOUND, 405, 501];

/** What is read of a SCIM server. */
export class ScimDirectory {
  constructor(private readonly client: JsonClient) {}

  /** What the server says that it can do; nothing when it does not say. */
  async features(signal: AbortSignal): Promise<Partial<ScimFeatures>> {
    const answer = await this.client.call({ method: 'GET', path: ['ServiceProviderConfig'], expect: SILENT }, signal);
    return answer.status === 200 ? featuresOf(answer) : {};
  }

  /** The group of an id, with its members. Undefined when the server says that there is none. */
  async group(id: string, signal: AbortSignal): Promise<ScimGroup | undefined> {
    const answer = await this.client.call({ method: 'GET', path: ['Groups', id], expect: [NOT_FOUND] }, signal);
    if (answer.status === NOT_FOUND) {
      if (isScimError(answer)) return undefined;
      throw new ConnectorError(
        'refused',
        `${answer.host} answered HTTP 404, not in the words of SCIM: is the URL right?`,
      );
    }
    return groupOf(answer, answer.headers.etag);
  }

  /** The id of the one group that has exactly this name. Errors: ConnectorError 'refused' when there is none, or several. */
  async groupIdOf(name: string, signal: AbortSignal): Promise<string> {
    const without = { excludedAttributes: 'members' };
    const groups = await this.all('Groups', equals('displayName', name), groupOf, signal, without);
    // Servers that do not understand a filter give everything; what they give is looked at.
    const ids = [...new Set(groups.filter((group) => group.name === name).map(({ id }) => id))];
    const [id] = ids;
    if (id === undefined) throw new ConnectorError('refused', 'there is no group of this name');
    if (ids.length > 1) throw new ConnectorError('refused', 'there are several groups of this name; give the id');
    return id;
  }

  /** Everybody who, as the filter says, has this value. Whether they do is for the caller to look at. */
  users(attribute: ScimAttribute, value: string, signal: AbortSignal): Promise<ScimUser[]> {
    return this.all('Users', equals(attribute, value), userOf, signal);
  }

  private async all<T>(
    kind: 'Users' | 'Groups',
    filter: string,
    one: (answer: Pick<JsonAnswer, 'host' | 'body'>) => T,
    signal: AbortSignal,
    more: Readonly<Record<string, string>> = {},
  ): Promise<T[]> {
    const found: T[] = [];
    for (;;) {
      const next = found.length + 1;
      const query = { filter, startIndex: String(next), count: String(PAGE), ...more };
      const page = pageOf(await this.client.call({ method: 'GET', path: [kind], query }, signal), one);
      if (found.length > 0 && page.startIndex !== next)
        throw new ConnectorError(
          'refused',
          `more ${kind} fit than the server gives at once, and it gives no next page`,
        );
      found.push(...page.resources);
      if (found.length >= page.total || page.resources.length === 0) return found;
      if (found.length >= MOST_FOUND)
        throw new ConnectorError('refused', `more than ${MOST_FOUND} ${kind} fit: the server does not know the filter`);
    }
  }
}

/** RFC 7644, section 3.12. What a proxy or another service answers is no word of the server's. */
function isScimError({ body }: JsonAnswer): boolean {
  const schemas = (body as { readonly schemas?: unknown } | undefined)?.schemas;
  return Array.isArray(schemas) && schemas.includes('urn:ietf:params:scim:api:messages:2.0:Error');
}
